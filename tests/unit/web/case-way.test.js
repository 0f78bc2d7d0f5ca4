// Rules for drawing a case's way through its workflow.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { STATES, WAYS } from "../../../web/static/cases/picture.js";
import { statesOf } from "../../../web/static/cases/way.js";

/** @param {[string, number?][]} rows */
function states(...rows) {
  return statesOf(rows.map(([state, by = null]) => ({ state, by })));
}

describe("a case's way", () => {
  test("is that of its history", () => {
    assert.deepEqual(states(["opened"], ["assigned"], ["working"]), ["Open Case", "Assign Case", "Work on Case"]);
  });

  test("goes by the question whether it is resolved when somebody has decided", () => {
    const found = states(["opened"], ["assigned"], ["working"], ["working", 7], ["escalated"], ["working"]);
    assert.deepEqual(found.slice(3), ["Is Case Resolved", "Escalate Case", "Work on Case"]);
  });

  test("skips that question at a time limit", () => {
    assert.deepEqual(states(["working"], ["escalated"]), ["Work on Case", "Escalate Case"]);
  });

  test("has the work before a decision that comes early", () => {
    const found = states(["assigned"], ["assigned", 7], ["closed"]);
    assert.deepEqual(found, ["Assign Case", "Work on Case", "Is Case Resolved", "Close Case"]);
  });

  test("takes only ways that the machine has", () => {
    const found = states(
      ["opened"],
      ["assigned"],
      ["working"],
      ["working", 7],
      ["escalated"],
      ["working"],
      ["escalated"],
      ["working"],
      ["working", 8],
      ["closed"],
    );
    const names = new Set(STATES.map(({ name }) => name));
    for (const [index, name] of found.entries()) {
      assert.ok(names.has(name), name);
      const next = found[index + 1];
      if (next !== undefined)
        assert.ok(
          WAYS.some((way) => way.from === name && way.to === next),
          `${name} to ${next}`,
        );
    }
  });
});
