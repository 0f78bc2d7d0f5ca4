// What the page says by itself: short messages, a chance to undo, and that the board is away.
import { h } from "./dom.js";
import { connectivity } from "./http.js";
import { t } from "./text.js";

const messages = h("div", { class: "messages", role: "status", "aria-live": "polite" });

/** Say something for a few seconds. */
export function showMessage(text, seconds = 5) {
  const message = h("div", { class: "message" }, h("span", {}, text));
  show(message, seconds);
}

/** Say that something is about to be done, do it after five seconds, or not when somebody presses
 * "undo". Leaving the page does it at once. */
export function offerUndo(text, doIt, undo) {
  let settled = false;
  const settle = (act) => () => {
    if (settled) return;
    settled = true;
    clearTimeout(timer);
    removeEventListener("pagehide", finish);
    message.remove();
    act();
  };
  const finish = settle(doIt);
  const message = h("div", { class: "message" }, h("span", {}, text), h("button", { type: "button", onclick: settle(undo) }, t("undo")));
  const timer = setTimeout(finish, 5000);
  addEventListener("pagehide", finish);
  messages.append(message);
}

/** What a problem means for people: the server's sentence, or ours where it said nothing. */
export function describeProblem(problem) {
  if (problem.status === 0) return t("problem-unreachable");
  if (problem.status === 429) return t("problem-too-fast", { count: problem.retryAfter || 1 });
  if (problem.errors?.length) return problem.errors.map((error) => error.detail).join(" ");
  return problem.detail || t("problem-unknown", { status: problem.status ?? "" });
}

/** Say what went wrong. */
export function showProblem(problem) {
  showMessage(describeProblem(problem), 8);
}

/** The bar that is there while the board cannot be reached, and the place of the messages. */
export function noticeArea() {
  const bar = h("div", { class: "outage", role: "status", hidden: true });
  const look = () => {
    bar.hidden = connectivity.up;
    if (connectivity.up) return bar.replaceChildren();
    bar.replaceChildren(
      h("span", {}, t("outage")),
      h("button", { type: "button", onclick: () => connectivity.dispatchEvent(new Event("try")) }, t("try-now")),
    );
  };
  connectivity.addEventListener("change", look);
  connectivity.addEventListener("limited", ({ detail }) => showMessage(t("waiting-too-fast", { count: detail }), Math.min(detail, 10)));
  look();
  return [bar, messages];
}

function show(message, seconds) {
  messages.append(message);
  setTimeout(() => message.remove(), seconds * 1000);
}
