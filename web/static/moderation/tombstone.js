// What moderators see in the place of a removed post.
import { time } from "../dates.js";
import { ask } from "../http.js";
import { showProblem } from "../notices.js";
import { preparedHtml } from "../post.js";
import { session } from "../state.js";
import { copyButtons } from "../templates.js";
import { avatar, userLink } from "../users.js";

/** The element of a removed post.
 * @param {Api.RemovedPost} post
 * @param {(id: number) => void} restored is called after the post was restored */
export function tombstone(post, restored) {
  const { removedBy } = post;
  const byAuthor = removedBy === post.user;
  const byOther = removedBy !== null && !byAuthor;
  const restore = async () => {
    try {
      if (await session.run(() => ask("DELETE", `/api/posts/${post.id}/removal`))) restored(post.id);
    } catch (problem) {
      showProblem(problem);
    }
  };
  const made = copyButtons(
    "removed-post",
    { restore: byOther && restore },
    {
      id: post.id,
      avatar: avatar(post.user),
      author: userLink(post.user),
      time: time(post.createdAt),
      by: byOther && userLink(removedBy),
      byAuthor,
      unknown: removedBy === null,
      removed: time(post.removedAt),
      reason: post.reason,
      prose: preparedHtml(post.html),
    },
  );
  return /** @type {HTMLElement} */ (made.firstElementChild);
}
