// Rules for reading several lists as one.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MergedLists } from "../../../web/static/moderation/merged-lists.js";

/** @typedef {{at: string}} Item */

/** Pages of two items of each list, by path.
 * @param {Record<string, string[]>} lists the times of the items, by name */
function board(lists) {
  /** @type {string[]} */
  const requests = [];
  /** @type {Set<string>} */
  const down = new Set();
  /** @param {string} path
   * @returns {Promise<Page.ListPage<Item>>} */
  const getPage = async (path) => {
    requests.push(path);
    const [name = "", start = "0"] = path.split("?");
    if (down.has(name)) throw new Error(`${name} is down`);
    const times = lists[name] ?? [];
    const end = Number(start) + 2;
    return {
      items: times.slice(Number(start), end).map((time) => ({ at: time })),
      next: end < times.length ? `${name}?${end}` : null,
      first: null,
    };
  };
  return { requests, down, merged: new MergedLists({ a: "a", b: "b", c: "c" }, getPage) };
}

describe("merged lists", () => {
  test("are the newest first", async () => {
    const { merged } = board({ a: ["9", "5", "4"], b: ["8", "7", "6", "1"], c: [] });
    const items = await merged.next(100);
    assert.deepEqual(
      items.map(({ at, source }) => at + source),
      ["9a", "8b", "7b", "6b", "5a", "4a", "1b"],
    );
    assert.equal(merged.complete, true);
  });

  test("are read only as far as they are needed", async () => {
    const { merged, requests } = board({ a: ["9", "8", "7"], b: ["2", "1"], c: [] });
    assert.deepEqual(
      (await merged.next(2)).map(({ at }) => at),
      ["9", "8"],
    );
    assert.deepEqual(requests, ["a", "b", "c"]);
    assert.equal(merged.complete, false);
    assert.deepEqual(
      (await merged.next(2)).map(({ at }) => at),
      ["7", "2"],
    );
    assert.deepEqual(requests, ["a", "b", "c", "a?2"]);
  });

  test("wait for each list: what one of them has may be newer", async () => {
    const { merged, down } = board({ a: ["9", "8", "7"], b: ["6"], c: [] });
    down.add("b");
    await assert.rejects(merged.next(3), /b is down/);
    down.clear();
    assert.deepEqual(
      (await merged.next(3)).map(({ at }) => at),
      ["9", "8", "7"],
    );
  });

  test("return what they have when a later page cannot be read", async () => {
    const { merged, down } = board({ a: ["9", "8", "7"], b: ["6"], c: [] });
    assert.equal((await merged.next(1)).length, 1);
    down.add("a");
    assert.deepEqual(
      (await merged.next(3)).map(({ at }) => at),
      ["8"],
    );
    await assert.rejects(merged.next(3), /a is down/);
    down.clear();
    assert.deepEqual(
      (await merged.next(3)).map(({ at }) => at),
      ["7", "6"],
    );
  });

  test("are complete without any items", async () => {
    const { merged } = board({ a: [], b: [], c: [] });
    assert.deepEqual(await merged.next(10), []);
    assert.equal(merged.complete, true);
  });
});
