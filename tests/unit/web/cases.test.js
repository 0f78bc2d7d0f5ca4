// What the page says about cases, and when it looks at one again.
import assert from "node:assert/strict";
import { test } from "node:test";
import { decisionText, hasEnded, isUnderWay } from "../../../web/static/cases/words.js";

const AT = "2030-01-01T12:00:00.000Z";

/** @param {Partial<Api.Case>} changes
 * @returns {Api.Case} */
function aCase(changes = {}) {
  return {
    id: 7,
    post: 1,
    author: 2,
    thread: 3,
    state: "working",
    reason: "spam",
    note: null,
    reporters: [4],
    assignee: null,
    tier: 1,
    decision: null,
    message: "",
    createdAt: AT,
    closedAt: null,
    history: [{ at: AT, state: "working", by: null, note: null }],
    ...changes,
  };
}

test("case_in_work_waits_for_a_person_and_is_not_followed", () => {
  assert.equal(isUnderWay(aCase()), false);
});

test("case_is_followed_until_somebody_has_to_decide", () => {
  for (const state of /** @type {const} */ (["opened", "assigned", "escalated"]))
    assert.equal(isUnderWay(aCase({ state })), true);
});

test("decided_case_is_followed_until_it_has_ended", () => {
  const history = [{ at: AT, state: /** @type {const} */ ("working"), by: 5, note: "none" }];
  assert.equal(isUnderWay(aCase({ history })), true);
  for (const state of /** @type {const} */ (["closed", "failed"])) {
    assert.equal(isUnderWay(aCase({ state, history })), false);
    assert.equal(hasEnded({ state }), true);
  }
});

test("every_decision_has_words", () => {
  for (const action of /** @type {const} */ (["remove-post", "lock-thread", "ban-author", "none"]))
    assert.notEqual(decisionText({ resolved: true, action, note: null }), "");
  assert.equal(decisionText({ resolved: false, action: "none", note: null }), "It was left to the next tier");
});
