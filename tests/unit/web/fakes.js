// What the page's modules depend on, in memory.
import { Problem } from "../../../web/static/problem.js";

/** What a device stores. `changeInOtherTab` stores something as another tab would.
 * @implements {Page.Storage} */
export class FakeStorage {
  /** @type {Map<string, string>} */
  values = new Map();
  /** @type {Map<string, () => void>} */
  #listeners = new Map();

  /** @template Stored
   * @param {string} name
   * @param {Stored} otherwise
   * @returns {Stored} */
  read(name, otherwise) {
    return JSON.parse(this.values.get(name) ?? "null") ?? otherwise;
  }

  /** @param {string} name
   * @param {unknown} value */
  write(name, value) {
    if (value === null) this.values.delete(name);
    else this.values.set(name, JSON.stringify(value));
    return true;
  }

  /** @param {string} name
   * @param {() => void} changed */
  onChangeInOtherTab(name, changed) {
    this.#listeners.set(name, changed);
  }

  /** @param {string} name
   * @param {unknown} value */
  changeInOtherTab(name, value) {
    this.write(name, value);
    this.#listeners.get(name)?.();
  }
}

/** @typedef {{method: string, path: string, options: Page.RequestOptions}} FakeRequest */

/** A board that answers as it was told, request by request, and then successfully with `{}`. */
export class FakeBoard {
  /** @type {FakeRequest[]} */
  requests = [];
  /** @type {(() => unknown)[]} */
  #answers = [];

  /** Answer the next request with this data.
   * @param {unknown} data */
  answer(data) {
    this.#answers.push(() => data);
    return this;
  }

  /** Answer the next request with a problem.
   * @param {number} status
   * @param {{retryAfter?: number}} [more] */
  fail(status, more = {}) {
    this.#answers.push(() => {
      throw new Problem({ status, slug: `status-${status}`, ...more });
    });
    return this;
  }

  /** Run a function when the next request arrives; its result is the answer.
   * @param {() => unknown} act */
  run(act) {
    this.#answers.push(act);
    return this;
  }

  /** @type {Page.Ask} */
  ask = async (method, path, options = {}) => {
    this.requests.push({ method, path, options });
    const answer = this.#answers.shift() ?? (() => ({}));
    // The caller names the type of the data, as it does for the real one.
    const data = /** @type {never} */ (await answer());
    return { status: 200, headers: new Headers(), data };
  };
}

/** @param {number} id
 * @returns {Api.Me} */
export function user(id) {
  return {
    id,
    username: `user-${id}`,
    name: `User ${id}`,
    bio: "",
    role: "member",
    createdAt: "2026-01-01T00:00:00Z",
    email: null,
    ban: null,
  };
}

/** Let everything happen that only waits for promises. */
export async function settled() {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}
