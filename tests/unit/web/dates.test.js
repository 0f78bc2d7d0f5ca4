// Rules for formatting dates and times.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DateFormat } from "../../../web/static/dates.js";

const NOW = new Date("2026-05-10T12:00:00Z");
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe("a formatted time", () => {
  const english = new DateFormat("en-GB");

  for (const [ago, written] of /** @type {[number, string][]} */ ([
    [-5 * SECOND, "now"],
    [0, "now"],
    [44 * SECOND, "now"],
    [46 * SECOND, "1 minute ago"],
    [54 * MINUTE, "54 minutes ago"],
    [56 * MINUTE, "1 hour ago"],
    [21 * HOUR, "21 hours ago"],
    [23 * HOUR, "yesterday"],
    [6 * DAY, "6 days ago"],
    [8 * DAY, "2 May"],
    [400 * DAY, "5 Apr 2025"],
  ])) {
    test(`of ${ago / SECOND} seconds ago is "${written}"`, () => {
      assert.equal(english.short(new Date(NOW.getTime() - ago), NOW), written);
    });
  }

  test("is written in the reader's language", () => {
    assert.equal(new DateFormat("de").short(new Date(NOW.getTime() - DAY), NOW), "gestern");
  });

  test("in full has the weekday, the year and the seconds", () => {
    const written = english.full(new Date(2026, 4, 10, 12, 34, 56));
    for (const part of ["Sunday", "2026", "12:34:56"]) assert.ok(written.includes(part), written);
  });
});
