// What the reader has read: for users the board stores the highest post of each thread, for others this device.
import { Problem } from "./problem.js";

const BATCH_SIZE = 100;
const MAX_THREADS = 1000;
/** Positions are sent together, this long after the first of them. */
const SEND_AFTER = 5_000;
const RETRY_AFTER = 30_000;
const GUEST = "read:guest";

/** @typedef {{count: number, first: number | null, readUpTo: number | null}} Unread
 * How many posts of a thread are new to the reader, the first of them if the board knows it, and up to which post
 * the reader has read; null if unknown.
 * @typedef {{since: string, threads: Record<string, [post: number, count: number | null]>}} Guest
 * `since` is the first visit; `threads` has the highest post read and how many posts there were up to it, by
 * thread id. */

/** Dispatches `change` when everything was marked as read. */
export class ReadPositions extends EventTarget {
  #storage;
  #session;
  #ask;
  #now;
  #later;
  /** @type {Promise<void>} */
  #sending = Promise.resolve();
  /** Whether a time for the next request has been set. */
  #scheduled = false;
  /** Up to which post the board knows that the user has read, by thread, so that nothing is sent twice.
   * @type {Map<number, number>} */
  #known = new Map();
  /** @type {Map<number, ((unread: Unread) => void)[]>} */
  #wanted = new Map();

  /** `later(action, ms)` runs an action once, after a while.
   * @param {{storage: Page.Storage, session: EventTarget & {user: {id: number} | null}, ask: Page.Ask,
   *   now?: () => Date, later?: (action: () => void, ms: number) => unknown}} parts */
  constructor({
    storage,
    session,
    ask,
    now = () => new Date(),
    later = (action, ms) => window.setTimeout(action, ms),
  }) {
    super();
    this.#storage = storage;
    this.#session = session;
    this.#ask = ask;
    this.#now = now;
    this.#later = later;
  }

