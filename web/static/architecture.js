// For engineers and teachers: every request that this page made, who answered it, and a picture of the
// way there, drawn from nothing but those answers.
import { h, svg } from "./dom.js";
import { onRequest, requests } from "./request-log.js";
import { t } from "./text.js";

const LATEST = 60;
const ROWS = 100;
const CONTEXTS = ["page", "users", "threads", "posts"];
const WIDTH = 640;
const X = { gateway: 20, context: 200, instance: 400 };
const BOX = 30;
const STEP = 50;

/** The panel. `close()` takes it away. */
export function architecturePanel(close) {
  const picture = h("div", { class: "picture" });
  const rows = h("tbody", {});
  const note = h("p", { class: "quiet-text" });
  const table = h(
    "div", { class: "requests", tabindex: "0", role: "group", "aria-label": t("requests-of-this-page") },
    h("table", {},
      h("thead", {}, h("tr", {}, ["request", "answered-by", "status", "took", "trace"].map((key) => h("th", { scope: "col" }, t(key))))),
      rows,
    ),
  );
  const panel = h(
    "aside", { class: "architecture", "aria-label": t("architecture") },
    h("div", { class: "panel-head" }, h("h2", {}, t("architecture")), h("button", { type: "button", class: "dismiss", "aria-label": t("close"), onclick: stop }, "×")),
    h("div", { class: "panel-body" }, h("div", {}, picture, note), table),
  );
  let waiting = false;
  const draw = () => {
    waiting = false;
    picture.replaceChildren(diagram(requests.slice(-LATEST)));
    const answered = requests.filter((request) => request.path.startsWith("/api") && request.status > 0);
    const named = answered.some((request) => request.servedBy);
    note.textContent = t(answered.length > 0 && !named ? "instances-hidden" : "picture-hint", { count: LATEST });
    rows.replaceChildren(...requests.slice(-ROWS).reverse().map(row));
  };
  const forget = onRequest(() => {
    if (!waiting) requestAnimationFrame(draw);
    waiting = true;
  });
  function stop() {
    forget();
    panel.remove();
    close();
  }
  draw();
  return { panel, stop };
}

function row({ at, method, path, status, ms, servedBy, requestId, traceId }) {
  const plain = path.replace(/^(\/assets\/.*)\.[0-9a-f]{12}\./, "$1.");
  const short = plain.replace(/\?.*/, (query) => (query.length > 24 ? `${query.slice(0, 23)}…` : query));
  return h(
    "tr", { title: new Date(at).toLocaleTimeString() },
    h("td", {}, h("span", { class: "verb" }, method), " ", h("span", { class: "path", title: path }, short)),
    h("td", {}, servedBy === "cache" ? t("from-cache") : (servedBy ?? "—")),
    h("td", { class: status >= 400 || status === 0 ? "bad" : null }, status || t("no-answer")),
    h("td", { class: "number" }, t("milliseconds", { count: Math.round(ms) })),
    h("td", { class: "trace", title: traceId }, requestId ?? "—"),
  );
}

function diagram(latest) {
  const answered = latest.filter((request) => request.servedBy && request.servedBy !== "cache");
  const edges = new Map();
  for (const request of answered) {
    const context = contextOf(request.path);
    const instance = request.servedBy.split("/")[1];
    const key = `${context} ${instance}`;
    edges.set(key, { context, instance, count: (edges.get(key)?.count ?? 0) + 1, failed: (edges.get(key)?.failed ?? 0) + (request.status >= 500) });
  }
  // In the order of what they were asked for, so that lines do not cross without need.
  const order = ({ context, instance }) => `${CONTEXTS.indexOf(context)} ${instance}`;
  const instances = [...new Set([...edges.values()].sort((a, b) => order(a).localeCompare(order(b))).map((edge) => edge.instance))];
  const rows = Math.max(CONTEXTS.length, instances.length);
  const height = rows * STEP + 12;
  const y = (index, of) => 4 + ((rows - of) * STEP) / 2 + index * STEP + BOX / 2 + 7;
  const last = answered.at(-1);
  const lit = last ? `${contextOf(last.path)} ${last.servedBy.split("/")[1]}` : "";
  const total = (context) => [...edges.values()].filter((edge) => edge.context === context).reduce((sum, edge) => sum + edge.count, 0);
  const lines = [];
  CONTEXTS.forEach((context, index) => {
    const count = total(context);
    lines.push(line(X.gateway + 110, y(0, 1), X.context, y(index, CONTEXTS.length), count / Math.max(1, answered.length), count === 0));
  });
  const shares = new Map();
  for (const [key, { context, instance, count }] of edges) {
    const share = count / total(context);
    const from = y(CONTEXTS.indexOf(context), CONTEXTS.length);
    const to = y(instances.indexOf(instance), instances.length);
    lines.push(line(X.context + 110, from, X.instance, to, share, false, key === lit));
    if (share < 1) shares.set(instance, [...(shares.get(instance) ?? []), `${context} ${Math.round(share * 100)} %`]);
  }
  return svg(
    "svg", { viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": t("picture-label", { instances: instances.join(", ") || "—" }) },
    ...lines,
    box(X.gateway, y(0, 1), 110, t("gateway"), "gateway"),
    ...CONTEXTS.map((context, index) => box(X.context, y(index, CONTEXTS.length), 110, t(`context-${context}`), total(context) ? "" : "idle")),
    ...instances.map((instance, index) => box(X.instance, y(index, instances.length), 140, instance, "instance")),
    ...[...shares].flatMap(([instance, parts]) => parts.sort().map((part, index) =>
      svg("text", { class: "share", x: X.instance + 150, y: y(instances.indexOf(instance), instances.length) + 5 + (index - (parts.length - 1) / 2) * 15 }, part))),
  );
}

function line(x1, y1, x2, y2, share, idle, lit = false) {
  const middle = (x1 + x2) / 2;
  return svg("path", { class: `edge${idle ? " idle" : ""}${lit ? " lit" : ""}`, d: `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`, "stroke-width": idle ? 1 : 1 + 7 * share });
}

function box(x, y, width, label, kind) {
  return svg("g", { class: `box ${kind}` }, svg("rect", { x, y: y - BOX / 2, width, height: BOX, rx: 6 }), svg("text", { x: x + width / 2, y: y + 5, "text-anchor": "middle" }, label));
}

function contextOf(path) {
  const [, context] = /^\/api\/(users|sessions|threads|posts)\b/.exec(path) ?? [];
  return context === "sessions" ? "users" : (context ?? "page");
}
