// Rules for shortcuts of one key.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { actionOf, KEYS, neighbour } from "../../../web/static/shortcuts.js";

const READING = { isWriting: false, isInDialog: false };

/** @param {string} key
 * @param {object} [more] */
function pressed(key, more = {}) {
  return { key, ctrlKey: false, metaKey: false, altKey: false, defaultPrevented: false, ...more };
}

describe("a shortcut", () => {
  test("has an action for each of its keys", () => {
    for (const [key, action] of Object.entries(KEYS)) assert.equal(actionOf(pressed(key), READING), action);
    assert.equal(actionOf(pressed("x"), READING), null);
    assert.equal(actionOf(pressed("toString"), READING), null);
  });

  test("does nothing while somebody writes or a dialog is open", () => {
    for (const key of Object.keys(KEYS)) {
      assert.equal(actionOf(pressed(key), { ...READING, isWriting: true }), null);
      assert.equal(actionOf(pressed(key), { ...READING, isInDialog: true }), null);
    }
  });

  test("leaves the browser's own combinations alone", () => {
    for (const key of Object.keys(KEYS)) {
      for (const modifier of ["ctrlKey", "metaKey", "altKey", "defaultPrevented"]) {
        assert.equal(actionOf(pressed(key, { [modifier]: true }), READING), null);
      }
    }
  });
});

describe("the next item", () => {
  const tops = [-300, -20, 120, 700];

  test("is the one after the focused one, and none after the last", () => {
    assert.equal(neighbour(tops, { current: 1, top: 60, forward: true }), 2);
    assert.equal(neighbour(tops, { current: 3, top: 60, forward: true }), -1);
  });

  test("is the first one in sight if none has the focus", () => {
    assert.equal(neighbour(tops, { current: -1, top: 60, forward: true }), 2);
    assert.equal(neighbour([], { current: -1, top: 60, forward: true }), -1);
  });

  test("backwards is the one before, and the last one above what is in sight", () => {
    assert.equal(neighbour(tops, { current: 2, top: 60, forward: false }), 1);
    assert.equal(neighbour(tops, { current: 0, top: 60, forward: false }), -1);
    assert.equal(neighbour(tops, { current: -1, top: 60, forward: false }), 1);
  });
});
