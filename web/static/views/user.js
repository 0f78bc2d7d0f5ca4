// A user: who they are, what they wrote, and what moderators can do.
import { time } from "../dates.js";
import { h } from "../dom.js";
import { ask, get, Problem, retryWhileDown } from "../http.js";
import { dialog, field, form } from "../forms.js";
import { describeProblem, showMessage, showProblem } from "../notices.js";
import { fromCursor, linkFrom, PagedList } from "../paged-list.js";
import { avatar, cacheUser } from "../users.js";
import { postElement } from "../post.js";
import { session, withSession } from "../session.js";
import { t } from "../text.js";
import { threadRow } from "./threads.js";

const RANKS = ["member", "moderator", "admin"];

export function show(visit, id) {
  visit.keep = true;
  const heading = h("h1", { dir: "auto" }, "\u2007".repeat(12));
  const about = h("div", { class: "about" });
  const tools = h("div", { class: "tools" });
  const started = visit.address.searchParams.get("show") === "threads";
  const pages = new PagedList(
    started
      ? { first: fromCursor(`/api/threads?createdBy=${id}&order=new&limit=30`, visit.address), row: threadRow, link: linkFrom(`/users/${id}?show=threads`), empty: t("no-threads"), more: t("more-threads"), signal: visit.signal }
      : { first: fromCursor(`/api/posts/by-user/${id}?limit=20`, visit.address), row: (post) => postElement(post), link: linkFrom(`/users/${id}`), empty: t("no-posts"), more: t("more-posts"), signal: visit.signal },
  );
  const tab = (key, href, current) => h("a", { href, "aria-current": current ? "page" : null }, t(key));
  const element = h(
    "div", { class: "page" },
    h("header", { class: "user-head" }, avatar(Number(id)), h("div", {}, heading, about, tools)),
    h("nav", { class: "orders", "aria-label": t("what-they-wrote") }, tab("their-posts", `/users/${id}`, !started), tab("their-threads", `/users/${id}?show=threads`, started)),
    pages.element,
  );
  load();
  pages.load();
  return element;

  async function load() {
    try {
      const user = await retryWhileDown(() => get(`/api/users/${id}`, { signal: visit.signal }), visit.signal);
      cacheUser(user);
      visit.title(user.name);
      heading.replaceChildren(user.name);
      about.replaceChildren(
        h("p", { class: "meta" }, h("bdi", {}, `@${user.username}`), " · ", user.role === "member" ? null : [t(`role-${user.role}`), " · "], t("here-since"), " ", time(user.createdAt)),
        user.bio ? h("p", { class: "bio", dir: "auto" }, user.bio) : "",
      );
      tools.replaceChildren(...userTools(user, load));
    } catch (problem) {
      if (visit.signal.aborted) return;
      if (!(problem instanceof Problem)) throw problem;
      if (problem.status === 404) return visit.notFound();
      heading.textContent = describeProblem(problem);
    }
  }
}

/** What the signed-in user can do with another: buttons. `changed` is called after each. */
export function userTools(user, changed) {
  const me = session.user;
  if (!me || me.id === user.id || RANKS.indexOf(me.role) <= 0 || user.username.startsWith("deleted-")) return [];
  const button = (label, act, danger) => h("button", { type: "button", class: danger ? "danger-text" : null, onclick: act }, label);
  const tools = [];
  if (RANKS.indexOf(user.role) < RANKS.indexOf(me.role)) {
    tools.push(button(t("ban"), () => ban(user), true), button(t("lift-ban"), () => act("DELETE", `/api/users/${user.id}/ban`, undefined, t("ban-lifted"))));
  }
  if (session.isAdmin) {
    for (const role of RANKS) {
      if (role !== user.role) tools.push(button(t(`make-${role}`), () => act("PUT", `/api/users/${user.id}/role`, { role }, t("role-changed"))));
    }
    tools.push(button(t("reset-password"), () => resetPassword(user)));
  }
  return tools;

  async function act(method, path, body, done) {
    try {
      if (!(await withSession(() => ask(method, path, { body })))) return;
      showMessage(done);
      changed();
    } catch (problem) {
      showProblem(problem);
    }
  }

  async function ban() {
    await dialog(t("ban-whom", { name: user.name }), (close) => form({
      fields: [
        field("reason", t("ban-reason"), { maxlength: "500", required: true }, t("ban-reason-hint")),
        field("until", t("ban-until"), { type: "datetime-local" }, t("ban-until-hint")),
      ],
      button: t("ban"), dangerous: true,
      send: async ({ reason, until }) => {
        const body = { reason, ...(until ? { until: new Date(until).toISOString() } : {}) };
        if (!(await withSession(() => ask("PUT", `/api/users/${user.id}/ban`, { body })))) return;
        close(true);
        showMessage(t("banned", { name: user.name }));
        changed();
      },
    }));
  }

  async function resetPassword() {
    try {
      const answer = await withSession(() => ask("POST", `/api/users/${user.id}/password-reset`, { headers: { "Idempotency-Key": crypto.randomUUID() } }));
      if (!answer) return;
      const link = new URL(answer.data.link.replace("/api/users/", "/"), location.origin).href;
      await dialog(t("reset-password"), () => h("div", {}, h("p", {}, t("reset-link-how")), h("p", { class: "secret" }, h("code", {}, link))));
    } catch (problem) {
      showProblem(problem);
    }
  }
}
