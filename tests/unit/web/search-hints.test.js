// Rules for what a search that found nothing suggests.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { whyNothing } from "../../../web/static/search-hints.js";
import english from "../../../web/static/text/en.js";

describe("a search without a result", () => {
  /** @type {[string, string][]} */
  const EXAMPLES = [
    ["?!", "search-no-words"],
    ["or", "search-no-words"],
    ["-bread", "search-only-excluded"],
    ["br*", "search-short-prefix"],
    ["b", "search-one-letter"],
    ["“b”", "search-one-letter"],
    ["ب", "search-one-letter"],
    ["bread b", "search-one-letter"],
    ["パ", "search-whole-words"],
    ["bread", "search-whole-words"],
    ["bre*", "search-whole-words"],
    ["node-red", "search-whole-words"],
  ];

  for (const [query, key] of EXAMPLES) {
    test(`for ${query} says why: ${key}`, () => {
      assert.equal(whyNothing(query), key);
      assert.ok(Object.hasOwn(english, key));
    });
  }
});
