// The moderators' page: the newest posts of all threads, and a search for users by name.
import { h } from "../dom.js";
import { field, form } from "../forms.js";
import { get } from "../http.js";
import { fromCursor, linkFrom, PagedList } from "../paged-list.js";
import { postElement } from "../post.js";
import { Problem } from "../problem.js";
import { page } from "../router.js";
import { session } from "../state.js";
import { t } from "../text.js";
import { showTools } from "./user.js";
import { avatar, userLink } from "../users.js";

/** @param {Page.Visit} visit */
export function show(visit) {
  visit.title(t("moderation"));
  if (!session.isModerator) return page(t("moderation"), h("p", {}, t("for-moderators")));
  /** @type {PagedList<Api.Post>} */
  const pages = new PagedList({
    first: fromCursor("/api/posts?limit=30", visit.address),
    row: (post) => postElement(post, { removed: (id) => pages.remove(id) }),
    people: (post) => [post.user, post.editedBy],
    link: linkFrom("/moderation"),
    empty: t("no-posts"),
    more: t("more-posts"),
    signal: visit.signal,
  });
  pages.load();
  const found = h("div", { class: "found-user" });
  const find = form({
    fields: [field("username", t("username"), { autocapitalize: "none", spellcheck: "false", required: true })],
    button: t("find-user"),
    send: async ({ username }) => {
      /** @type {Api.User[]} */
      const [user] = await get(`/api/users?username=${encodeURIComponent(username)}`);
      if (!user) throw new Problem({ status: 404, slug: "not-found", detail: t("no-such-user") });
      draw(user);
    },
  });
  /** @param {Api.User} user */
  function draw(user) {
    const tools = h("div", { class: "tools" });
    const ban = h("p", { class: "ban", hidden: true });
    found.replaceChildren(
      avatar(user.id),
      userLink(user.id),
      user.role === "member" ? h("span", { class: "meta" }, t("role-member")) : "",
      tools,
      ban,
    );
    void showTools(user, tools, ban);
  }
  return page(
    t("moderation"),
    h("p", {}, h("a", { href: "/moderation/log" }, t("moderation-log"))),
    h("section", { class: "settings-part" }, h("h2", {}, t("a-user")), find, found),
    h("section", {}, h("h2", { class: "section" }, t("newest-posts")), pages.element),
  );
}
