// A user: their profile, what they wrote, and the moderators' actions.
import { describeBan } from "../ban.js";
import { fullDate, time } from "../dates.js";
import { actionButton, h } from "../dom.js";
import { dialog, field, form } from "../forms.js";
import { ask, get, retryWhileDown, settled } from "../http.js";
import { describeProblem, showMessage, showProblem } from "../notices.js";
import { fromCursor, linkFrom, PagedList } from "../paged-list.js";
import { adoptPost, postElement } from "../post.js";
import { Problem } from "../problem.js";
import { readPost, readThread, servedList, servedUser } from "../served.js";
import { session } from "../state.js";
import { copy } from "../templates.js";
import { t } from "../text.js";
import { avatar, cacheUser, valuesOf } from "../users.js";
import { peopleOf, rowOf } from "./threads.js";

/** @type {Api.Role[]} */
const RANKS = ["member", "moderator", "admin"];
/** As many as the server's page has. */
const WRITTEN_ON_A_PAGE = 20;

/** @param {Page.Visit} visit
 * @param {string} id */
export function show(visit, id) {
  visit.keep = true;
  const served = servedUser(visit.served, Number(id));
  if (served) cacheUser(served);
  const heading = h("h1", { dir: "auto" }, "\u2007".repeat(12));
  const about = h("div", { class: "about" });
  const tools = h("div", { class: "tools" });
  const mine = session.user?.id === Number(id);
  const wanted = visit.address.searchParams.get("show");
  const shown = wanted === "threads" || (wanted === "notices" && mine) ? wanted : "posts";
  const content = h("div", { hidden: true });
  const banned = h("p", { class: "ban", hidden: true });
  const orders = h(
    "nav",
    { class: "orders", "aria-label": t("what-they-wrote"), hidden: true },
    tab("their-posts", `/users/${id}`, shown === "posts"),
    tab("their-threads", `/users/${id}?show=threads`, shown === "threads"),
    mine && tab("notices", `/users/${id}?show=notices`, shown === "notices"),
  );
  const element = h(
    "div",
    { class: "page" },
    h("header", { class: "user-head" }, avatar(Number(id)), h("div", {}, heading, about, banned, tools)),
    orders,
    content,
  );
  const loaded = load();
  visit.showWhen(Promise.all([loaded, fill(loaded)]));
  return element;

  /** @param {Promise<void>} profile */
  async function fill(profile) {
    const ready = settled(profile);
    ready.then(() => (orders.hidden = content.hidden = false));
    if (shown === "notices") {
      const { actList } = await import("../moderation/acts.js");
      content.replaceChildren(actList("notices", visit.signal));
      return;
    }
    const pages = shown === "threads" ? threadsOf(visit, id, ready) : postsOf(visit, id, ready);
    content.replaceChildren(pages.element);
    await pages.load();
  }

  async function load() {
    try {
      /** @type {Api.User} */
      const user =
        served ?? (await retryWhileDown(() => get(`/api/users/${id}`, { signal: visit.signal }), visit.signal));
      cacheUser(user);
      visit.title(user.name);
      heading.replaceChildren(user.name);
      about.replaceChildren(
        copy("about-user", { ...valuesOf(user), username: user.username, joined: time(user.createdAt), bio: user.bio }),
      );
      await showTools(user, tools, banned);
    } catch (problem) {
      if (visit.signal.aborted) return;
      if (!(problem instanceof Problem)) throw problem;
      if (problem.status === 404) return visit.notFound();
      heading.textContent = describeProblem(problem);
    }
  }
}

/** @param {string} key
 * @param {string} href
 * @param {boolean} current */
function tab(key, href, current) {
  return h("a", { href, "aria-current": current ? "page" : null }, t(key));
}

/** @param {Page.Visit} visit
 * @param {string} id
 * @param {Promise<unknown>} ready
 * @returns {PagedList<Page.ShownThread>} */
function threadsOf(visit, id, ready) {
  const first = fromCursor(`/api/threads?createdBy=${id}&order=new&limit=${WRITTEN_ON_A_PAGE}`, visit.address);
  const served = servedList(visit.served, first, readThread);
  return new PagedList({
    first,
    served,
    row: rowOf(served),
    people: peopleOf,
    link: linkFrom(`/users/${id}?show=threads`),
    empty: t("no-threads"),
    more: t("more-threads"),
    ready,
    signal: visit.signal,
  });
}

/** @param {Page.Visit} visit
 * @param {string} id
 * @param {Promise<unknown>} ready
 * @returns {PagedList<Page.ShownPost>} */
function postsOf(visit, id, ready) {
  const first = fromCursor(`/api/posts/by-user/${id}?limit=${WRITTEN_ON_A_PAGE}`, visit.address);
  const served = servedList(visit.served, first, readPost);
  return new PagedList({
    first,
    served,
    row: (post) => {
      const sent = served?.elements.get(post.id);
      served?.elements.delete(post.id);
      return sent ? adoptPost(post, sent) : postElement(/** @type {Api.Post} */ (post));
    },
    people: (post) => [post.user],
    link: linkFrom(`/users/${id}`),
    empty: t("no-posts"),
    more: t("more-posts"),
    ready,
    signal: visit.signal,
  });
}

