// Rules for the log of requests.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { callsOf, RequestLog } from "../../../web/static/request-log.js";

describe("the log of requests", () => {
  test("lists a request as open until it has ended", () => {
    const log = new RequestLog();
    const request = log.start("GET", "/api/threads", 1000);
    assert.deepEqual([request.open, request.status, request.at], [true, null, 1000]);
    log.change(request, { status: 200, ms: 12 });
    assert.deepEqual([log.requests[0].open, log.requests[0].status, log.requests[0].ms], [true, 200, 12]);
    log.end(request);
    assert.equal(log.requests[0].open, false);
  });

  test("dispatches each change", () => {
    const log = new RequestLog();
    let changes = 0;
    log.addEventListener("change", () => changes++);
    const request = log.start("GET", "/api/threads");
    log.change(request, { status: 200 });
    log.end(request);
    log.end(request);
    log.clear();
    assert.equal(changes, 4);
  });

  test("has at most 200 requests, and drops the oldest that has ended", () => {
    const log = new RequestLog();
    const stream = log.start("GET", "/api/posts/in-thread/1/stream");
    for (let i = 0; i < 250; i++) log.end(log.start("GET", `/api/threads/${i}`));
    assert.equal(log.requests.length, 200);
    assert.equal(log.requests[0], stream);
    assert.equal(log.requests[1].path, "/api/threads/51");
  });

  test("has at most 200 requests when all of them are open", () => {
    const log = new RequestLog();
    for (let i = 0; i < 201; i++) log.start("GET", `/api/threads/${i}`);
    assert.equal(log.requests.length, 200);
  });

  test("clears all but the open requests", () => {
    const log = new RequestLog();
    log.end(log.start("GET", "/api/threads"));
    const stream = log.start("GET", "/api/posts/in-thread/1/stream");
    log.clear();
    assert.deepEqual(log.requests, [stream]);
  });

  test("restores the requests of the page before a reload, none of which is open now", () => {
    const before = new RequestLog();
    before.start("GET", "/api/posts/in-thread/1/stream");
    const log = new RequestLog();
    log.start("GET", "/api/threads");
    log.restore(JSON.parse(JSON.stringify(before.requests)));
    assert.deepEqual(
      log.requests.map(({ path, open }) => [path, open]),
      [
        ["/api/posts/in-thread/1/stream", false],
        ["/api/threads", true],
      ],
    );
  });
});

describe("Server-Timing", () => {
  test("names the calls between services", () => {
    const field =
      'call;dur=3.2;desc="users/users-1 POST /internal/users/authenticate 200", ' +
      'call;dur=2000.0;desc="threads GET /internal/threads/7 no-answer"';
    assert.deepEqual(callsOf(field), [
      { callee: "users/users-1", operation: "POST /internal/users/authenticate", status: 200, ms: 3.2 },
      { callee: "threads", operation: "GET /internal/threads/7", status: 0, ms: 2000 },
    ]);
  });

  for (const field of [
    null,
    "",
    'served-by;desc="web/web-1"',
    'call;dur=1;desc="users"',
    "call",
    'call;dur=x;desc="a b c d"',
  ]) {
    test(`names no calls in ${field}`, () => assert.deepEqual(callsOf(field), []));
  }
});
