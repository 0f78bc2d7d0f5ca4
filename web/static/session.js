// The user who is signed in on this device. The token is in a cookie that scripts cannot read; the page stores
// only who the user is, so that it need not ask for visitors who are not signed in.
import { Problem } from "./problem.js";

/** Dispatches `change` when the user has signed in or out, or their profile has changed. */
export class Session extends EventTarget {
  #storage;
  #ask;
  #cacheUser;
  #askToSignIn;
  /** @type {Api.Me | null} */
  user = null;

  /** `askToSignIn(ended)` shows a dialog, in the middle of something, and resolves to whether the visitor
   * has signed in; `ended` says that their session has ended.
   * @param {{storage: Page.Storage, ask: Page.Ask, cacheUser: (user: Api.User) => void,
   *   askToSignIn: (ended: boolean) => Promise<boolean>}} parts */
  constructor({ storage, ask, cacheUser, askToSignIn }) {
    super();
    this.#storage = storage;
    this.#ask = ask;
    this.#cacheUser = cacheUser;
    this.#askToSignIn = askToSignIn;
  }

  /** Restore the user from the last visit, and follow changes in other tabs. */
  start() {
    this.user = this.#storage.read("user", null);
    if (this.user) this.#cacheUser(this.user);
    this.#storage.onChangeInOtherTab("user", () => {
      this.user = this.#storage.read("user", null);
      this.dispatchEvent(new Event("change"));
    });
  }

  get isModerator() {
    return this.user !== null && this.user.role !== "member";
  }

  get isAdmin() {
    return this.user?.role === "admin";
  }

  /** Ask the board whether the session is still valid. */
  async refresh() {
    if (this.user === null) return;
    try {
      /** @type {Page.Answer<Api.Me>} */
      const { data } = await this.#ask("GET", "/api/users/me");
      this.set(data);
    } catch (problem) {
      if (problem instanceof Problem && problem.status === 401) this.set(null);
    }
  }

  /** @param {string} username
   * @param {string} password */
  async signIn(username, password) {
    /** @type {Page.Answer<Api.StartedSession>} */
    const { data } = await this.#ask("POST", "/api/sessions", { body: { username, password } });
    this.set(data.user);
  }

  async signOut() {
    try {
      await this.#ask("DELETE", "/api/sessions/current");
    } catch (problem) {
      if (!(problem instanceof Problem) || problem.status !== 401) throw problem;
    }
    this.set(null);
  }

  /** Store who is signed in.
   * @param {Api.Me | null} user */
  set(user) {
    const before = JSON.stringify(this.user);
    this.user = user;
    if (user) this.#cacheUser(user);
    if (JSON.stringify(user) === before) return;
    this.#storage.write("user", user);
    this.dispatchEvent(new Event("change"));
  }

  /** Run an action that needs a session. If there is none, or it has ended, the visitor is asked to sign in,
   * and the action is run again. Resolves to null if they decline.
   * @template Result
   * @param {() => Promise<Result>} action
   * @returns {Promise<Result | null>} */
  async run(action) {
    if (this.user === null && !(await this.#askToSignIn(false))) return null;
    for (;;) {
      try {
        return await action();
      } catch (problem) {
        if (!(problem instanceof Problem) || problem.status !== 401) throw problem;
        if (!(await this.#askToSignIn(true))) {
          this.set(null);
          return null;
        }
      }
    }
  }

  /** Ask the visitor to sign in, if nobody is. Resolves to whether somebody is signed in then. */
  async ensure() {
    return (await this.run(async () => true)) !== null;
  }
}
