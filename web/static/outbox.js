// Posts that are on their way. They are kept on this device until the board has acknowledged them, and
// sent again under the same Idempotency-Key, so that none is lost and none is doubled.
import { ask, pause, Problem, waitAfter } from "./http.js";
import { session, signedIn } from "./session.js";
import { read, write } from "./storage.js";

class Outbox extends EventTarget {
  #letters = [];
  #sending = false;

  /** The letters of the signed-in user for a thread: `{key, thread, text, replyTo, state, until, problem}`.
   * `state` is `sending`, `waiting` for its turn until a moment, `offline` while the board is away, or
   * `refused` with a problem. */
  of(thread) {
    return this.#letters.filter((letter) => letter.thread === thread && letter.user === session.user?.id);
  }

  /** Take up what an earlier visit has left. */
  resume() {
    this.#letters = read("outbox", []).map((letter) => ({ ...letter, state: "sending" }));
    this.#changed();
    this.#send();
  }

  post(thread, text, replyTo) {
    const key = crypto.randomUUID();
    this.#letters.push({ key, user: session.user?.id, thread, text, replyTo, state: "sending" });
    this.#keep();
    this.#changed();
    this.#send();
  }

  /** Take a letter back; what it said is the caller's now. */
  withdraw(letter) {
    this.#letters = this.#letters.filter((other) => other.key !== letter.key);
    this.#keep();
    this.#changed();
  }

  async #send() {
    if (this.#sending) return;
    this.#sending = true;
    try {
      for (let letter; (letter = this.#next()); ) await this.#deliver(letter);
    } finally {
      this.#sending = false;
    }
  }

  #next() {
    return this.#letters.find((letter) => letter.state !== "refused" && letter.user === session.user?.id);
  }

  async #deliver(letter) {
    const body = { thread: letter.thread, text: letter.text, replyTo: letter.replyTo };
    const headers = { "Idempotency-Key": letter.key };
    for (let attempt = 0; this.#letters.includes(letter); attempt++) {
      try {
        this.#mark(letter, { state: "sending" });
        const answer = await signedIn(() => ask("POST", "/api/posts", { body, headers }));
        if (answer === null) return this.#mark(letter, { state: "refused", problem: new Problem({ status: 401, slug: "unauthenticated" }) });
        this.#letters = this.#letters.filter((other) => other !== letter);
        this.#keep();
        this.dispatchEvent(new CustomEvent("sent", { detail: { letter, post: answer.data } }));
        return this.#changed();
      } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        // While another attempt with this key is still being carried out, the answer is 409 too.
        const again = problem.isOutage || problem.status === 429 || (problem.status === 409 && attempt > 0 && attempt < 4);
        if (!again) return this.#mark(letter, { state: "refused", problem });
        const wait = waitAfter(problem, attempt);
        const state = problem.status === 429 ? "waiting" : "offline";
        this.#mark(letter, { state, until: Date.now() + wait * 1000 });
        await pause(wait);
      }
    }
  }

  #mark(letter, state) {
    Object.assign(letter, state);
    this.#changed();
  }

  #keep() {
    write("outbox", this.#letters.map(({ key, user, thread, text, replyTo }) => ({ key, user, thread, text, replyTo })));
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

export const outbox = new Outbox();

session.addEventListener("change", () => outbox.resume());
