// Rules for following a thread: without gaps, and without a connection for a tab that nobody looks at.
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, mock, test } from "node:test";
import { Problem } from "../../../web/static/problem.js";
import { follow } from "../../../web/static/stream.js";
import { settled } from "./fakes.js";

const PATH = "/api/posts/in-thread/7/stream";

/** A connection that the board has accepted: what it sends, and whether the page has closed it. */
class FakeConnection {
  #encoder = new TextEncoder();
  /** @type {ReadableStreamDefaultController<Uint8Array> | null} */
  #controller = null;

  /** @param {Page.RequestOptions} options */
  constructor({ headers = {}, signal }) {
    this.lastEventId = headers["Last-Event-ID"] ?? null;
    this.signal = signal;
    const body = new ReadableStream({ start: (controller) => void (this.#controller = controller) });
    this.response = new Response(body);
    signal?.addEventListener("abort", () => this.#controller?.error(signal.reason));
  }

  get closed() {
    return this.signal?.aborted ?? false;
  }

  /** @param {string | Uint8Array} text */
  async send(text) {
    this.#controller?.enqueue(typeof text === "string" ? this.#encoder.encode(text) : text);
    await delivered();
  }

  async end() {
    this.#controller?.close();
    await delivered();
  }

  async breakOff() {
    this.#controller?.error(new TypeError("network error"));
    await delivered();
  }
}

/** @implements {Page.Visibility} */
class FakePage extends EventTarget {
  hidden = false;

  /** @param {boolean} hidden */
  async show(hidden) {
    this.hidden = hidden;
    this.dispatchEvent(new Event("visibilitychange"));
    await delivered();
  }
}

/** Streams pass data on in several turns of the event loop. */
async function delivered() {
  for (let turn = 0; turn < 5; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    await settled();
  }
}

/** @param {number} status
 * @param {number} [retryAfter] */
function problem(status, retryAfter) {
  return new Problem({ status, slug: "some-problem", retryAfter });
}

describe("following a stream", () => {
  /** @type {FakeConnection[]} */
  let connections;
  /** @type {Problem[]} what the next requests fail with */
  let failures;
  /** @type {unknown[][]} what the handlers were called with */
  let calls;
  /** @type {number[]} in seconds */
  let waits;
  /** @type {FakePage} */
  let page;
  /** @type {AbortController} */
  let visit;
  /** @type {Promise<void>} */
  let following;

  beforeEach(() => {
    mock.timers.enable({ apis: ["setTimeout"] });
    connections = [];
    failures = [];
    calls = [];
    waits = [];
    page = new FakePage();
    visit = new AbortController();
  });

  afterEach(async () => {
    visit.abort();
    await following;
    mock.timers.reset();
  });

  async function start() {
    following = follow(
      PATH,
      {
        onOpen: () => void calls.push(["open"]),
        onEvent: (kind, data) => void calls.push([kind, data]),
        onReset: () => void calls.push(["reset"]),
        onGone: () => void calls.push(["gone"]),
      },
      visit.signal,
      {
        page,
        open: async (path, options) => {
          assert.equal(path, PATH);
          const failure = failures.shift();
          if (failure) throw failure;
          const accepted = new FakeConnection(options);
          connections.push(accepted);
          return accepted.response;
        },
        pause: async (seconds) => {
          waits.push(seconds);
        },
      },
    );
    await delivered();
  }

  /** The connection that is open now. */
  function connection() {
    const last = connections.at(-1);
    assert.ok(last);
    return last;
  }

  test("reports that it is open after the server's first id", async () => {
    await start();
    assert.deepEqual(calls, []);
    await connection().send("id: 3\n\n");
    assert.deepEqual(calls, [["open"]]);
  });

  test("passes events to the handler in order", async () => {
    await start();
    await connection().send('event: post\nid: 4\ndata: {"id": 12}\n\nevent: remove\nid: 5\ndata: {"id": 11}\n\n');
    assert.deepEqual(calls, [
      ["post", { id: 12 }],
      ["remove", { id: 11 }],
    ]);
  });

  test("joins an event that arrives in pieces, even if a character is split", async () => {
    await start();
    for (const byte of new TextEncoder().encode('event: post\nid: 4\ndata: "é🦔"\n\n')) {
      await connection().send(new Uint8Array([byte]));
    }
    assert.deepEqual(calls, [["post", "é🦔"]]);
  });

  test("ignores comments", async () => {
    await start();
    await connection().send(": still here\n\n");
    assert.deepEqual(calls, []);
  });

  test("starts with events from now on", async () => {
    await start();
    assert.equal(connection().lastEventId, null);
  });

  for (const how of /** @type {const} */ (["end", "breakOff"])) {
    test(`resumes after the last event when the connection has ended (${how})`, async () => {
      await start();
      await connection().send("event: post\nid: 4\ndata: {}\n\n");
      await connection()[how]();
      assert.equal(connections.length, 2);
      assert.equal(connection().lastEventId, "4");
    });
  }

  test("resumes after the stream's first id if there was no event", async () => {
    await start();
    await connection().send("id: 3\n\n");
    await connection().end();
    assert.equal(connection().lastEventId, "3");
  });

  test("connects again while the board is down, waiting longer each time", async () => {
    failures = [problem(503), problem(503), problem(503)];
    await start();
    assert.equal(connections.length, 1);
    const [first = 0, , third = 0] = waits;
    assert.ok(third > first);
  });

  test("waits as long as Retry-After says after a 429", async () => {
    failures = [problem(429, 9)];
    await start();
    assert.deepEqual(waits, [9]);
    assert.equal(connections.length, 1);
  });

  test("lets everything be read again when the server does not know the last event", async () => {
    await start();
    await connection().send("id: 3\n\n");
    failures = [problem(400)];
    await connection().end();
    assert.deepEqual(calls, [["open"], ["reset"]]);
    assert.equal(connection().lastEventId, null);
  });

  test("ends when its subject no longer exists", async () => {
    failures = [problem(404)];
    await start();
    await following;
    assert.deepEqual(calls, [["gone"]]);
    assert.equal(connections.length, 0);
  });

  test("ends, and closes its connection, when the visitor leaves", async () => {
    await start();
    visit.abort();
    await following;
    assert.ok(connection().closed);
    assert.equal(connections.length, 1);
  });

  test("closes its connection after ten seconds in a hidden tab, and resumes when the tab is shown", async () => {
    await start();
    await connection().send("id: 3\n\n");
    await page.show(true);
    mock.timers.tick(9_999);
    await delivered();
    assert.ok(!connection().closed);
    mock.timers.tick(1);
    await delivered();
    assert.ok(connection().closed);
    assert.equal(connections.length, 1);
    await page.show(false);
    assert.equal(connections.length, 2);
    assert.equal(connection().lastEventId, "3");
  });

  test("keeps its connection when a tab is hidden for less than ten seconds", async () => {
    await start();
    await page.show(true);
    mock.timers.tick(9_999);
    await page.show(false);
    mock.timers.tick(60_000);
    await delivered();
    assert.ok(!connection().closed);
  });

  test("does not connect in a tab that was opened in the background", async () => {
    page.hidden = true;
    await start();
    assert.equal(connections.length, 0);
    await page.show(false);
    assert.equal(connections.length, 1);
  });
});
