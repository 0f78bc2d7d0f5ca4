// For engineers and teachers: every request of this page, the process that answered it, and a picture of the
// routes, drawn from nothing but those answers.
import { h, svg } from "./dom.js";
import { onRequest, requests } from "./request-log.js";
import { t } from "./text.js";

/** How many of the latest requests the picture shows. */
const DRAWN = 60;
/** How many of them the table shows. */
const LISTED = 100;
const CONTEXTS = ["page", "users", "threads", "posts"];
const COLUMNS = ["request", "answered-by", "status", "took", "trace"];
const WIDTH = 640;
const X = { gateway: 20, context: 200, instance: 400 };
const BOX_WIDTH = 110;
const BOX_HEIGHT = 30;
const STEP = 50;

/** @typedef {{context: string, instance: string, count: number}} Edge
 * How many requests to a context an instance answered. */

/** The panel. `closed` is called when it has been closed, by its button or by `close`.
 * @param {() => void} closed */
export function architecturePanel(closed) {
  const picture = h("div", { class: "picture" });
  const rows = h("tbody", {});
  const note = h("p", { class: "quiet-text" });
  const table = h(
    "div",
    { class: "requests", tabindex: "0", role: "group", "aria-label": t("requests-of-this-page") },
    h(
      "table",
      {},
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          COLUMNS.map((key) => h("th", { scope: "col" }, t(key))),
        ),
      ),
      rows,
    ),
  );
  const panel = h(
    "aside",
    { class: "architecture", "aria-label": t("architecture") },
    h(
      "div",
      { class: "panel-head" },
      h("h2", {}, t("architecture")),
      h("button", { type: "button", class: "dismiss", "aria-label": t("close"), onclick: close }, "×"),
    ),
    h("div", { class: "panel-body" }, h("div", {}, picture, note), table),
  );
  let scheduled = false;
  const draw = () => {
    scheduled = false;
    picture.replaceChildren(diagram(requests.slice(-DRAWN)));
    const answered = requests.filter((request) => request.path.startsWith("/api") && request.status > 0);
    const named = answered.some((request) => request.servedBy);
    note.textContent = t(answered.length > 0 && !named ? "instances-hidden" : "picture-hint", { count: DRAWN });
    rows.replaceChildren(...requests.slice(-LISTED).toReversed().map(row));
  };
  const stopListening = onRequest(() => {
    if (!scheduled) requestAnimationFrame(draw);
    scheduled = true;
  });
  function close() {
    stopListening();
    panel.remove();
    closed();
  }
  draw();
  return { panel, close };
}

/** @param {Page.LoggedRequest} request */
function row({ at, method, path, status, ms, servedBy, requestId, traceId }) {
  const plain = path.replace(/^(\/assets\/.*)\.[0-9a-f]{12}\./, "$1.");
  const short = plain.replace(/\?.*/, (query) => (query.length > 24 ? `${query.slice(0, 23)}…` : query));
  return h(
    "tr",
    { title: new Date(at).toLocaleTimeString() },
    h("td", {}, h("span", { class: "verb" }, method), " ", h("span", { class: "path", title: path }, short)),
    h("td", {}, servedBy === "cache" ? t("from-cache") : (servedBy ?? "—")),
    h("td", { class: status >= 400 || status === 0 ? "bad" : null }, status || t("no-answer")),
    h("td", { class: "number" }, t("milliseconds", { count: Math.round(ms) })),
    h("td", { class: "trace", title: traceId }, requestId ?? "—"),
  );
}

/** The context of a request, and the instance that answered it; null if it is not known.
 * @param {Page.LoggedRequest} request
 * @returns {{context: string, instance: string} | null} */
function routeOf({ path, servedBy }) {
  if (!servedBy || servedBy === "cache") return null;
  const name = /^\/api\/(users|sessions|threads|posts)\b/.exec(path)?.[1] ?? "page";
  return { context: name === "sessions" ? "users" : name, instance: servedBy.split("/")[1] ?? "" };
}

