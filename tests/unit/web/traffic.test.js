// Rules for what the requests say about the architecture.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { sharesIn } from "../../../web/static/architecture/shares.js";
import {
  callsBetween,
  contextOf,
  instanceOf,
  isFile,
  routeOf,
  trafficOf,
} from "../../../web/static/architecture/traffic.js";
import { RequestLog } from "../../../web/static/request-log.js";

/** @param {string} path
 * @param {Partial<Page.LoggedRequest>} known */
function request(path, known = {}) {
  const log = new RequestLog();
  const made = log.start("GET", path);
  log.change(made, { status: 200, ms: 5, open: false, ...known });
  return made;
}

describe("a request's route", () => {
  test("leads to the context of its path", () => {
    assert.equal(contextOf("/api/posts/in-thread/1?limit=50"), "posts");
    assert.equal(contextOf("/api/sessions/current"), "users");
    assert.equal(contextOf("/threads/1"), "page");
    assert.equal(contextOf("/assets/app.0123456789ab.js"), "page");
  });

  test("is unknown for files of this device and for unnamed processes", () => {
    assert.equal(routeOf(request("/assets/app.js", { servedBy: "cache" })), null);
    assert.equal(routeOf(request("/api/users/1", { servedBy: null })), null);
    assert.deepEqual(routeOf(request("/api/users/1", { servedBy: "users/users-1" })), {
      context: "users",
      instance: "users-1",
    });
  });

  test("names the service and its container where processes run in containers", () => {
    assert.equal(instanceOf("users/users-1"), "users-1");
    assert.equal(instanceOf("users/3f9c2b7a1e44"), "users 3f9c");
    assert.equal(instanceOf("users/ip-10-0-1-23"), "users/ip-10-0-1-23");
    assert.equal(instanceOf("somebody"), "somebody");
  });

  test("knows the page's files", () => {
    assert.equal(isFile(request("/assets/app.js")), true);
    assert.equal(isFile(request("/api/assets")), false);
  });
});

describe("who answers", () => {
  test("is counted for each context, with those that have no request yet", () => {
    const traffic = trafficOf([
      request("/api/posts?limit=1", { servedBy: "posts/posts-1" }),
      request("/api/posts?limit=2", { servedBy: "monolith/monolith-1" }),
      request("/api/posts?limit=3", { servedBy: "posts/posts-1" }),
    ]);
    assert.deepEqual(
      traffic.find(({ context }) => context === "posts"),
      {
        context: "posts",
        count: 3,
        instances: [
          { instance: "monolith-1", count: 1 },
          { instance: "posts-1", count: 2 },
        ],
      },
    );
    assert.deepEqual(
      traffic.find(({ context }) => context === "users"),
      { context: "users", count: 0, instances: [] },
    );
  });

  test("includes a context that this page has not been written for", () => {
    const traffic = trafficOf([request("/api/badges", { servedBy: "badges/badges-1" })]);
    assert.equal(traffic.at(-1)?.context, "badges");
  });
});

describe("calls between services", () => {
  const call = { callee: "threads/threads-1", operation: "GET /internal/threads/7", status: 200, ms: 2 };

  test("are counted by caller, callee and operation, without ids", () => {
    const [found, ...others] = callsBetween([
      request("/api/posts", { servedBy: "posts/posts-1", calls: [call] }),
      request("/api/posts", {
        servedBy: "posts/posts-1",
        calls: [{ ...call, operation: "GET /internal/threads/8", ms: 4, status: 404 }],
      }),
    ]);
    assert.deepEqual(others, []);
    assert.deepEqual(found, {
      caller: "posts-1",
      callee: "threads-1",
      operation: "GET /internal/threads/…",
      count: 2,
      failed: 0,
      meanMs: 3,
      longestMs: 4,
    });
  });

  test("have failed when there was no answer, or one of 500 or more", () => {
    const calls = [call, { ...call, status: 0 }, { ...call, status: 503 }];
    const [found] = callsBetween([request("/api/posts", { servedBy: "posts/posts-1", calls })]);
    assert.deepEqual([found.count, found.failed], [3, 2]);
  });

  test("are listed from the most to the least frequent", () => {
    const rare = { ...call, callee: "users/users-1", operation: "POST /internal/users/authenticate" };
    const found = callsBetween([request("/api/posts", { servedBy: "posts/posts-1", calls: [rare, call, call] })]);
    assert.deepEqual(
      found.map(({ callee }) => callee),
      ["threads-1", "users-1"],
    );
  });
});

describe("configured shares", () => {
  test("are the percentages of the document", () => {
    assert.deepEqual(sharesIn({ posts: 10, users: 100 }), { posts: 10, users: 100 });
  });

  for (const found of [null, 7, "posts", {}, { posts: 101 }, { posts: "10" }]) {
    test(`are unknown in ${JSON.stringify(found)}`, () => assert.equal(sharesIn(found), null));
  }
});
