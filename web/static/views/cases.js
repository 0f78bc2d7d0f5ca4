// The moderators' queue: the cases by state, with how many there are.
import { stateLabel } from "../cases/words.js";
import { time } from "../dates.js";
import { h } from "../dom.js";
import { get, settled } from "../http.js";
import { describeProblem } from "../notices.js";
import { fromCursor, linkFrom, PagedList } from "../paged-list.js";
import { Problem } from "../problem.js";
import { page } from "../router.js";
import { session } from "../state.js";
import { t } from "../text.js";
import { userLink } from "../users.js";

/** @type {Api.CaseState[]} */
const STATES = ["working", "escalated", "assigned", "opened", "closed", "failed"];

/** @param {Page.Visit} visit */
export function show(visit) {
  visit.title(t("cases"));
  if (!session.isModerator) return page(t("cases"), h("p", {}, t("for-moderators")));
  const wanted = visit.address.searchParams.get("state");
  const state = STATES.find((one) => one === wanted) ?? "working";
  const tabs = h("nav", { class: "orders case-tabs", "aria-label": t("cases-by-state") });
  drawTabs(tabs, state, null);
  const counted = count(tabs, state, visit.signal);
  /** @type {PagedList<Api.Case>} */
  const pages = new PagedList({
    first: fromCursor(`/api/cases?state=${state}&limit=30`, visit.address),
    row: caseRow,
    people: (one) => [one.assignee],
    link: linkFrom(`/moderation/cases?state=${state}`),
    empty: t("no-cases"),
    more: t("more-cases"),
    ready: settled(counted),
    signal: visit.signal,
  });
  pages.load();
  return page(t("cases"), tabs, pages.element);
}

/** @param {HTMLElement} tabs
 * @param {Api.CaseState} current
 * @param {AbortSignal} signal */
async function count(tabs, current, signal) {
  try {
    /** @type {Api.Counts | null} */
    const counts = await session.run(() => get("/api/cases/counts", { signal }));
    if (counts) drawTabs(tabs, current, counts);
  } catch (problem) {
    if (signal.aborted) return;
    if (!(problem instanceof Problem)) throw problem;
    tabs.title = describeProblem(problem);
  }
}

/** @param {HTMLElement} tabs
 * @param {Api.CaseState} current
 * @param {Api.Counts | null} counts */
function drawTabs(tabs, current, counts) {
  tabs.replaceChildren(
    ...STATES.map((state) =>
      h(
        "a",
        { href: `/moderation/cases?state=${state}`, "aria-current": state === current ? "page" : null },
        t(`case-${state}`),
        counts && [" ", h("span", { class: "count" }, counts[state])],
      ),
    ),
  );
}

/** @param {Api.Case} found */
function caseRow(found) {
  return h(
    "article",
    { class: "case-row", "data-id": found.id },
    h(
      "h2",
      {},
      h("a", { href: `/cases/${found.id}` }, t("case-number", { number: String(found.id) })),
      " ",
      h("span", { class: "quiet-text" }, t(`reason-${found.reason}`)),
    ),
    h(
      "p",
      { class: "meta" },
      stateLabel(found.state),
      found.tier > 1 && [" · ", t("tier", { tier: found.tier })],
      " · ",
      time(found.createdAt),
      " · ",
      t("reports", { count: found.reporters.length }),
      found.assignee !== null && [" · ", t("assigned-to"), " ", userLink(found.assignee)],
    ),
    found.note && h("p", { class: "reported-note", dir: "auto" }, found.note),
  );
}
