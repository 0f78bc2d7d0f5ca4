// A thread: its posts, including those that arrive while somebody reads, and the form for a new one.
import { Composer, signInFirst } from "../composer.js";
import { time } from "../dates.js";
import { actionButton, h } from "../dom.js";
import { dialog, field, form } from "../forms.js";
import { ask, get, getPage, open, pause, retryWhileDown, settled } from "../http.js";
import { navigate } from "../navigation.js";
import { describeProblem, offerUndo, showMessage, showProblem } from "../notices.js";
import { fromCursor, linkFrom, PagedList } from "../paged-list.js";
import { adoptPost, postElement, quotation } from "../post.js";
import { Problem } from "../problem.js";
import { readPost, servedList, servedThread } from "../served.js";
import { outbox, reading, session } from "../state.js";
import { follow } from "../stream.js";
import { copy, copyButtons, copyElement } from "../templates.js";
import { t } from "../text.js";
import { avatar, findUser, known, userLink } from "../users.js";
import { valuesOf } from "./threads.js";

/** As many as the server's page has. */
const POSTS_ON_A_PAGE = 49;
const TITLE_EDITABLE_FOR = 24 * 3_600_000;

/** @param {Page.Visit} visit
 * @param {string} id */
export function show(visit, id) {
  return new ThreadView(visit, Number(id)).element;
}

