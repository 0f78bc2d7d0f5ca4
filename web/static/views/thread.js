// A thread: its posts, those that come while somebody reads, and the place to write one.
import { time } from "../dates.js";
import { Composer, signInFirst } from "../composer.js";
import { h, icon } from "../dom.js";
import { ask, get, Problem, untilAnswered } from "../http.js";
import { dialog, field, form } from "../forms.js";
import { explain, sayProblem, unlessUndone } from "../notices.js";
import { outbox } from "../outbox.js";
import { fromCursor, linkFrom, Pages } from "../pages.js";
import { disc, nameOf, person } from "../people.js";
import { navigate } from "../places.js";
import { postElement, quotation } from "../post.js";
import { markSeen, seenIn } from "../seen.js";
import { session, signedIn } from "../session.js";
import { follow } from "../stream.js";
import { t } from "../text.js";

export function show(visit, id) {
  return new ThreadView(visit, Number(id)).element;
}

class ThreadView {
  #unseen = 0;
  #seenBefore;
  #othersWrote = false;

  constructor(visit, id) {
    Object.assign(this, { visit, id });
    this.#seenBefore = seenIn(id);
    this.heading = h("h1", { dir: "auto" }, "\u2007".repeat(20));
    this.about = h("p", { class: "meta" }, "\u00a0");
    this.tools = h("div", { class: "tools" });
    this.pages = new Pages({
      first: fromCursor(`/api/posts/in-thread/${id}?limit=50`, visit.address),
      row: (post) => postElement(post, this.actions),
      link: linkFrom(`/threads/${id}`), empty: t("no-posts"), more: t("more-posts"), signal: visit.signal,
      came: (posts) => this.#came(posts),
    });
    this.actions = {
      reply: (post) => this.#reply(post),
      quote: (post) => this.#quote(post),
      removed: (post) => this.pages.remove(post),
    };
    this.pending = h("div", { class: "pending" });
    this.bar = h("button", { type: "button", class: "news bottom", hidden: true, onclick: () => this.#toEnd() });
    this.place = h("section", { class: "write", "aria-label": t("write-a-post") });
    this.element = h(
      "div", { class: "page thread" },
      h("header", { class: "thread-head" }, this.heading, this.about, this.tools),
      visit.address.searchParams.has("after") ? h("p", { class: "from-the-middle" }, h("a", { href: `/threads/${id}` }, t("from-the-beginning"))) : null,
      this.pages.element, this.pending, this.bar, this.place,
    );
    visit.hashchanged = () => this.#toPost();
    const drawLetters = () => this.#drawLetters();
    const sent = ({ detail }) => this.#sent(detail);
    const someoneElse = () => this.thread && this.#draw();
    const scrolled = () => this.#atEnd() && this.#readAll();
    outbox.addEventListener("change", drawLetters);
    outbox.addEventListener("sent", sent);
    session.addEventListener("change", someoneElse);
    addEventListener("scroll", scrolled, { passive: true });
    visit.signal.addEventListener("abort", () => {
      outbox.removeEventListener("change", drawLetters);
      outbox.removeEventListener("sent", sent);
      session.removeEventListener("change", someoneElse);
      removeEventListener("scroll", scrolled);
    });
    this.#start();
  }

  async #start() {
    this.#follow();
    const posts = this.pages.load();
    try {
      this.thread = await untilAnswered(() => get(`/api/threads/${this.id}`, { signal: this.visit.signal }), this.visit.signal);
    } catch (problem) {
      if (this.visit.signal.aborted) return;
      if (!(problem instanceof Problem)) throw problem;
      if (problem.status === 404) return this.visit.notFound();
      this.heading.textContent = explain(problem);
      return;
    }
    this.#draw();
    this.#drawLetters();
    await posts;
    if (this.pages.complete) markSeen(this.id, this.#total);
    await this.#toPost();
  }

  #draw() {
    const { thread } = this;
    this.visit.title(thread.title);
    this.heading.replaceChildren(thread.title);
    this.about.replaceChildren(
      ...(thread.pinned ? [icon("pin", t("pinned"))] : []), ...(thread.locked ? [icon("lock", t("locked"))] : []),
      t("started-by"), " ", nameOf(thread.createdBy), " · ", time(thread.createdAt), " · ", t("posts", { count: this.#total }),
    );
    const mine = session.user?.id === thread.createdBy;
    const young = Date.now() - Date.parse(thread.createdAt) < 24 * 3_600_000;
    const button = (label, act, danger) => h("button", { type: "button", class: danger ? "danger-text" : null, onclick: act }, label);
    this.tools.replaceChildren(
      ...[
        !this.pages.complete && button(t("to-the-newest"), () => this.#toEnd()),
        ((mine && young) || session.moderates) && button(t("rename"), () => this.#rename()),
        session.moderates && button(t(thread.locked ? "unlock" : "lock"), () => this.#mark("lock", "locked")),
        session.moderates && button(t(thread.pinned ? "unpin" : "pin"), () => this.#mark("pin", "pinned")),
        ((mine && !this.#othersWrote) || session.moderates) && button(t("delete-thread"), () => this.#remove(), true),
      ].filter(Boolean),
    );
    this.#drawComposer();
  }

  #drawComposer() {
    const first = signInFirst(location.pathname);
    if (this.thread.locked) this.place.replaceChildren(h("p", { class: "sign-in-first" }, icon("lock"), " ", t("thread-is-locked")));
    else if (first && !this.composer?.input.value) this.place.replaceChildren(first);
    else {
      this.composer ??= new Composer({
        name: `thread:${this.id}`, label: t("write-a-post"), button: t("post-it"),
        send: async (text, replyTo) => {
          if ((await signedIn(async () => true)) === null) return;
          this.composer.clear();
          outbox.post(this.id, text, replyTo);
          this.pending.lastElementChild?.scrollIntoView({ block: "nearest" });
        },
      });
      if (!this.composer.element.isConnected) this.place.replaceChildren(this.composer.element);
    }
  }

  #drawLetters() {
    this.pending.replaceChildren(...outbox.of(this.id).map((letter) => this.#letterElement(letter)));
  }

  #letterElement(letter) {
    const state = h("span", { class: "state", role: "status" });
    const element = h("article", { class: `post letter ${letter.state}`, "data-key": letter.key, "aria-label": t("your-post-on-its-way") });
    const tick = () => {
      const count = Math.max(1, Math.ceil(((letter.until ?? 0) - Date.now()) / 1000));
      state.textContent = letter.state === "refused" ? explain(letter.problem) : t(`letter-${letter.state}`, { count });
      if (letter.state === "waiting" && element.isConnected) setTimeout(tick, 500);
    };
    element.append(disc(letter.user), h("header", {}, nameOf(letter.user), state), h("div", { class: "prose plain", dir: "auto" }, letter.text));
    if (letter.state === "refused") {
      element.append(h(
        "footer", { class: "actions" },
        h("button", { type: "button", onclick: () => { outbox.withdraw(letter); this.composer?.add(letter.text); this.composer?.focus(); } }, t("change-it")),
        h("button", { type: "button", class: "danger-text", onclick: () => outbox.withdraw(letter) }, t("discard")),
      ));
    }
    setTimeout(tick);
    tick();
    return element;
  }

  async #sent({ post }) {
    if (post.thread !== this.id) return;
    if (!this.pages.append(post)) {
      await this.pages.seek();
      this.pages.append(post);
    }
    if (this.thread) this.#draw();
    this.pages.find(post.id)?.scrollIntoView({ block: "nearest" });
  }

  #follow() {
    follow(
      `/api/posts/in-thread/${this.id}/stream`,
      {
        opened: () => this.element.setAttribute("data-live", ""),
        lost: () => navigate(location.pathname, { replace: true }),
        gone: () => this.thread && !this.visit.signal.aborted && this.visit.notFound(),
        heard: (kind, data) => this.#heard(kind, data),
      },
      this.visit.signal,
    );
  }

  #heard(kind, data) {
    if (kind === "remove") return this.pages.remove(data.id);
    if (kind === "edit") return this.pages.find(data.id)?.querySelector("form") ? null : this.pages.update(data);
    // Our own posts come twice: here, and as the answer to their sending.
    const own = outbox.of(this.id).find((letter) => data.user === session.user?.id && letter.text === data.text);
    if (own) return null;
    if (this.pages.find(data.id)) return null;
    this.#othersWrote ||= data.user !== session.user?.id;
    const wasAtEnd = this.#atEnd();
    const shown = this.pages.append(data);
    if (this.thread) {
      if (!shown) this.thread.postCount++;
      this.#draw();
    }
    if (shown && wasAtEnd && !document.hidden) return this.#readAll();
    if (data.user !== session.user?.id) this.#unseen++;
    this.#drawBar();
    return null;
  }

  #drawBar() {
    this.bar.hidden = this.#unseen === 0;
    this.bar.textContent = t("new-posts", { count: this.#unseen });
  }

  /** Whether the reader sees the end of what is there, so that what comes appears before their eyes. */
  #atEnd() {
    return this.pages.complete && this.pages.element.getBoundingClientRect().bottom <= innerHeight + 40;
  }

  #readAll() {
    if (this.#unseen > 0) {
      this.#unseen = 0;
      this.#drawBar();
    }
    if (this.thread) markSeen(this.id, this.#total);
  }

  async #toEnd() {
    await this.pages.seek();
    await this.pages.bring(() => this.place.scrollIntoView({ block: "end" }));
    this.#readAll();
    this.#draw();
  }

  async #toPost() {
    const [, wanted] = /^#post-(\d+)$/.exec(location.hash) ?? [];
    if (!wanted) return;
    const id = Number(wanted);
    if (!this.pages.find(id)) await this.pages.seek((posts) => posts.some((post) => post.id >= id));
    await this.pages.bring(() => this.pages.find(id)?.scrollIntoView({ block: "start" }));
    this.pages.find(id)?.classList.add("sought");
  }

  #came(posts) {
    this.#othersWrote ||= posts.some((post) => post.user !== session.user?.id);
    if (this.#seenBefore !== null) {
      const index = this.#seenBefore - (this.pages.known - posts.length);
      const isNew = posts[index];
      if (isNew && index >= 0 && !this.visit.address.searchParams.has("after")) {
        queueMicrotask(() => this.pages.find(isNew.id)?.before(h("p", { class: "divider" }, t("new-since"))));
      }
    }
    if (this.thread && this.pages.complete) this.#draw();
  }

  /** How many posts there are: the thread's own counter follows within seconds. */
  get #total() {
    return Math.max(this.thread.postCount, this.pages.known);
  }

  #reply(post) {
    if (!this.composer) return signedIn(async () => this.#reply(post));
    this.composer.replyTo(post);
    return this.composer.focus();
  }

  async #quote(post) {
    if (!this.composer) return signedIn(async () => this.#quote(post));
    const user = await person(post.user);
    this.composer.replyTo(post);
    this.composer.add(quotation(post, user?.name ?? ""));
    return this.composer.focus();
  }

  async #mark(what, member) {
    try {
      const method = this.thread[member] ? "DELETE" : "PUT";
      if (!(await signedIn(() => ask(method, `/api/threads/${this.id}/${what}`)))) return;
      this.thread = await get(`/api/threads/${this.id}`);
      this.#draw();
    } catch (problem) {
      sayProblem(problem);
    }
  }

  async #rename() {
    await dialog(t("rename"), (close) => form({
      fields: [field("title", t("thread-title"), { value: this.thread.title, maxlength: "200", required: true })],
      button: t("save"),
      send: async ({ title }) => {
        const answer = await signedIn(() => ask("PATCH", `/api/threads/${this.id}`, { body: { title, version: this.thread.version } }));
        if (!answer) return;
        this.thread = answer.data;
        this.#draw();
        close(true);
      },
    }));
  }

  #remove() {
    const doIt = async () => {
      try {
        await signedIn(() => ask("DELETE", `/api/threads/${this.id}`, { keepalive: true }));
      } catch (problem) {
        sayProblem(problem);
      }
    };
    unlessUndone(t("thread-deleted"), doIt, () => navigate(`/threads/${this.id}`));
    navigate("/");
  }
}
