// Who is signed in here. The token is in a cookie that no script can read; this only remembers whose
// it is, so that somebody who is not signed in costs no request.
import { ask, get, Problem } from "./http.js";
import { cacheUser } from "./users.js";
import { onChangeInOtherTab, read, write } from "./storage.js";

class Session extends EventTarget {
  user = read("user");

  constructor() {
    super();
    if (this.user) cacheUser(this.user);
  }

  get isModerator() {
    return this.user !== null && this.user.role !== "member";
  }

  get isAdmin() {
    return this.user?.role === "admin";
  }

  /** Ask the board whether the session still holds. */
  async refresh() {
    if (this.user === null) return;
    try {
      this.set(await get("/api/users/me"));
    } catch (problem) {
      if (problem instanceof Problem && problem.status === 401) this.set(null);
    }
  }

  async signIn(username, password) {
    const { data } = await ask("POST", "/api/sessions", { body: { username, password } });
    this.set(data.user);
  }

  async signOut() {
    try {
      await ask("DELETE", "/api/sessions/current");
    } catch (problem) {
      if (problem.status !== 401) throw problem;
    }
    this.set(null);
  }

  /** Know who is signed in: a user as `me` shows them, or null. */
  set(user) {
    const before = JSON.stringify(this.user);
    this.user = user;
    if (user) cacheUser(user);
    if (JSON.stringify(user) === before) return;
    write("user", user);
    this.dispatchEvent(new Event("change"));
  }
}

export const session = new Session();

onChangeInOtherTab("user", () => {
  session.user = read("user");
  session.dispatchEvent(new Event("change"));
});

let askToSignIn = null;

/** Who shows the dialog in which people sign in, in the middle of something: a function that
 * resolves to whether they did. Given once, when the page starts. */
export function setSignInDialog(dialog) {
  askToSignIn = dialog;
}

/** Do what needs a session. When it has ended, people are asked to sign in, and then it is done. Null when
 * they would rather not. */
export async function withSession(doIt) {
  if (session.user === null && !(await askToSignIn(false))) return null;
  for (;;) {
    try {
      return await doIt();
    } catch (problem) {
      if (!(problem instanceof Problem) || problem.status !== 401) throw problem;
      if (!(await askToSignIn(true))) {
        session.set(null);
        return null;
      }
    }
  }
}
