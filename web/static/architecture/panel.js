// For engineers and teachers: every request of this page, the process that answered it, the calls that this took,
// and a picture of the routes, drawn from nothing but the responses.
import { h } from "../dom.js";
import { requestLog } from "../request-log.js";
import { t } from "../text.js";
import { picture } from "./picture.js";
import { callsBetween, instanceOf, isFile, trafficOf } from "./traffic.js";

/** How many of the latest requests the picture and the shares show. */
const COUNTED = 100;
/** How many of them the table lists. */
const LISTED = 60;
/** A panel that is narrower than this many pixels shows the narrow picture. */
const NARROW = 620;
/** Milliseconds between two looks at the configured shares, and at the durations of open requests. */
const REFRESH = 2000;
const COLUMNS = ["request", "answered-by", "status", "took", "trace"];

/** The panel. `closed` is called after its button has closed it; `readShares` returns the configured shares,
 * or null if this deployment does not publish them.
 * @param {{closed: () => void, readShares: () => Promise<Page.Shares | null>}} parts */
export function architecturePanel({ closed, readShares }) {
  const drawing = h("div", { class: "picture" });
  const note = h("p", { class: "quiet-text" });
  const shares = h("tbody", {});
  const calls = h("div", {});
  const rows = h("tbody", {});
  const files = h("tbody", {});
  const filesSummary = h("summary", {});
  const body = h(
    "div",
    { class: "panel-body", id: "architecture-body", tabindex: "0", role: "group", "aria-label": t("architecture") },
    h("div", {}, drawing, note),
    h(
      "div",
      { class: "tables" },
      table("shares", ["context", "set", "seen"], shares),
      calls,
      table("requests-of-this-page", COLUMNS, rows),
      h("details", { class: "files" }, filesSummary, table("files-of-this-page", COLUMNS, files)),
    ),
  );
  const foldButton = h(
    "button",
    { type: "button", "aria-expanded": "true", "aria-controls": "architecture-body", onclick: fold },
    t("fold"),
  );
  const panel = h(
    "aside",
    { class: "architecture", "aria-label": t("architecture") },
    h(
      "div",
      { class: "panel-head" },
      h("h2", {}, t("architecture")),
      foldButton,
      h("button", { type: "button", onclick: () => requestLog.clear() }, t("clear")),
      h("button", { type: "button", class: "dismiss", "aria-label": t("close"), onclick: close }, "×"),
    ),
    body,
  );
  /** @type {Page.Shares | null} */
  let configured = null;
  let scheduled = false;

  function draw() {
    scheduled = false;
    const answered = requestLog.requests.filter((request) => request.status !== null);
    const latest = answered.slice(-COUNTED);
    drawing.replaceChildren(picture(latest, panel.clientWidth < NARROW));
    const api = latest.filter((request) => request.path.startsWith("/api") && request.status);
    const named = api.some((request) => request.servedBy);
    note.textContent = t(api.length > 0 && !named ? "instances-hidden" : "picture-hint", { count: COUNTED });
    shares.replaceChildren(...trafficOf(latest).map((traffic) => shareRow(traffic, configured)));
    calls.replaceChildren(callTable(callsBetween(latest)));
    const open = requestLog.requests.filter((request) => request.open);
    const ended = requestLog.requests.filter((request) => !request.open && !isFile(request)).slice(-LISTED);
    rows.replaceChildren(...[...open, ...ended.toReversed()].map(requestRow));
    const parts = requestLog.requests.filter(isFile);
    filesSummary.textContent = t("files-count", { count: parts.length });
    files.replaceChildren(...parts.toReversed().map(requestRow));
  }
  function schedule() {
    if (!scheduled) requestAnimationFrame(draw);
    scheduled = true;
  }
  async function refresh() {
    if (document.hidden) return;
    configured = await readShares();
    schedule();
  }
  function fold() {
    body.hidden = !body.hidden;
    foldButton.setAttribute("aria-expanded", String(!body.hidden));
    document.body.classList.toggle("with-panel", !body.hidden);
  }
  function remove() {
    clearInterval(timer);
    observer.disconnect();
    requestLog.removeEventListener("change", schedule);
    document.body.classList.remove("with-panel");
    panel.remove();
  }
  function close() {
    remove();
    closed();
  }

  requestLog.addEventListener("change", schedule);
  const observer = new ResizeObserver(schedule);
  observer.observe(panel);
  const timer = setInterval(refresh, REFRESH);
  document.body.classList.add("with-panel");
  draw();
  refresh();
  return { panel, remove };
}

