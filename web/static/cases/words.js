// What a case's state and decision are called.
import { h } from "../dom.js";
import { hasText, t } from "../text.js";

/** The state of a case, as a label.
 * @param {Api.CaseState} state */
export function stateLabel(state) {
  return h("span", { class: `case-state case-state-${state}` }, t(`case-${state}`));
}

/** What was decided, as a sentence.
 * @param {Api.Outcome} decision */
export function decisionText({ resolved, action }) {
  return resolved ? t(`decided-${action}`) : t("decided-unresolved");
}

/** What a line of a case's history says: what somebody decided, or the state and a note.
 * @param {Api.Event} event
 * @returns {Page.Child[]} */
export function eventText({ state, by, note }) {
  if (by === null) return [stateLabel(state), note && [" · ", h("span", { dir: "auto" }, note)]];
  return [t(note !== null && hasText(`decided-${note}`) ? `decided-${note}` : "decided-unresolved")];
}

/** Whether nothing more will happen to a case.
 * @param {{state: Api.CaseState}} found */
export function hasEnded({ state }) {
  return state === "closed" || state === "failed";
}

/** Whether a decision of the present tier is being carried out, so that the case will change by itself soon.
 * @param {Api.Case} found */
export function isUnderWay(found) {
  if (hasEnded(found)) return false;
  const last = found.history.at(-1);
  return found.state !== "working" || (last !== undefined && last.by !== null);
}
