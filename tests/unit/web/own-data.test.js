// What the board stores of the user is collected from all contexts.
import assert from "node:assert/strict";
import { test } from "node:test";
import { collect } from "../../../web/static/own-data.js";

test("own data has every row of every page of every context, by table", async () => {
  /** @type {Record<string, {rows: [string, number][], next: string | null}>} */
  const board = {
    "/api/users/export?limit=100": { rows: [["users", 7]], next: null },
    "/api/threads/export?limit=100": { rows: [], next: null },
    "/api/posts/export?limit=100": {
      rows: [
        ["posts", 1],
        ["posts", 2],
      ],
      next: "/api/posts/export?limit=100&after=x",
    },
    "/api/posts/export?limit=100&after=x": {
      rows: [
        ["posts", 3],
        ["revisions", 1],
      ],
      next: null,
    },
    "/api/cases/export?limit=100": { rows: [], next: null },
  };
  const data = await collect(async (path) => {
    const page = board[path];
    assert.ok(page, path);
    return { items: page.rows.map(([table, id]) => ({ table, row: { id } })), next: page.next, first: null };
  });
  assert.deepEqual(data, {
    users: { users: [{ id: 7 }] },
    threads: {},
    posts: { posts: [{ id: 1 }, { id: 2 }, { id: 3 }], revisions: [{ id: 1 }] },
    cases: {},
  });
});
