// What moderators see in the place of a removed post.
import { time } from "../dates.js";
import { actionButton, h } from "../dom.js";
import { ask } from "../http.js";
import { showProblem } from "../notices.js";
import { prose } from "../post.js";
import { session } from "../state.js";
import { t } from "../text.js";
import { avatar, userLink } from "../users.js";

/** The element of a removed post.
 * @param {Api.RemovedPost} post
 * @param {(id: number) => void} restored is called after the post was restored */
export function tombstone(post, restored) {
  const byAuthor = post.removedBy === post.user;
  const who = post.removedBy === null || byAuthor ? null : userLink(post.removedBy);
  const restore = async () => {
    try {
      if (await session.run(() => ask("DELETE", `/api/posts/${post.id}/removal`))) restored(post.id);
    } catch (problem) {
      showProblem(problem);
    }
  };
  return h(
    "article",
    { class: "post removed-post", id: `post-${post.id}`, "data-id": post.id, "aria-label": t("removed-post") },
    avatar(post.user),
    h("header", {}, userLink(post.user), h("span", { class: "when" }, time(post.createdAt))),
    h(
      "p",
      { class: "removal" },
      who ? [t("removed-by"), " ", who] : t(byAuthor ? "removed-by-author" : "removed"),
      " · ",
      time(post.removedAt),
    ),
    post.reason && h("p", { class: "reason", dir: "auto" }, post.reason),
    h("details", {}, h("summary", {}, t("show-removed-post")), prose(post.html)),
    who && h("footer", { class: "actions" }, actionButton(t("restore"), restore)),
  );
}
