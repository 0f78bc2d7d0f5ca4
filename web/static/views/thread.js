// A thread: its posts, those that come while somebody reads, and the place to write one.
import { time } from "../dates.js";
import { Composer, signInFirst } from "../composer.js";
import { h, icon } from "../dom.js";
import { ask, get, Problem, retryWhileDown } from "../http.js";
import { dialog, field, form } from "../forms.js";
import { describeProblem, showProblem, offerUndo } from "../notices.js";
import { outbox } from "../outbox.js";
import { fromCursor, linkFrom, PagedList } from "../paged-list.js";
import { avatar, userLink, findUser } from "../users.js";
import { navigate } from "../navigation.js";
import { postElement, quotation } from "../post.js";
import { markSeen, seenCount } from "../seen.js";
import { session, withSession } from "../session.js";
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
    this.#seenBefore = seenCount(id);
    this.heading = h("h1", { dir: "auto" }, "\u2007".repeat(20));
    this.about = h("p", { class: "meta" }, "\u00a0");
    this.tools = h("div", { class: "tools" });
    this.pages = new PagedList({
      first: fromCursor(`/api/posts/in-thread/${id}?limit=50`, visit.address),
      row: (post) => postElement(post, this.actions),
      link: linkFrom(`/threads/${id}`), empty: t("no-posts"), more: t("more-posts"), signal: visit.signal,
      onItems: (posts) => this.#onItems(posts),
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
    const drawPendingPosts = () => this.#drawPendingPosts();
    const sent = ({ detail }) => this.#sent(detail);
    const someoneElse = () => this.thread && this.#draw();
    const scrolled = () => this.#atEnd() && this.#readAll();
    outbox.addEventListener("change", drawPendingPosts);
    outbox.addEventListener("sent", sent);
    session.addEventListener("change", someoneElse);
    addEventListener("scroll", scrolled, { passive: true });
    visit.signal.addEventListener("abort", () => {
      outbox.removeEventListener("change", drawPendingPosts);
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
      this.thread = await retryWhileDown(() => get(`/api/threads/${this.id}`, { signal: this.visit.signal }), this.visit.signal);
    } catch (problem) {
      if (this.visit.signal.aborted) return;
      if (!(problem instanceof Problem)) throw problem;
      if (problem.status === 404) return this.visit.notFound();
      this.heading.textContent = describeProblem(problem);
      return;
    }
    this.#draw();
    this.#drawPendingPosts();
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
      t("started-by"), " ", userLink(thread.createdBy), " · ", time(thread.createdAt), " · ", t("posts", { count: this.#total }),
    );
    const mine = session.user?.id === thread.createdBy;
    const young = Date.now() - Date.parse(thread.createdAt) < 24 * 3_600_000;
    const button = (label, act, danger) => h("button", { type: "button", class: danger ? "danger-text" : null, onclick: act }, label);
    this.tools.replaceChildren(
      ...[
        !this.pages.complete && button(t("to-the-newest"), () => this.#toEnd()),
        ((mine && young) || session.isModerator) && button(t("rename"), () => this.#rename()),
        session.isModerator && button(t(thread.locked ? "unlock" : "lock"), () => this.#mark("lock", "locked")),
        session.isModerator && button(t(thread.pinned ? "unpin" : "pin"), () => this.#mark("pin", "pinned")),
        ((mine && !this.#othersWrote) || session.isModerator) && button(t("delete-thread"), () => this.#remove(), true),
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
          if ((await withSession(async () => true)) === null) return;
          this.composer.clear();
          outbox.post(this.id, text, replyTo);
          this.pending.lastElementChild?.scrollIntoView({ block: "nearest" });
        },
      });
      if (!this.composer.element.isConnected) this.place.replaceChildren(this.composer.element);
    }
  }

  #drawPendingPosts() {
    this.pending.replaceChildren(...outbox.of(this.id).map((pendingPost) => this.#pendingPostElement(pendingPost)));
  }

  #pendingPostElement(pendingPost) {
    const state = h("span", { class: "state", role: "status" });
    const element = h("article", { class: `post pending-post ${pendingPost.state}`, "data-key": pendingPost.key, "aria-label": t("your-post-on-its-way") });
    const tick = () => {
      const count = Math.max(1, Math.ceil(((pendingPost.until ?? 0) - Date.now()) / 1000));
      state.textContent = pendingPost.state === "refused" ? describeProblem(pendingPost.problem) : t(`pending-post-${pendingPost.state}`, { count });
      if (pendingPost.state === "waiting" && element.isConnected) setTimeout(tick, 500);
    };
    element.append(avatar(pendingPost.user), h("header", {}, userLink(pendingPost.user), state), h("div", { class: "prose plain", dir: "auto" }, pendingPost.text));
    if (pendingPost.state === "refused") {
      element.append(h(
        "footer", { class: "actions" },
        h("button", { type: "button", onclick: () => { outbox.withdraw(pendingPost); this.composer?.add(pendingPost.text); this.composer?.focus(); } }, t("change-it")),
        h("button", { type: "button", class: "danger-text", onclick: () => outbox.withdraw(pendingPost) }, t("discard")),
      ));
    }
    setTimeout(tick);
    tick();
    return element;
  }

  async #sent({ post }) {
    if (post.thread !== this.id) return;
    if (!this.pages.append(post)) {
      await this.pages.loadUntil();
      this.pages.append(post);
    }
    if (this.thread) this.#draw();
    this.pages.find(post.id)?.scrollIntoView({ block: "nearest" });
  }

  #follow() {
    follow(
      `/api/posts/in-thread/${this.id}/stream`,
      {
        onOpen: () => this.element.setAttribute("data-live", ""),
        onReset: () => navigate(location.pathname, { replace: true }),
        onGone: () => this.thread && !this.visit.signal.aborted && this.visit.notFound(),
        onEvent: (kind, data) => this.#onEvent(kind, data),
      },
      this.visit.signal,
    );
  }

  #onEvent(kind, data) {
    if (kind === "remove") return this.pages.remove(data.id);
    if (kind === "edit") return this.pages.find(data.id)?.querySelector("form") ? null : this.pages.update(data);
    // Our own posts come twice: here, and as the answer to their sending.
    const own = outbox.of(this.id).find((pendingPost) => data.user === session.user?.id && pendingPost.text === data.text);
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
    await this.pages.loadUntil();
    await this.pages.scrollUntilStable(() => this.place.scrollIntoView({ block: "end" }));
    this.#readAll();
    this.#draw();
  }

  async #toPost() {
    const [, wanted] = /^#post-(\d+)$/.exec(location.hash) ?? [];
    if (!wanted) return;
    const id = Number(wanted);
    if (!this.pages.find(id)) await this.pages.loadUntil((posts) => posts.some((post) => post.id >= id));
    await this.pages.scrollUntilStable(() => this.pages.find(id)?.scrollIntoView({ block: "start" }));
    this.pages.find(id)?.classList.add("sought");
  }

  #onItems(posts) {
    this.#othersWrote ||= posts.some((post) => post.user !== session.user?.id);
    if (this.#seenBefore !== null) {
      const index = this.#seenBefore - (this.pages.count - posts.length);
      const isNew = posts[index];
      if (isNew && index >= 0 && !this.visit.address.searchParams.has("after")) {
        queueMicrotask(() => this.pages.find(isNew.id)?.before(h("p", { class: "divider" }, t("new-since"))));
      }
    }
    if (this.thread && this.pages.complete) this.#draw();
  }

  /** How many posts there are: the thread's own counter follows within seconds. */
  get #total() {
    return Math.max(this.thread.postCount, this.pages.count);
  }

  #reply(post) {
    if (!this.composer) return withSession(async () => this.#reply(post));
    this.composer.replyTo(post);
    return this.composer.focus();
  }

  async #quote(post) {
    if (!this.composer) return withSession(async () => this.#quote(post));
    const user = await findUser(post.user);
    this.composer.replyTo(post);
    this.composer.add(quotation(post, user?.name ?? ""));
    return this.composer.focus();
  }

  async #mark(what, member) {
    try {
      const method = this.thread[member] ? "DELETE" : "PUT";
      if (!(await withSession(() => ask(method, `/api/threads/${this.id}/${what}`)))) return;
      this.thread = await get(`/api/threads/${this.id}`);
      this.#draw();
    } catch (problem) {
      showProblem(problem);
    }
  }

  async #rename() {
    await dialog(t("rename"), (close) => form({
      fields: [field("title", t("thread-title"), { value: this.thread.title, maxlength: "200", required: true })],
      button: t("save"),
      send: async ({ title }) => {
        const answer = await withSession(() => ask("PATCH", `/api/threads/${this.id}`, { body: { title, version: this.thread.version } }));
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
        await withSession(() => ask("DELETE", `/api/threads/${this.id}`, { keepalive: true }));
      } catch (problem) {
        showProblem(problem);
      }
    };
    offerUndo(t("thread-deleted"), doIt, () => navigate(`/threads/${this.id}`));
    navigate("/");
  }
}
