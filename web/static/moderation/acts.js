// What moderators did, as rows of the moderation log and of a user's notices.
import { CONTEXTS } from "../contexts.js";
import { time } from "../dates.js";
import { h } from "../dom.js";
import { getPage, retryWhileDown } from "../http.js";
import { MergedLists } from "./merged-lists.js";
import { describeProblem, loading } from "../notices.js";
import { Problem } from "../problem.js";
import { t } from "../text.js";
import { known, userLink } from "../users.js";

const AT_ONCE = 30;

/** The acts of all contexts, newest first. `what` is the last part of their API paths.
 * @param {"moderation-log" | "notices"} what
 * @param {AbortSignal} signal */
export function actList(what, signal) {
  const paths = Object.fromEntries(CONTEXTS.map((context) => [context, `/api/${context}/${what}?limit=${AT_ONCE}`]));
  /** @type {MergedLists<Api.Act | Api.Notice>} */
  const lists = new MergedLists(paths, (path) => retryWhileDown(() => getPage(path, { signal }), signal));
  const list = h("ol", { class: "acts" });
  const note = h("p", { class: "list-note", role: "status" }, loading());
  const more = h("button", { type: "button", class: "more", hidden: true, onclick: load }, t("more"));
  load();
  return h("div", {}, list, note, more);

  async function load() {
    try {
      const acts = await lists.next(AT_ONCE);
      await known(acts.flatMap((act) => ("moderator" in act ? [act.moderator, act.user] : [])));
      list.append(...acts.map(actRow));
      note.textContent = list.childElementCount === 0 ? t(what === "notices" ? "no-notices" : "no-moderation-log") : "";
      more.hidden = lists.complete;
    } catch (problem) {
      if (signal.aborted) return;
      if (!(problem instanceof Problem)) throw problem;
      note.textContent = describeProblem(problem);
    }
  }
}

/** @param {(Api.Act | Api.Notice) & {source: string}} act */
function actRow(act) {
  const byWhom = "moderator" in act;
  return h(
    "li",
    {},
    h(
      "p",
      {},
      byWhom ? [userLink(act.moderator), " "] : null,
      byWhom ? t(`act-${act.act}`) : t(`notice-${act.act}`),
      byWhom ? [" ", userLink(act.user)] : null,
      act.thread === null ? null : [" · ", target(act, act.thread)],
    ),
    act.reason && h("p", { class: "reason", dir: "auto" }, act.reason),
    h("p", { class: "meta" }, time(act.at)),
  );
}

/** A link to the post, the thread or the case. The author of a reported post does not see the case.
 * @param {(Api.Act | Api.Notice) & {source: string}} act
 * @param {number} thread */
function target(act, thread) {
  const isCase = act.source === "cases" && "moderator" in act;
  const isPost = act.source === "posts";
  const words = isCase || act.source !== "cases" ? act.about : null;
  const href = isCase ? `/cases/${act.target}` : `/threads/${thread}${isPost ? `#post-${act.target}` : ""}`;
  return h("a", { href, class: "about-act", dir: "auto" }, words ?? t(isPost ? "post" : "thread"));
}