/** Show moderators whether a user is banned, and the buttons for what they can do with the user.
 * @param {Api.User} user
 * @param {HTMLElement} tools shows the buttons
 * @param {HTMLElement} state shows the ban */
export async function showTools(user, tools, state) {
  const me = session.user;
  if (!me || me.id === user.id || !session.isModerator || user.username.startsWith("deleted-")) return;
  try {
    /** @type {{ban: Api.Ban | null} | null} */
    const found = await session.run(() => get(`/api/users/${user.id}/ban`));
    if (!found) return;
    state.hidden = found.ban === null;
    if (found.ban) state.replaceChildren(...describeBan(t("is-banned"), found.ban));
    const changed = async () => showTools(await get(`/api/users/${user.id}`), tools, state);
    tools.replaceChildren(...userTools(user, me, found.ban, () => void changed().catch(showProblem)));
  } catch (problem) {
    showProblem(problem);
  }
}

/** @param {Api.User} user
 * @param {Api.Me} me
 * @param {Api.Ban | null} banInForce
 * @param {() => void} changed is called after each act */
function userTools(user, me, banInForce, changed) {
  const tools = [];
  if (RANKS.indexOf(user.role) < RANKS.indexOf(me.role)) {
    tools.push(
      banInForce
        ? actionButton(t("lift-ban"), () => act("DELETE", `/api/users/${user.id}/ban`, undefined, t("ban-lifted")))
        : actionButton(t("ban"), ban, true),
    );
  }
  if (session.isAdmin) {
    for (const role of RANKS) {
      // A banned user gets no rights before the ban is lifted.
      if (role !== user.role && (!banInForce || role === "member"))
        tools.push(actionButton(t(`make-${role}`), () => (role === "admin" ? makeAdmin() : setRole(role))));
    }
    tools.push(actionButton(t("reset-password"), resetPassword));
  }
  return tools;

  /** @param {string} method
   * @param {string} path
   * @param {object | undefined} body
   * @param {string} done */
  async function act(method, path, body, done) {
    try {
      if (!(await session.run(() => ask(method, path, { body })))) return;
      showMessage(done);
      changed();
    } catch (problem) {
      showProblem(problem);
    }
  }

  /** @param {Api.Role} role */
  function setRole(role) {
    return act("PUT", `/api/users/${user.id}/role`, { role }, t("role-changed"));
  }

  async function makeAdmin() {
    const sure = await dialog(t("make-admin-of", { name: user.name }), (close) =>
      h(
        "div",
        {},
        h("p", {}, t("make-admin-why")),
        h(
          "div",
          { class: "buttons" },
          h("button", { type: "button", class: "danger", onclick: () => close(true) }, t("make-admin")),
        ),
      ),
    );
    if (sure) await setRole("admin");
  }

  async function ban() {
    await dialog(t("ban-whom", { name: user.name }), (close) =>
      form({
        fields: [
          field("reason", t("ban-reason"), { maxlength: "500", required: true }, t("ban-reason-hint")),
          field("until", t("ban-until"), { type: "datetime-local" }, t("ban-until-hint")),
        ],
        button: t("ban"),
        dangerous: true,
        send: async ({ reason, until }) => {
          const body = { reason, ...(until ? { until: new Date(until).toISOString() } : {}) };
          if (!(await session.run(() => ask("PUT", `/api/users/${user.id}/ban`, { body })))) return;
          close(true);
          showMessage(t("banned", { name: user.name }));
          changed();
        },
      }),
    );
  }

  async function resetPassword() {
    try {
      /** @type {Page.Answer<Api.ResetLink> | null} */
      const answer = await session.run(() => ask("POST", `/api/users/${user.id}/password-reset`));
      if (!answer) return;
      const link = new URL(answer.data.link, location.origin).href;
      await dialog(t("reset-password"), () => resetLink(link, answer.data.expiresAt));
    } catch (problem) {
      showProblem(problem);
    }
  }
}

/** A link for a new password, with a button that copies it.
 * @param {string} link
 * @param {string} expiresAt */
function resetLink(link, expiresAt) {
  const toClipboard = async () => {
    try {
      await navigator.clipboard.writeText(link);
      copied.textContent = t("copied");
    } catch {
      copied.textContent = t("copy-failed");
    }
  };
  const copied = h("span", { role: "status" });
  return h(
    "div",
    {},
    h("p", {}, t("reset-link-how"), " ", t("reset-link-until", { time: fullDate(expiresAt) })),
    h("p", { class: "secret" }, h("code", {}, link)),
    h(
      "p",
      { class: "buttons" },
      h("button", { type: "button", class: "primary", onclick: toClipboard }, t("copy")),
      copied,
    ),
  );
}