/** @param {string} name
 * @param {string[]} columns
 * @param {HTMLElement} rows */
function table(name, columns, rows) {
  return h(
    "table",
    { class: name },
    h("caption", {}, t(name)),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        columns.map((key) => h("th", { scope: "col" }, t(key))),
      ),
    ),
    rows,
  );
}

/** @param {Page.ContextTraffic} traffic
 * @param {Page.Shares | null} configured */
function shareRow({ context, count, instances }, configured) {
  const share = configured?.[context === "page" ? "web" : context];
  const seen = instances.map(({ instance, count: its }) => [
    h("span", { class: "unbroken" }, `${instance} ${Math.round((100 * its) / count)} %`),
    " ",
  ]);
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, context),
    h("td", {}, share === undefined ? "—" : t("share-of-service", { share })),
    h(
      "td",
      {},
      count === 0 ? t("no-request-yet") : [seen, h("span", { class: "quiet-text" }, t("of-requests", { count }))],
    ),
  );
}

/** @param {Page.CallTraffic[]} calls */
function callTable(calls) {
  if (calls.length === 0) return h("p", { class: "quiet-text" }, t("no-calls"));
  return table(
    "calls",
    ["caller-and-callee", "operation", "times", "mean-and-longest"],
    h(
      "tbody",
      {},
      calls.map((call) =>
        h(
          "tr",
          {},
          h(
            "td",
            {},
            h("span", { class: "unbroken" }, call.caller),
            " → ",
            h("span", { class: "unbroken" }, call.callee),
          ),
          h("td", { class: "path" }, call.operation),
          h(
            "td",
            { class: call.failed > 0 ? "number bad" : "number" },
            call.failed > 0 ? t("times-failed", { count: call.count, failed: call.failed }) : call.count,
          ),
          h("td", { class: "number" }, `${milliseconds(call.meanMs)}, ${milliseconds(call.longestMs)}`),
        ),
      ),
    ),
  );
}

/** @param {Page.LoggedRequest} request */
function requestRow({ at, method, path, open, status, ms, servedBy, requestId, traceId, calls }) {
  const plain = path.replace(/^(\/assets\/.*)\.[0-9a-f]{12}\./, "$1.");
  const short = plain.replace(/\?.*/, (query) => (query.length > 24 ? `${query.slice(0, 23)}…` : query));
  return h(
    "tr",
    { title: new Date(at).toLocaleTimeString(), class: open ? "open" : null },
    h(
      "td",
      {},
      h("span", { class: "verb" }, method),
      " ",
      h("span", { class: "path", title: path }, short),
      calls.map((call) =>
        h(
          "span",
          { class: "call" },
          `→ ${instanceOf(call.callee)} ${call.operation} ${call.status || t("no-answer")}, ${milliseconds(call.ms)}`,
        ),
      ),
    ),
    h("td", { title: servedBy }, servedBy === "cache" ? t("from-cache") : servedBy ? instanceOf(servedBy) : "—"),
    h("td", { class: status !== null && (status >= 400 || status === 0) ? "bad" : null }, statusText(status, open)),
    h(
      "td",
      { class: "number" },
      open ? t("seconds-open", { count: secondsSince(at) }) : ms === null ? "—" : milliseconds(ms),
    ),
    h("td", { class: "trace", title: traceId }, requestId ?? "—"),
  );
}

/** @param {number | null} status
 * @param {boolean} open */
function statusText(status, open) {
  if (open) return status === null ? t("open") : t("status-open", { status: String(status) });
  if (status === null) return t("cancelled");
  return status === 0 ? t("no-answer") : String(status);
}

/** @param {number} at */
function secondsSince(at) {
  return Math.max(0, Math.round((Date.now() - at) / 1000));
}

/** @param {number} ms */
function milliseconds(ms) {
  return t("milliseconds", { count: ms < 10 ? Math.round(ms * 10) / 10 : Math.round(ms) });
}
