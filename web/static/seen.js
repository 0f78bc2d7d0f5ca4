// How many posts of each thread have been seen: stored on this device, separately for each of its users.

const MAX_THREADS = 1000;

/** @typedef {{since: string, threads: Record<string, number>}} Counts
 * `since` is the reader's first visit; `threads` has how many posts were seen, by thread id. */

export class SeenPosts {
  #storage;
  #session;
  #now;

  /** @param {{storage: Page.Storage, session: {user: {id: number} | null}, now?: () => Date}} parts */
  constructor({ storage, session, now = () => new Date() }) {
    this.#storage = storage;
    this.#session = session;
    this.#now = now;
  }

  /** How many posts of a thread are new to the reader. Those from before their first visit are not.
   * @param {Pick<Api.Thread, "id" | "postCount" | "lastPostAt">} thread */
  unreadCount(thread) {
    const { since, threads } = this.#counts();
    const seen = threads[thread.id];
    if (seen !== undefined) return Math.max(0, thread.postCount - seen);
    return thread.lastPostAt && thread.lastPostAt > since ? thread.postCount : 0;
  }

  /** How many posts of a thread were seen, or null if it was never opened.
   * @param {number} thread */
  seenCount(thread) {
    return this.#counts().threads[thread] ?? null;
  }

  /** Record that the first `posts` posts of a thread were seen.
   * @param {number} thread
   * @param {number} posts */
  markSeen(thread, posts) {
    const counts = this.#counts();
    if ((counts.threads[thread] ?? -1) >= posts) return;
    counts.threads[thread] = posts;
    const ids = Object.keys(counts.threads);
    // Objects list whole-number names in ascending order: the oldest threads are forgotten first.
    for (const id of ids.slice(0, Math.max(0, ids.length - MAX_THREADS))) delete counts.threads[id];
    this.#storage.write(this.#name(), counts);
  }

  #counts() {
    /** @type {Counts | null} */
    const stored = this.#storage.read(this.#name(), null);
    if (stored) return stored;
    /** @type {Counts} */
    const fresh = { since: this.#now().toISOString(), threads: {} };
    this.#storage.write(this.#name(), fresh);
    return fresh;
  }

  #name() {
    return `seen:${this.#session.user?.id ?? "guest"}`;
  }
}