  /** Merge what was read on this device into the account of whoever signs in, and begin for a new one. */
  start() {
    this.#guest();
    let known = this.#session.user?.id;
    this.#session.addEventListener("change", () => {
      const signedIn = this.#session.user !== null && this.#session.user.id !== known;
      known = this.#session.user?.id;
      this.#known.clear();
      if (signedIn) this.#merge();
    });
    if (Object.keys(this.#unsent()).length > 0) void this.flush();
  }

  /** What is new to the reader in a thread. Threads that are wanted at the same moment are requested together.
   * Without an answer nothing is new.
   * @param {Pick<Api.Thread, "id" | "postCount" | "lastPostAt">} thread
   * @returns {Promise<Unread>} */
  unread(thread) {
    if (this.#session.user === null) return Promise.resolve(this.#unreadOfGuest(thread));
    return new Promise((resolve) => {
      if (this.#wanted.size === 0) queueMicrotask(() => void this.#fetchWanted());
      const waiting = this.#wanted.get(thread.id) ?? [];
      this.#wanted.set(thread.id, [...waiting, resolve]);
    });
  }

  /** Up to which post the reader has read a thread, or null if that is unknown.
   * @param {number} thread */
  async readUpTo(thread) {
    if (this.#session.user === null) return this.#guest().threads[thread]?.[0] ?? null;
    const unsent = this.#unsent()[thread] ?? null;
    const [found] = await this.#fetch([thread]);
    if (found === undefined || found.readUpTo === null) return unsent;
    this.#known.set(thread, found.readUpTo);
    return Math.max(found.readUpTo, unsent ?? 0);
  }

  /** Record that the reader has read a thread up to a post. `count` is the number of posts up to it, if known.
   * @param {number} thread
   * @param {number} post
   * @param {number | null} count */
  record(thread, post, count) {
    if (this.#session.user === null) {
      this.#recordOfGuest(thread, post, count);
      return;
    }
    const unsent = this.#unsent();
    if (Math.max(unsent[thread] ?? 0, this.#known.get(thread) ?? 0) >= post) return;
    this.#storage.write(this.#name(), { ...unsent, [thread]: post });
    this.#schedule(SEND_AFTER);
  }

  /** Record that the reader has read everything. */
  async markAllRead() {
    if (this.#session.user === null) {
      this.#storage.write(GUEST, { since: this.#now().toISOString(), threads: {} });
    } else {
      await this.#sending;
      await this.#ask("PUT", "/api/posts/read-positions/all");
      this.#storage.write(this.#name(), null);
    }
    this.dispatchEvent(new Event("change"));
  }

  /** Send what was read and not sent yet. With `leaving`, the requests outlive the page.
   * @param {{leaving?: boolean}} [options] */
  flush({ leaving = false } = {}) {
    if (this.#session.user === null || Object.keys(this.#unsent()).length === 0) return this.#sending;
    if (leaving) return this.#send(true);
    this.#sending = this.#sending.then(() => this.#send(false));
    return this.#sending;
  }

  /** @param {boolean} keepalive */
  async #send(keepalive) {
    this.#scheduled = false;
    const name = this.#name();
    for (;;) {
      const batch = Object.entries(this.#unsent()).slice(0, BATCH_SIZE);
      if (batch.length === 0 || name !== this.#name()) return;
      const positions = batch.map(([thread, post]) => ({ thread: Number(thread), post }));
      try {
        await this.#ask("PUT", "/api/posts/read-positions", { body: { positions }, keepalive });
      } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        // What was refused would be refused again.
        if (problem.status === 422) this.#forget(name, batch);
        else this.#schedule(RETRY_AFTER);
        return;
      }
      for (const { thread, post } of positions) this.#known.set(thread, post);
      this.#forget(name, batch);
    }
  }

  /** @param {string} name
   * @param {[thread: string, post: number][]} batch */
  #forget(name, batch) {
    /** @type {Record<string, number>} */
    const left = this.#storage.read(name, {});
    for (const [thread, post] of batch) if (left[thread] === post) delete left[thread];
    this.#storage.write(name, Object.keys(left).length > 0 ? left : null);
  }

  /** @param {number} ms */
  #schedule(ms) {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#later(() => void this.flush(), ms);
  }

  #merge() {
    const { threads } = this.#guest();
    const unsent = this.#unsent();
    for (const [thread, [post]] of Object.entries(threads)) unsent[thread] = Math.max(unsent[thread] ?? 0, post);
    this.#storage.write(GUEST, null);
    const begins = Object.keys(unsent).length === 0;
    this.#storage.write(this.#name(), begins ? null : unsent);
    this.#sending = this.#sending.then(() => (begins ? this.#begin() : this.#send(false)));
  }

  /** From now on, posts in threads that the user never opened are new. */
  async #begin() {
    try {
      await this.#ask("PUT", "/api/posts/read-positions", { body: { positions: [] } });
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
    }
  }

  async #fetchWanted() {
    const requested = [...this.#wanted];
    this.#wanted = new Map();
    await this.flush();
    for (let start = 0; start < requested.length; start += BATCH_SIZE) {
      const batch = requested.slice(start, start + BATCH_SIZE);
      const answer = await this.#fetch(batch.map(([thread]) => thread));
      const byThread = new Map(answer.map((unread) => [unread.thread, unread]));
      for (const [thread, waiting] of batch) {
        for (const resolve of waiting) resolve(byThread.get(thread) ?? { count: 0, first: null, readUpTo: null });
      }
      if (answer.some(({ readUpTo }) => readUpTo === null)) await this.#begin();
    }
  }

  /** @param {number[]} threads
   * @returns {Promise<Api.Unread[]>} */
  async #fetch(threads) {
    try {
      const query = threads.map((thread) => `thread=${thread}`).join("&");
      /** @type {Page.Answer<Api.Unread[]>} */
      const { data } = await this.#ask("GET", `/api/posts/unread?${query}`);
      return data;
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      return [];
    }
  }

  /** Posts from before the first visit are not new.
   * @param {Pick<Api.Thread, "id" | "postCount" | "lastPostAt">} thread
   * @returns {Unread} */
  #unreadOfGuest({ id, postCount, lastPostAt }) {
    const { since, threads } = this.#guest();
    const known = threads[id];
    if (known === undefined) {
      return { count: lastPostAt && lastPostAt > since ? postCount : 0, first: null, readUpTo: null };
    }
    const [readUpTo, count] = known;
    return { count: count === null ? 0 : Math.max(0, postCount - count), first: null, readUpTo };
  }

  /** @param {number} thread
   * @param {number} post
   * @param {number | null} count */
  #recordOfGuest(thread, post, count) {
    const guest = this.#guest();
    const known = guest.threads[thread];
    if (known !== undefined && (known[0] > post || (known[0] === post && count === null))) return;
    guest.threads[thread] = [post, count ?? known?.[1] ?? null];
    const ids = Object.keys(guest.threads);
    // Objects list whole-number names in ascending order: the oldest threads are forgotten first.
    for (const id of ids.slice(0, Math.max(0, ids.length - MAX_THREADS))) delete guest.threads[id];
    this.#storage.write(GUEST, guest);
  }

  /** @returns {Guest} */
  #guest() {
    /** @type {Guest | null} */
    const stored = this.#storage.read(GUEST, null);
    if (stored) return stored;
    /** @type {Guest} */
    const fresh = { since: this.#now().toISOString(), threads: {} };
    this.#storage.write(GUEST, fresh);
    return fresh;
  }

  /** @returns {Record<string, number>} */
  #unsent() {
    return this.#storage.read(this.#name(), {});
  }

  #name() {
    return `unsent-read:${this.#session.user?.id ?? "guest"}`;
  }
}

/** Where a reader of a thread goes on: at its first new post, if there is one.
 * @param {number} thread
 * @param {Unread | null} unread */
export function placeToRead(thread, unread) {
  if (unread === null || unread.count === 0) return `/threads/${thread}`;
  const first = unread.first ?? (unread.readUpTo === null ? null : unread.readUpTo + 1);
  return first === null ? `/threads/${thread}` : `/threads/${thread}?from=${first}`;
}
