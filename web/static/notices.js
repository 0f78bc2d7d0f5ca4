// Notices: short messages, a chance to undo, and the bar that says that the board cannot be reached.
import { h } from "./dom.js";
import { connectivity } from "./http.js";
import { Problem } from "./problem.js";
import { t } from "./text.js";

const UNDO_SECONDS = 5;

/** @type {HTMLElement | null} */
let messages = null;

/** Show a message for a few seconds.
 * @param {string} text */
export function showMessage(text, seconds = 5) {
  const message = h("div", { class: "message" }, h("span", {}, text));
  messages?.append(message);
  setTimeout(() => message.remove(), seconds * 1000);
}

/** Show that something is about to be done, and do it after five seconds, unless the visitor undoes it.
 * Leaving the page does it at once. The focus is on the button that undoes it, and then where it was before.
 * @param {string} text
 * @param {() => void} action
 * @param {() => void} undo */
export function offerUndo(text, action, undo) {
  let settled = false;
  const before = document.activeElement;
  /** @param {() => void} act */
  const settle = (act) => () => {
    if (settled) return;
    settled = true;
    clearTimeout(timer);
    removeEventListener("pagehide", finish);
    const wasHere = message.contains(document.activeElement);
    message.remove();
    act();
    if (wasHere) (isShown(before) ? before : document.querySelector("main"))?.focus({ preventScroll: true });
  };
  const finish = settle(action);
  const button = h("button", { type: "button", onclick: settle(undo) }, t("undo"));
  const message = h("div", { class: "message" }, h("span", {}, text), button);
  const timer = setTimeout(finish, UNDO_SECONDS * 1000);
  addEventListener("pagehide", finish);
  messages?.append(message);
  button.focus({ preventScroll: true });
}

/** Whether it is an element that can have the focus now.
 * @param {Element | null} element
 * @returns {element is HTMLElement} */
function isShown(element) {
  return element instanceof HTMLElement && element.isConnected && element.offsetParent !== null;
}

/** The text of a problem for people: the server's, or one of ours if it sent none.
 * @param {unknown} problem */
export function describeProblem(problem) {
  if (!(problem instanceof Problem)) return t("problem-unknown", { status: "" });
  if (problem.status === 0) return t("problem-unreachable");
  if (problem.status === 429) return t("problem-too-fast", { count: problem.retryAfter || 1 });
  if (problem.errors.length > 0) return problem.errors.map((error) => error.detail).join(" ");
  return problem.detail || t("problem-unknown", { status: problem.status });
}

/** A note that something is being loaded, or while the board cannot be reached, that it waits for that. */
export function loading() {
  return h("span", { class: "loading" }, loadingText());
}

function loadingText() {
  return t(connectivity.up ? "loading" : "loading-unreachable");
}

/** Show a problem.
 * @param {unknown} problem */
export function showProblem(problem) {
  showMessage(describeProblem(problem), 8);
}

/** Create the bar that is shown while the board cannot be reached, and the element for messages. */
export function noticeArea() {
  messages = h("div", { class: "messages", role: "status", "aria-live": "polite" });
  const bar = h("div", { class: "outage", role: "status", hidden: true });
  const draw = () => {
    for (const note of document.querySelectorAll(".loading")) note.textContent = loadingText();
    bar.hidden = connectivity.up;
    if (connectivity.up) return bar.replaceChildren();
    bar.replaceChildren(
      h("span", {}, t("outage")),
      h("button", { type: "button", onclick: () => connectivity.dispatchEvent(new Event("try")) }, t("try-now")),
    );
  };
  connectivity.addEventListener("change", draw);
  connectivity.addEventListener("limited", (event) => {
    if (!(event instanceof CustomEvent)) return;
    showMessage(t("waiting-too-fast", { count: event.detail }), Math.min(event.detail, 10));
  });
  draw();
  return [bar, messages];
}
