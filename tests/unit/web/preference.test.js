// Rules for the choices between on and off that a device stores.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { Preference } from "../../../web/static/preference.js";
import { FakeStorage } from "./fakes.js";

describe("a preference", () => {
  /** @type {FakeStorage} */
  let storage;

  beforeEach(() => {
    storage = new FakeStorage();
  });

  for (const initially of [true, false]) {
    test(`that is ${initially} at first remembers the opposite, and stores nothing otherwise`, () => {
      const preference = new Preference({ storage, name: "keys", initially });
      assert.equal(preference.on, initially);
      preference.turn(!initially);
      assert.equal(new Preference({ storage, name: "keys", initially }).on, !initially);
      preference.turn(initially);
      assert.equal(storage.values.size, 0);
    });
  }

  test("follows another tab, and dispatches each change once", () => {
    const preference = new Preference({ storage, name: "keys", initially: true });
    let changes = 0;
    preference.addEventListener("change", () => changes++);
    storage.changeInOtherTab("keys", false);
    storage.changeInOtherTab("keys", false);
    assert.equal(preference.on, false);
    assert.equal(changes, 1);
  });

  test("is as at first if what is stored is no choice", () => {
    storage.write("keys", "perhaps");
    assert.equal(new Preference({ storage, name: "keys", initially: true }).on, true);
  });
});
