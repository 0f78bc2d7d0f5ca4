// Posts on their way to the board. The device stores them until the board has acknowledged them, and each
// is sent again under the same Idempotency-Key, so that none is lost and none is posted twice.
import { Problem, retryDelay } from "./problem.js";

/** How often a post is sent again while the board still processes an earlier attempt. */
const CONFLICT_RETRIES = 4;

/** Dispatches `change` when a pending post has changed, and `sent` with `{pendingPost, post}` as detail when
 * the board has acknowledged one. */
export class Outbox extends EventTarget {
  #session;
  #storage;
  #ask;
  #pause;
  /** @type {Page.PendingPost[]} */
  #pendingPosts = [];
  #sending = false;

  /** @param {{session: import("./session.js").Session, storage: Page.Storage, ask: Page.Ask,
   *   pause: Page.Pause}} parts */
  constructor({ session, storage, ask, pause }) {
    super();
    this.#session = session;
    this.#storage = storage;
    this.#ask = ask;
    this.#pause = pause;
    session.addEventListener("change", () => this.resume());
  }

  /** The pending posts of the signed-in user in a thread.
   * @param {number} thread */
  of(thread) {
    return this.#pendingPosts.filter((pendingPost) => pendingPost.thread === thread && this.#isOwn(pendingPost));
  }

  /** Send the posts that an earlier visit could not send. */
  resume() {
    /** @type {Page.PendingPost[]} */
    const stored = this.#storage.read("outbox", []);
    this.#pendingPosts = stored.map((pendingPost) => ({ ...pendingPost, state: "sending" }));
    this.#changed();
    this.#sendAll();
  }

  /** Send a post of the signed-in user.
   * @param {number} thread
   * @param {string} text
   * @param {number | null} replyTo */
  post(thread, text, replyTo) {
    const { user } = this.#session;
    if (user === null) throw new Error("Nobody is signed in.");
    const key = crypto.randomUUID();
    this.#pendingPosts.push({ key, user: user.id, thread, text, replyTo, state: "sending" });
    this.#save();
    this.#changed();
    this.#sendAll();
  }

  /** Forget a pending post; the caller has its text.
   * @param {Page.PendingPost} pendingPost */
  withdraw(pendingPost) {
    this.#remove(pendingPost);
    this.#changed();
  }

  async #sendAll() {
    if (this.#sending) return;
    this.#sending = true;
    try {
      for (let next; (next = this.#next());) await this.#sendOne(next);
    } finally {
      this.#sending = false;
    }
  }

  #next() {
    return this.#pendingPosts.find((pendingPost) => pendingPost.state !== "refused" && this.#isOwn(pendingPost));
  }

  /** @param {Page.PendingPost} pendingPost */
  async #sendOne(pendingPost) {
    const { key, thread, text, replyTo } = pendingPost;
    const request = { body: { thread, text, replyTo }, headers: { "Idempotency-Key": key } };
    for (let attempt = 0; this.#pendingPosts.includes(pendingPost); attempt++) {
      try {
        this.#update(pendingPost, { state: "sending" });
        /** @type {Page.Answer<Api.Post> | null} */
        const answer = await this.#session.run(() => this.#ask("POST", "/api/posts", request));
        if (answer === null) {
          const problem = new Problem({ status: 401, slug: "unauthenticated" });
          return this.#update(pendingPost, { state: "refused", problem });
        }
        this.#remove(pendingPost);
        this.dispatchEvent(new CustomEvent("sent", { detail: { pendingPost, post: answer.data } }));
        return this.#changed();
      } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        // A 409 may also mean that the board still processes an earlier attempt with this key.
        const inProgress = problem.status === 409 && attempt > 0 && attempt < CONFLICT_RETRIES;
        const limited = problem.status === 429;
        if (!problem.isOutage && !limited && !inProgress) {
          return this.#update(pendingPost, { state: "refused", problem });
        }
        const wait = retryDelay(problem, attempt);
        this.#update(pendingPost, { state: limited ? "waiting" : "offline", until: Date.now() + wait * 1000 });
        await this.#pause(wait);
      }
    }
  }

  /** @param {Page.PendingPost} pendingPost */
  #isOwn(pendingPost) {
    return pendingPost.user === this.#session.user?.id;
  }

  /** @param {Page.PendingPost} pendingPost
   * @param {Partial<Page.PendingPost>} changes */
  #update(pendingPost, changes) {
    Object.assign(pendingPost, changes);
    this.#changed();
  }

  /** Find a post by its key: signing in again replaces the objects by those that the device stores.
   * @param {Page.PendingPost} pendingPost */
  #remove(pendingPost) {
    this.#pendingPosts = this.#pendingPosts.filter((other) => other.key !== pendingPost.key);
    this.#save();
  }

  #save() {
    const stored = this.#pendingPosts.map(({ key, user, thread, text, replyTo }) => ({
      key,
      user,
      thread,
      text,
      replyTo,
    }));
    this.#storage.write("outbox", stored);
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