/** @param {Page.LoggedRequest[]} latest */
function diagram(latest) {
  const routes = latest.map(routeOf).filter((route) => route !== null);
  /** @type {Map<string, Edge>} */
  const edges = new Map();
  for (const { context, instance } of routes) {
    const key = `${context} ${instance}`;
    edges.set(key, { context, instance, count: (edges.get(key)?.count ?? 0) + 1 });
  }
  // In the order of their contexts, so that fewer lines cross.
  /** @param {Edge} edge */
  const order = ({ context, instance }) => `${CONTEXTS.indexOf(context)} ${instance}`;
  const instances = [
    ...new Set([...edges.values()].toSorted((a, b) => order(a).localeCompare(order(b))).map((edge) => edge.instance)),
  ];
  const rows = Math.max(CONTEXTS.length, instances.length);
  /** @param {number} index
   * @param {number} of */
  const y = (index, of) => 4 + ((rows - of) * STEP) / 2 + index * STEP + BOX_HEIGHT / 2 + 7;
  const last = routes.at(-1);
  const highlighted = last && `${last.context} ${last.instance}`;
  /** @param {string} context */
  const total = (context) => routes.filter((route) => route.context === context).length;
  const lines = CONTEXTS.map((context, index) => {
    const count = total(context);
    return line(
      X.gateway + BOX_WIDTH,
      y(0, 1),
      X.context,
      y(index, CONTEXTS.length),
      count / Math.max(1, routes.length),
      count === 0,
    );
  });
  /** @type {Map<string, string[]>} */
  const shares = new Map();
  for (const [key, { context, instance, count }] of edges) {
    const share = count / total(context);
    const from = y(CONTEXTS.indexOf(context), CONTEXTS.length);
    const to = y(instances.indexOf(instance), instances.length);
    lines.push(line(X.context + BOX_WIDTH, from, X.instance, to, share, false, key === highlighted));
    if (share < 1) shares.set(instance, [...(shares.get(instance) ?? []), `${context} ${Math.round(share * 100)} %`]);
  }
  return svg(
    "svg",
    {
      viewBox: `0 0 ${WIDTH} ${rows * STEP + 12}`,
      role: "img",
      "aria-label": t("picture-label", { instances: instances.join(", ") || "—" }),
    },
    ...lines,
    box(X.gateway, y(0, 1), BOX_WIDTH, t("gateway"), "gateway"),
    ...CONTEXTS.map((context, index) =>
      box(X.context, y(index, CONTEXTS.length), BOX_WIDTH, t(`context-${context}`), total(context) ? "" : "idle"),
    ),
    ...instances.map((instance, index) => box(X.instance, y(index, instances.length), 140, instance, "instance")),
    ...[...shares].flatMap(([instance, parts]) =>
      parts.toSorted().map((part, index) =>
        svg(
          "text",
          {
            class: "share",
            x: X.instance + 150,
            y: y(instances.indexOf(instance), instances.length) + 5 + (index - (parts.length - 1) / 2) * 15,
          },
          part,
        ),
      ),
    ),
  );
}

/** @param {number} x1
 * @param {number} y1
 * @param {number} x2
 * @param {number} y2
 * @param {number} share
 * @param {boolean} idle */
function line(x1, y1, x2, y2, share, idle, highlighted = false) {
  const middle = (x1 + x2) / 2;
  return svg("path", {
    class: `edge${idle ? " idle" : ""}${highlighted ? " lit" : ""}`,
    d: `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`,
    "stroke-width": idle ? 1 : 1 + 7 * share,
  });
}

/** @param {number} x
 * @param {number} y
 * @param {number} width
 * @param {string} label
 * @param {string} kind */
function box(x, y, width, label, kind) {
  return svg(
    "g",
    { class: `box ${kind}` },
    svg("rect", { x, y: y - BOX_HEIGHT / 2, width, height: BOX_HEIGHT, rx: 6 }),
    svg("text", { x: x + width / 2, y: y + 5, "text-anchor": "middle" }, label),
  );
}
