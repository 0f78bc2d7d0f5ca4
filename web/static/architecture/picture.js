// A picture of the latest requests: the gateway, the contexts, the instances, and the calls between these.
import { svg } from "../dom.js";
import { t } from "../text.js";
import { callsBetween, routeOf, trafficOf } from "./traffic.js";

const BOX_HEIGHT = 30;
const STEP = 46;
const ABOVE = 22;

/** Where the boxes stand. In the narrow picture the gateway is an upright bar, so that at 375 pixels the text
 * keeps its size.
 * @typedef {{width: number, gateway: {x: number, width: number, upright: boolean}, context: {x: number, width: number},
 *   instance: {x: number, width: number}}} Layout */

/** @type {Layout} */
const WIDE = {
  width: 560,
  gateway: { x: 2, width: 100, upright: false },
  context: { x: 170, width: 100 },
  instance: { x: 350, width: 130 },
};
/** @type {Layout} */
const NARROW = {
  width: 340,
  gateway: { x: 1, width: 26, upright: true },
  context: { x: 62, width: 78 },
  instance: { x: 176, width: 104 },
};

/** @param {Page.LoggedRequest[]} requests
 * @param {boolean} narrow */
export function picture(requests, narrow) {
  const layout = narrow ? NARROW : WIDE;
  const traffic = trafficOf(requests);
  const calls = callsBetween(requests);
  const total = traffic.reduce((sum, { count }) => sum + count, 0);
  // In the order of their contexts, so that fewer lines cross.
  const instances = [
    ...new Set([
      ...traffic.flatMap((context) => context.instances.map(({ instance }) => instance)),
      ...calls.map(({ callee }) => callee),
    ]),
  ];
  const rows = Math.max(traffic.length, instances.length);
  /** @param {number} index
   * @param {number} of */
  const y = (index, of) => ABOVE + ((rows - of) * STEP) / 2 + index * STEP;
  /** @param {string} instance */
  const yOf = (instance) => y(instances.indexOf(instance), instances.length);
  const last = requests.map(routeOf).findLast((route) => route !== null);
  const height = rows * STEP + 4;

  const lines = traffic.flatMap(({ context, count, instances: answered }, index) => {
    const from = layout.gateway.x + layout.gateway.width;
    const here = y(index, traffic.length);
    const start = layout.gateway.upright ? here : y(0, 1);
    return [
      edge(from, start, layout.context.x, here, count / Math.max(1, total), count === 0 ? "idle" : ""),
      ...answered.map((instance) => {
        const lit = last?.context === context && last.instance === instance.instance;
        const x = layout.context.x + layout.context.width;
        return edge(x, here, layout.instance.x, yOf(instance.instance), instance.count / count, lit ? "lit" : "");
      }),
    ];
  });
  const pairs = new Map(calls.map((call) => [`${call.caller} ${call.callee}`, call]));
  const inner = [...pairs.values()]
    .filter(({ caller }) => instances.includes(caller))
    .map(({ caller, callee }, index) =>
      arc(layout.instance.x + layout.instance.width, yOf(caller), yOf(callee), 20 + 14 * (index % 3)),
    );
  return svg(
    "svg",
    {
      viewBox: `0 0 ${layout.width} ${height}`,
      role: "img",
      "aria-label": t("picture-label", { instances: instances.join(", ") || "—" }),
    },
    ...lines,
    ...inner,
    layout.gateway.upright ? bar(layout.gateway, height) : box(layout.gateway, y(0, 1), t("gateway"), "gateway"),
    ...traffic.map(({ context, count }, index) =>
      box(layout.context, y(index, traffic.length), context, count > 0 ? "" : "idle"),
    ),
    ...instances.map((instance) => box(layout.instance, yOf(instance), instance, "instance")),
  );
}

/** @param {number} x1
 * @param {number} y1
 * @param {number} x2
 * @param {number} y2
 * @param {number} share from 0 to 1
 * @param {string} kind */
function edge(x1, y1, x2, y2, share, kind) {
  const middle = (x1 + x2) / 2;
  return svg("path", {
    class: `edge ${kind}`,
    d: `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`,
    "stroke-width": kind === "idle" ? 1 : 1 + 7 * share,
  });
}

/** A call between two services, to the right of their boxes.
 * @param {number} x
 * @param {number} from
 * @param {number} to
 * @param {number} reach */
function arc(x, from, to, reach) {
  const head = `M${x + 7} ${to - 4}L${x} ${to}L${x + 7} ${to + 4}`;
  return svg("path", {
    class: "inner-call",
    d: `M${x} ${from}C${x + reach} ${from} ${x + reach} ${to} ${x} ${to}${head}`,
  });
}

/** @param {{x: number, width: number}} place
 * @param {number} y
 * @param {string} label
 * @param {string} kind */
function box({ x, width }, y, label, kind) {
  return svg(
    "g",
    { class: `box ${kind}` },
    svg("rect", { x, y: y - BOX_HEIGHT / 2, width, height: BOX_HEIGHT, rx: 6 }),
    svg("text", { x: x + width / 2, y: y + 5, "text-anchor": "middle" }, label),
  );
}

/** @param {{x: number, width: number}} place
 * @param {number} height */
function bar({ x, width }, height) {
  const middle = height / 2;
  return svg(
    "g",
    { class: "box gateway" },
    svg("rect", { x, y: 4, width, height: height - 8, rx: 6 }),
    svg(
      "text",
      { x: x + width / 2, y: middle + 5, "text-anchor": "middle", transform: `rotate(-90 ${x + width / 2} ${middle})` },
      t("gateway"),
    ),
  );
}
