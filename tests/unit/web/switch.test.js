// Rules for switching the architecture panel on and off.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { PanelSwitch } from "../../../web/static/architecture/switch.js";
import { FakeStorage } from "./fakes.js";

describe("the panel's switch", () => {
  /** @type {FakeStorage} */
  let storage;

  beforeEach(() => {
    storage = new FakeStorage();
  });

  test("is off at first, and remembers that it was turned on", () => {
    const first = new PanelSwitch({ storage });
    assert.equal(first.on, false);
    first.turn(true);
    assert.equal(new PanelSwitch({ storage }).on, true);
    first.turn(false);
    assert.equal(new PanelSwitch({ storage }).on, false);
  });

  test("dispatches a change, but only when there is one", () => {
    const panelSwitch = new PanelSwitch({ storage });
    let changes = 0;
    panelSwitch.addEventListener("change", () => changes++);
    panelSwitch.turn(true);
    panelSwitch.turn(true);
    assert.equal(changes, 1);
  });

  test("follows another tab", () => {
    const panelSwitch = new PanelSwitch({ storage });
    storage.changeInOtherTab("architecture", true);
    assert.equal(panelSwitch.on, true);
  });

  test("is off when something else is stored", () => {
    storage.write("architecture", "yes");
    assert.equal(new PanelSwitch({ storage }).on, false);
  });

  test("obeys the address, and leaves the rest of it", () => {
    const panelSwitch = new PanelSwitch({ storage });
    const rest = panelSwitch.obey(new URL("http://board.example/search?q=bread&architecture=on#top"));
    assert.equal(rest?.href, "http://board.example/search?q=bread#top");
    assert.equal(panelSwitch.on, true);
    assert.equal(panelSwitch.obey(new URL("http://board.example/?architecture=off"))?.href, "http://board.example/");
    assert.equal(panelSwitch.on, false);
  });

  test("ignores any other value, and an address without the parameter", () => {
    const panelSwitch = new PanelSwitch({ storage });
    panelSwitch.turn(true);
    panelSwitch.obey(new URL("http://board.example/?architecture=maybe"));
    assert.equal(panelSwitch.obey(new URL("http://board.example/")), null);
    assert.equal(panelSwitch.on, true);
  });
});
