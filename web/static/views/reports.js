// What the visitor has reported, and what became of it.
import { decisionText, hasEnded, stateLabel } from "../cases/words.js";
import { time } from "../dates.js";
import { h } from "../dom.js";
import { fromCursor, linkFrom, PagedList } from "../paged-list.js";
import { page } from "../router.js";
import { session } from "../state.js";
import { t } from "../text.js";

/** @param {Page.Visit} visit */
export function show(visit) {
  visit.title(t("your-reports"));
  if (session.user === null)
    return page(t("your-reports"), h("p", {}, h("a", { href: "/signin?back=/reports" }, t("sign-in"))));
  // Moderators get all cases from the API, and have a page for them.
  if (session.isModerator)
    return page(t("your-reports"), h("p", {}, h("a", { href: "/moderation/cases" }, t("cases"))));
  /** @type {PagedList<Api.Report>} */
  const pages = new PagedList({
    first: fromCursor("/api/cases?limit=30", visit.address),
    row: reportRow,
    link: linkFrom("/reports"),
    empty: t("no-reports"),
    more: t("more"),
    signal: visit.signal,
  });
  pages.load();
  return page(t("your-reports"), h("p", { class: "quiet-text" }, t("your-reports-hint")), pages.element);
}

/** @param {Api.Report} report */
function reportRow(report) {
  return h(
    "article",
    { class: "case-row", "data-id": report.id },
    h(
      "p",
      { class: "meta" },
      stateLabel(report.state),
      " · ",
      time(report.createdAt),
      " · ",
      t("post-number", { number: String(report.post) }),
    ),
    h("p", {}, outcome(report), report.decision?.note && [": ", h("q", { dir: "auto" }, report.decision.note)]),
  );
}

/** @param {Api.Report} report */
function outcome(report) {
  if (report.decision) return decisionText(report.decision);
  return t(hasEnded(report) ? "report-ended" : "report-waits");
}
