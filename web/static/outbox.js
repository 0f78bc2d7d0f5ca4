// Posts that are on their way. They are kept on this device until the board has acknowledged them, and
// sent again under the same Idempotency-Key, so that none is lost and none is doubled.
import { ask, pause, Problem, retryDelay } from "./http.js";
import { session, withSession } from "./session.js";
import { read, write } from "./storage.js";

class Outbox extends EventTarget {
  #pendingPosts = [];
  #sending = false;

  /** The pending posts of the signed-in user for a thread: `{key, thread, text, replyTo, state, until, problem}`.
   * `state` is `sending`, `waiting` for its turn until a moment, `offline` while the board is away, or
   * `refused` with a problem. */
  of(thread) {
    return this.#pendingPosts.filter((pendingPost) => pendingPost.thread === thread && pendingPost.user === session.user?.id);
  }

  /** Take up what an earlier visit has left. */
  resume() {
    this.#pendingPosts = read("outbox", []).map((pendingPost) => ({ ...pendingPost, state: "sending" }));
    this.#changed();
    this.#sendAll();
  }

  post(thread, text, replyTo) {
    const key = crypto.randomUUID();
    this.#pendingPosts.push({ key, user: session.user?.id, thread, text, replyTo, state: "sending" });
    this.#save();
    this.#changed();
    this.#sendAll();
  }

  /** Take a pending post back; the caller has its text. */
  withdraw(pendingPost) {
    this.#pendingPosts = this.#pendingPosts.filter((other) => other.key !== pendingPost.key);
    this.#save();
    this.#changed();
  }

  async #sendAll() {
    if (this.#sending) return;
    this.#sending = true;
    try {
      for (let pendingPost; (pendingPost = this.#next()); ) await this.#sendOne(pendingPost);
    } finally {
      this.#sending = false;
    }
  }

  #next() {
    return this.#pendingPosts.find((pendingPost) => pendingPost.state !== "refused" && pendingPost.user === session.user?.id);
  }

  async #sendOne(pendingPost) {
    const body = { thread: pendingPost.thread, text: pendingPost.text, replyTo: pendingPost.replyTo };
    const headers = { "Idempotency-Key": pendingPost.key };
    for (let attempt = 0; this.#pendingPosts.includes(pendingPost); attempt++) {
      try {
        this.#update(pendingPost, { state: "sending" });
        const answer = await withSession(() => ask("POST", "/api/posts", { body, headers }));
        if (answer === null) return this.#update(pendingPost, { state: "refused", problem: new Problem({ status: 401, slug: "unauthenticated" }) });
        this.#pendingPosts = this.#pendingPosts.filter((other) => other !== pendingPost);
        this.#save();
        this.dispatchEvent(new CustomEvent("sent", { detail: { pendingPost, post: answer.data } }));
        return this.#changed();
      } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        // While another attempt with this key is still being carried out, the answer is 409 too.
        const again = problem.isOutage || problem.status === 429 || (problem.status === 409 && attempt > 0 && attempt < 4);
        if (!again) return this.#update(pendingPost, { state: "refused", problem });
        const wait = retryDelay(problem, attempt);
        const state = problem.status === 429 ? "waiting" : "offline";
        this.#update(pendingPost, { state, until: Date.now() + wait * 1000 });
        await pause(wait);
      }
    }
  }

  #update(pendingPost, state) {
    Object.assign(pendingPost, state);
    this.#changed();
  }

  #save() {
    write("outbox", this.#pendingPosts.map(({ key, user, thread, text, replyTo }) => ({ key, user, thread, text, replyTo })));
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

export const outbox = new Outbox();

session.addEventListener("change", () => outbox.resume());
