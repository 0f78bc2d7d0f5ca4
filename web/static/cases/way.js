// A case's way through its workflow: the picture of the state machine, with the states that the case has been in.
import { h, svg } from "../dom.js";
import { BOX, SIZE, STATES, WAYS } from "./picture.js";

/** The state of the machine in which a case gets a state of its own.
 * @type {Record<string, string>} */
const ENTERED = {
  opened: "Open Case",
  assigned: "Assign Case",
  working: "Work on Case",
  escalated: "Escalate Case",
  closed: "Close Case",
  failed: "Step Failed",
};

/** The states of the machine that a case has entered, in their order. What somebody did to the case is a
 * decision, which ends the work on it.
 * @param {{state: string, by: number | null}[]} history */
export function statesOf(history) {
  /** @type {string[]} */
  const found = [];
  for (const { state, by } of history) {
    const entered = by === null ? ENTERED[state] : "Is Case Resolved";
    if (entered === undefined) continue;
    if (by !== null && found[found.length - 1] !== "Work on Case") found.push("Work on Case");
    found.push(entered);
  }
  return found;
}

/** The picture, with the way marked: `title` is what it says to those who do not see it.
 * @param {string[]} states
 * @param {string} title */
export function caseWay(states, title) {
  const visited = new Set(states);
  const taken = new Set(states.slice(1).map((state, index) => `${states[index]}>${state}`));
  const here = states[states.length - 1];
  /** @param {{from: string, to: string}} way */
  const isTaken = (way) => taken.has(`${way.from}>${way.to}`);
  const ways = WAYS.toSorted((one, other) => Number(isTaken(one)) - Number(isTaken(other)));
  return h(
    "div",
    { class: "case-way", tabindex: "0", role: "group", "aria-label": title },
    svg(
      "svg",
      { viewBox: `0 0 ${SIZE.width} ${SIZE.height}`, role: "img", "aria-label": title },
      ways.map((way) =>
        svg("path", { d: way.path, class: `way${way.caught ? " caught" : ""}${isTaken(way) ? " taken" : ""}` }),
      ),
      STATES.map(({ name, type, x, y }) =>
        svg(
          "g",
          { class: `state ${type}${visited.has(name) ? " visited" : ""}${name === here ? " here" : ""}` },
          svg("rect", { x, y, width: BOX.width, height: BOX.height, rx: type === "Task" ? 6 : BOX.height / 2 }),
          svg("text", { x: x + BOX.width / 2, y: y + BOX.height / 2 + 5 }, name),
        ),
      ),
    ),
  );
}