class ThreadView {
  #visit;
  #id;
  /** @type {Api.Thread | null} null until it has been loaded */
  #thread = null;
  /** @type {Composer | null} null until somebody may write */
  #composer = null;
  /** How many posts by others are new and not yet seen. */
  #unseen = 0;
  /** Up to which post the reader had read when the view was opened; null if that is unknown.
   * @type {number | null} */
  #readBefore = null;
  /** The first post that was unread then, once it has been loaded.
   * @type {number | null} */
  #firstUnread = null;
  /** The posts of others that have been loaded, in order.
   * @type {number[]} */
  #othersLoaded = [];
  /** @type {number | null} */
  #firstLoaded = null;
  /** The highest post that was in sight. */
  #highest = 0;
  #divider = h("p", { class: "divider", id: "first-unread", tabindex: "-1" }, t("new-since"));
  #fromBeginning = h("p", { class: "from-the-middle" });
  #inSight = new IntersectionObserver((entries) => this.#onSight(entries));
  #othersWrote = false;
  /** Whether posts are shown, so that what follows them stays where it is. */
  #filled = false;
  /** @type {Promise<Api.Thread>} */
  #found;
  /** Up to which event the server's page has the thread; null if the page was not used.
   * @type {string | null} */
  #version;
  /** Says that everything is there that the server's page has. */
  #isFilled = () => {};
  /** Resolves when the visitor sees this view, and no longer what the server has sent. */
  #shown;
  /** When the newest known post was written: a post that arrives with an earlier time was restored. */
  #newest = "";
  /** The posts that were removed while somebody reads, which are no longer counted.
   * @type {Set<number>} */
  #uncounted = new Set();
  /** What was removed, by id; only moderators see it.
   * @type {Map<number, Api.RemovedPost>} */
  #removedPosts = new Map();
  /** Creates what moderators see of a removed post; null for others, whose browsers do not load it.
   * @type {typeof import("../moderation/tombstone.js").tombstone | null} */
  #tombstone = null;
  #heading = h("h1", { dir: "auto" }, "\u2007".repeat(20));
  /** @type {HTMLElement} */
  #about = h("p", { class: "meta", hidden: true });
  #tools = h("div", { class: "tools", hidden: true });
  #pending = h("div", { class: "pending" });
  #bar = h("button", { type: "button", class: "news bottom", hidden: true, onclick: () => this.#toEnd() });
  #writeSection = h("section", { class: "write", id: "composer", "aria-label": t("write-a-post") });
  /** @type {PagedList<Page.ShownPost>} */
  #pages;
  /** @type {Page.PostActions} */
  #actions = {
    reply: (post) => void this.#reply(post),
    quote: (post) => void this.#quote(post),
    removed: (id) => void this.#removedPost(id),
    restored: (id) => void this.#restoredPost(id),
  };

  /** @param {Page.Visit} visit
   * @param {number} id */
  constructor(visit, id) {
    this.#visit = visit;
    this.#id = id;
    const { signal } = visit;
    const first = this.#firstPage();
    const served = this.#served(first);
    this.#found = served
      ? Promise.resolve(served.thread)
      : retryWhileDown(() => get(`/api/threads/${id}`, { signal }), signal);
    this.#version = served?.version ?? null;
    const readBefore = reading.readUpTo(id).then((post) => void (this.#readBefore = post));
    this.#pages = new PagedList({
      first,
      served: served?.posts,
      row: (post) => {
        const sent = served?.posts.elements.get(post.id);
        served?.posts.elements.delete(post.id);
        const element = sent
          ? adoptPost(post, sent, this.#actions)
          : postElement(/** @type {Api.Post} */ (post), this.#actions);
        this.#inSight.observe(element);
        return element;
      },
      link: linkFrom(`/threads/${id}`),
      empty: t("no-posts"),
      more: t("more-posts"),
      signal: visit.signal,
      onItems: (posts) => this.#onItems(posts),
      between: (from, to) => [...this.#tombstones(from, to), ...this.#dividers(from, to)],
      people: (post) => [post.user, post.editedBy],
      ready: Promise.all([settled(this.#found.then(({ createdBy }) => known([createdBy]))), readBefore]),
    });
    this.element = h(
      "div",
      { class: "page thread", "aria-busy": "true" },
      h("header", { class: "thread-head" }, this.#heading, this.#about, this.#tools),
      this.#fromBeginning,
      this.#pages.element,
      this.#pending,
      this.#bar,
      this.#writeSection,
    );
    visit.hashchanged = () => this.#toPost();
    this.#shown = visit.showWhen(new Promise((resolve) => (this.#isFilled = () => resolve(null))));
    outbox.addEventListener("change", () => this.#drawPendingPosts(), { signal });
    outbox.addEventListener("sent", (event) => event instanceof CustomEvent && this.#sent(event.detail.post), {
      signal,
    });
    session.addEventListener("change", () => this.#draw(), { signal });
    addEventListener("scroll", () => this.#atEnd() && this.#readAll(), { passive: true, signal });
    signal.addEventListener("abort", () => {
      this.#inSight.disconnect();
      void reading.flush();
    });
    this.#start();
  }

  async #start() {
    const { signal } = this.#visit;
    this.#follow();
    await this.#readRemovedPosts();
    if (signal.aborted) return;
    const posts = this.#pages.load();
    try {
      this.#thread = await this.#found;
    } catch (problem) {
      if (signal.aborted) return;
      if (!(problem instanceof Problem)) throw problem;
      if (problem.status === 404) return this.#visit.notFound();
      this.#heading.textContent = describeProblem(problem);
      this.#isFilled();
      this.element.removeAttribute("aria-busy");
      return;
    }
    this.#knowUntil(this.#thread.lastPostAt);
    await known([this.#thread.createdBy]);
    this.#draw();
    await settled(posts);
    this.#filled = true;
    this.element.removeAttribute("aria-busy");
    this.#draw();
    this.#drawPendingPosts();
    this.#isFilled();
    await this.#shown;
    await posts;
    if (signal.aborted) return;
    await this.#toPost();
  }

  #draw() {
    const thread = this.#thread;
    if (!thread) return;
    this.#visit.title(thread.title);
    this.#heading.replaceChildren(thread.title);
    this.#tools.hidden = !this.#filled;
    const about = copyElement("about-thread", {
      ...valuesOf(thread),
      posts: t("posts", { count: this.#total }),
      time: time(thread.createdAt),
    });
    this.#about.replaceWith(about);
    this.#about = about;
    const mine = session.user?.id === thread.createdBy;
    const young = Date.now() - Date.parse(thread.createdAt) < TITLE_EDITABLE_FOR;
    this.#tools.replaceChildren(
      ...[
        !this.#pages.complete && actionButton(t("to-the-newest"), () => this.#toEnd()),
        ((mine && young) || session.isModerator) && actionButton(t("rename"), () => this.#rename().catch(showProblem)),
        session.isModerator &&
          actionButton(t(thread.locked ? "unlock" : "lock"), () =>
            thread.locked || mine ? this.#set("lock", !thread.locked) : this.#lock(),
          ),
        session.isModerator && actionButton(t(thread.pinned ? "unpin" : "pin"), () => this.#set("pin", !thread.pinned)),
        ((mine && !this.#othersWrote) || session.isModerator) &&
          actionButton(t("delete-thread"), () => (mine ? this.#remove() : this.#removeAsModerator()), true),
      ].filter((tool) => tool !== false),
    );
    if (this.#filled) this.#drawWriteSection(thread.locked);
  }

  /** @param {boolean} locked */
  #drawWriteSection(locked) {
    const first = signInFirst(location.pathname);
    if (locked) this.#writeSection.replaceChildren(copy("locked", {}));
    else if (first && !this.#composer?.input.value) this.#writeSection.replaceChildren(first);
    else {
      this.#composer ??= this.#newComposer();
      if (!this.#composer.element.isConnected) this.#writeSection.replaceChildren(this.#composer.element);
    }
  }

  #newComposer() {
    const composer = new Composer({
      name: `thread:${this.#id}`,
      label: t("write-a-post"),
      button: t("post-it"),
      send: async (text, replyTo) => {
        if (!(await session.ensure())) return;
        composer.clear();
        outbox.post(this.#id, text, replyTo);
        this.#pending.lastElementChild?.scrollIntoView({ block: "nearest" });
      },
    });
    return composer;
  }

  #drawPendingPosts() {
    this.#pending.replaceChildren(...outbox.of(this.#id).map((pendingPost) => this.#pendingPostElement(pendingPost)));
  }

  /** @param {Page.PendingPost} pendingPost */
  #pendingPostElement(pendingPost) {
    const change = () => {
      outbox.withdraw(pendingPost);
      this.#composer?.add(pendingPost.text);
      this.#composer?.focus();
    };
    const discard = () => outbox.withdraw(pendingPost);
    const { key, state, text, user } = pendingPost;
    const refused = state === "refused";
    const made = copyButtons(
      "pending-post",
      { change: refused && change, discard: refused && discard },
      { key, state, text, refused, avatar: avatar(user), author: userLink(user) },
    );
    const element = /** @type {HTMLElement} */ (made.firstElementChild);
    const described = element.querySelector(".state");
    const tick = () => {
      const count = Math.max(1, Math.ceil(((pendingPost.until ?? 0) - Date.now()) / 1000));
      if (described === null) return;
      described.textContent = refused
        ? describeProblem(pendingPost.problem)
        : t(`pending-post-${pendingPost.state}`, { count });
      if (pendingPost.state === "waiting" && element.isConnected) setTimeout(tick, 500);
    };
    setTimeout(tick);
    tick();
    return element;
  }

  /** @param {Api.Post} post a post of the visitor that the board has acknowledged */
  async #sent(post) {
    if (post.thread !== this.#id) return;
    this.#knowUntil(post.createdAt);
    if (!this.#pages.append(post)) {
      await this.#pages.loadUntil();
      this.#pages.append(post);
    }
    this.#draw();
    this.#pages.find(post.id)?.scrollIntoView({ block: "nearest" });
  }

  #follow() {
    follow(
      `/api/posts/in-thread/${this.#id}/stream`,
      {
        onOpen: () => this.element.setAttribute("data-live", ""),
        onReset: () => void navigate(location.pathname, { replace: true }),
        onGone: () => this.#thread && !this.#visit.signal.aborted && this.#visit.notFound(),
        onEvent: (kind, data) => this.#onEvent(kind, data),
      },
      this.#visit.signal,
      { open, pause, lastId: this.#version },
    );
  }

  /** @param {string} kind
   * @param {unknown} data */
  #onEvent(kind, data) {
    if (kind === "remove") return void this.#removedPost(/** @type {{id: number}} */ (data).id);
    const post = /** @type {Api.Post} */ (data);
    if (kind === "edit") {
      // A visitor who is editing the post keeps the form.
      if (!this.#pages.find(post.id)?.querySelector("form")) this.#pages.update(post);
      return;
    }
    const own = post.user === session.user?.id;
    // The visitor's own posts arrive twice: here, and in the response to sending them.
    if (own && outbox.of(this.#id).some((pendingPost) => pendingPost.text === post.text)) return;
    if (this.#pages.find(post.id) && !this.#removedPosts.has(post.id)) return;
    if (this.#removedPosts.has(post.id) || (this.#thread && post.createdAt <= this.#newest)) return this.#show(post);
    this.#newest = post.createdAt;
    this.#othersWrote ||= !own;
    const wasAtEnd = this.#atEnd();
    const shown = this.#pages.append(post);
    if (this.#thread && !shown) this.#thread.postCount++;
    this.#draw();
    if (shown && wasAtEnd && !document.hidden) return this.#readAll();
    if (!own) this.#unseen++;
    this.#drawBar();
  }

  /** @param {string | null | undefined} moment */
  #knowUntil(moment) {
    if (moment && moment > this.#newest) this.#newest = moment;
  }

  /** Read what was removed, for moderators. Without an answer the thread is shown without it. */
  async #readRemovedPosts() {
    if (!session.isModerator) return;
    try {
      const { tombstone } = await import("../moderation/tombstone.js");
      /** @type {Map<number, Api.RemovedPost>} */
      const found = new Map();
      /** @type {string | null} */
      let path = `/api/posts/in-thread/${this.#id}/removed?limit=100`;
      while (path !== null) {
        /** @type {Page.ListPage<Api.RemovedPost>} */
        const page = await getPage(path, { signal: this.#visit.signal });
        for (const post of page.items) found.set(post.id, post);
        path = page.next;
      }
      this.#tombstone = tombstone;
      this.#removedPosts = found;
    } catch (problem) {
      if (!this.#visit.signal.aborted && !(problem instanceof Problem)) throw problem;
    }
  }

  /** @param {number} from
   * @param {number} to */
  #tombstones(from, to) {
    const { restored } = this.#actions;
    return [...this.#removedPosts.values()]
      .filter(({ id }) => id > from && id <= to)
      .flatMap((post) => this.#tombstone?.(post, (id) => restored?.(id)) ?? []);
  }

  /** @param {number} id a post that somebody removed */
  async #removedPost(id) {
    const isCounted = !this.#uncounted.has(id) && (this.#pages.has(id) || !this.#pages.complete);
    if (this.#thread && isCounted) this.#thread.postCount--;
    this.#uncounted.add(id);
    this.#pages.forget(id);
    await this.#readRemovedPosts();
    const [element] = this.#removedPosts.has(id) ? this.#tombstones(id - 1, id) : [];
    if (element) this.#pages.replace(id, element);
    else this.#pages.remove(id);
    this.#draw();
  }

  /** @param {number} id a post that this moderator restored */
  async #restoredPost(id) {
    try {
      this.#show(await get(`/api/posts/${id}`));
    } catch (problem) {
      showProblem(problem);
    }
  }

  /** Show a restored post.
   * @param {Api.Post} post */
  #show(post) {
    this.#removedPosts.delete(post.id);
    this.#uncounted.delete(post.id);
    if (this.#thread && !this.#pages.has(post.id)) this.#thread.postCount++;
    this.#pages.find(post.id)?.remove();
    this.#pages.forget(post.id);
    this.#pages.insert(post);
    this.#draw();
  }

  #drawBar() {
    this.#bar.hidden = this.#unseen === 0;
    this.#bar.textContent = t("new-posts", { count: this.#unseen });
  }

  /** Whether the end of the thread is visible, so that the reader sees a new post appear. */
  #atEnd() {
    return this.#pages.complete && this.#pages.element.getBoundingClientRect().bottom <= innerHeight + 40;
  }

  #readAll() {
    if (this.#unseen > 0) {
      this.#unseen = 0;
      this.#drawBar();
    }
  }

  /** The API path of the first page: it begins where the visitor wants to read. */
  #firstPage() {
    const path = `/api/posts/in-thread/${this.#id}?limit=${POSTS_ON_A_PAGE}`;
    const { searchParams, hash } = this.#visit.address;
    if (searchParams.has("after")) return fromCursor(path, this.#visit.address);
    const sought = /^#post-([1-9]\d{0,17})$/.exec(hash)?.[1] ?? null;
    const isServed = sought !== null && this.#visit.served?.querySelector(`#post-${sought}`);
    const wanted = isServed ? searchParams.get("from") : (sought ?? searchParams.get("from"));
    return wanted !== null && /^[1-9]\d{0,17}$/.test(wanted) ? `${path}&around=${wanted}` : path;
  }

  /** What the server has sent of this thread, if that is what the visitor wants to see.
   * @param {string} first */
  #served(first) {
    const { served, address } = this.#visit;
    const around = new URL(first, address).searchParams.get("around");
    if (around !== null && around !== address.searchParams.get("from")) return null;
    const thread = servedThread(served, this.#id);
    const posts = servedList(served, first, readPost);
    const version = served instanceof HTMLElement ? served.dataset.version : undefined;
    return thread && posts && version !== undefined ? { thread, posts, version } : null;
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #onSight(entries) {
    const ids = entries.filter((entry) => entry.isIntersecting).map(({ target }) => this.#read(target));
    const highest = Math.max(0, ...ids);
    if (highest <= this.#highest) return;
    this.#highest = highest;
    reading.record(this.#id, highest, this.#countUpTo(highest));
  }

  /** @param {Element} element the element of a post that has come into sight */
  #read(element) {
    this.#inSight.unobserve(element);
    return element instanceof HTMLElement ? Number(element.dataset.id) : 0;
  }

  /** How many posts the thread has up to this one, or null if that is unknown.
   * @param {number} id */
  #countUpTo(id) {
    const above = this.#pages.countAbove(id);
    if (this.#pages.fromBeginning) return this.#pages.count - above;
    return this.#pages.complete && this.#thread ? this.#total - above : null;
  }

  /** Mark where the unread posts begin, unless that is the beginning of the thread. */
  #placeDivider() {
    const before = this.#readBefore;
    if (before === null || this.#firstUnread !== null) return;
    const first = this.#othersLoaded.find((id) => id > before);
    if (first === undefined) return;
    this.#firstUnread = first;
    if (this.#pages.fromBeginning && first === this.#firstLoaded) return;
    this.#divider.dataset.id = String(first - 0.5);
    this.#pages.find(first)?.before(this.#divider);
  }

  /** @param {number} from
   * @param {number} to */
  #dividers(from, to) {
    const id = Number(this.#divider.dataset.id ?? -1);
    return id > from && id <= to ? [this.#divider] : [];
  }

  async #toEnd() {
    await this.#pages.loadUntil();
    await this.#pages.scrollUntilStable(() => this.#writeSection.scrollIntoView({ block: "end" }));
    this.#readAll();
    this.#draw();
  }

  /** Scroll to the post in the address's fragment, or to the post with the footnote in it. */
  async #toPost() {
    const wanted = /^#(?:post|fn|fnref)-(\d+)/.exec(location.hash)?.[1];
    if (!wanted) {
      if (this.#divider.isConnected && this.#visit.address.searchParams.has("from"))
        await this.#pages.scrollUntilStable(() => this.#divider.scrollIntoView({ block: "start" }));
      return;
    }
    const id = Number(wanted);
    if (id <= this.#pages.from) {
      await navigate(`/threads/${this.#id}?from=${id}#post-${id}`, { replace: true });
      return;
    }
    if (!this.#pages.find(id)) await this.#pages.loadUntil((posts) => posts.some((post) => post.id >= id));
    await this.#pages.scrollUntilStable(() => this.#pages.find(id)?.scrollIntoView({ block: "start" }));
    this.#pages.find(id)?.classList.add("sought");
  }

  /** @param {Page.ShownPost[]} posts */
  #onItems(posts) {
    this.#othersWrote ||= posts.some((post) => post.user !== session.user?.id);
    this.#knowUntil(posts.at(-1)?.createdAt);
    this.#firstLoaded ??= posts[0]?.id ?? null;
    this.#othersLoaded.push(...posts.filter((post) => post.user !== session.user?.id).map((post) => post.id));
    this.#placeDivider();
    if (!this.#pages.fromBeginning && !this.#fromBeginning.hasChildNodes())
      this.#fromBeginning.append(h("a", { href: `/threads/${this.#id}` }, t("from-the-beginning")));
    // In the same frame as the posts, so that nothing moves them.
    this.#filled = true;
    this.#draw();
  }

  /** The number of posts, which the thread's own counter shows a little later. */
  get #total() {
    return Math.max(this.#thread?.postCount ?? 0, this.#pages.count);
  }

  /** @param {Page.ShownPost} post */
  async #reply(post) {
    if (!this.#composer) await session.ensure();
    this.#composer?.replyTo(post);
    this.#composer?.focus();
  }

  /** @param {Page.ShownPost} post */
  async #quote(post) {
    if (!this.#composer) await session.ensure();
    try {
      /** @type {Pick<Api.Post, "text">} */
      const { text } = post.text === undefined ? await get(`/api/posts/${post.id}`) : { text: post.text };
      const user = await findUser(post.user);
      this.#composer?.replyTo(post);
      this.#composer?.add(quotation(text, user?.name ?? ""));
    } catch (problem) {
      showProblem(problem);
    }
    this.#composer?.focus();
  }

  /** Lock or pin the thread, or undo it.
   * @param {"lock" | "pin"} what
   * @param {boolean} wanted */
  async #set(what, wanted) {
    try {
      if (!(await session.run(() => ask(wanted ? "PUT" : "DELETE", `/api/threads/${this.#id}/${what}`)))) return;
      this.#thread = await get(`/api/threads/${this.#id}`);
      this.#draw();
    } catch (problem) {
      showProblem(problem);
    }
  }

  /** Lock the thread of another, with a reason. */
  async #lock() {
    const { giveReason } = await import("../moderation/reason.js");
    if (!(await giveReason(t("lock-thread"), t("lock"), `/api/threads/${this.#id}/lock`))) return;
    this.#thread = await get(`/api/threads/${this.#id}`);
    this.#draw();
  }

  /** Remove the thread of another, with a reason. */
  async #removeAsModerator() {
    const { giveReason } = await import("../moderation/reason.js");
    if (!(await giveReason(t("delete-thread"), t("delete"), `/api/threads/${this.#id}/removal`))) return;
    showMessage(t("thread-deleted"));
    navigate("/");
  }

  async #rename() {
    /** @type {Api.Thread} */
    const { title: current, version } = await get(`/api/threads/${this.#id}`);
    await dialog(t("rename"), (close) =>
      form({
        fields: [field("title", t("thread-title"), { value: current, maxlength: "200", required: true })],
        button: t("save"),
        send: async ({ title }) => {
          /** @type {Page.Answer<Api.Thread> | null} */
          const answer = await session.run(() =>
            ask("PATCH", `/api/threads/${this.#id}`, { body: { title, version } }),
          );
          if (!answer) return;
          this.#thread = answer.data;
          this.#draw();
          close(true);
        },
      }),
    );
  }

  #remove() {
    const remove = async () => {
      try {
        await session.run(() => ask("DELETE", `/api/threads/${this.#id}`, { keepalive: true }));
      } catch (problem) {
        showProblem(problem);
      }
    };
    offerUndo(t("thread-deleted"), remove, () => void navigate(`/threads/${this.#id}`));
    navigate("/");
  }
}
