// Rules for what the reader has read.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { placeToRead, ReadPositions } from "../../../web/static/read-positions.js";
import { FakeBoard, FakeStorage, user } from "./fakes.js";

const FIRST_VISIT = "2026-05-01T12:00:00.000Z";
const BEFORE = "2026-05-01T11:59:59.000Z";
const AFTER = "2026-05-01T12:00:01.000Z";
const POSITIONS = "/api/posts/read-positions";
const NOTHING = { count: 0, first: null, readUpTo: null };

class FakeSession extends EventTarget {
  /** @type {{id: number} | null} */
  user = null;

  /** @param {number | null} id */
  signIn(id) {
    this.user = id === null ? null : user(id);
    this.dispatchEvent(new Event("change"));
  }
}

/** @param {number} id
 * @param {number} postCount
 * @param {string | null} lastPostAt */
const thread = (id, postCount, lastPostAt) => ({ id, postCount, lastPostAt });

describe("read positions", () => {
  /** @type {FakeStorage} */
  let storage;
  /** @type {FakeSession} */
  let session;
  /** @type {FakeBoard} */
  let board;
  /** @type {ReadPositions} */
  let reading;
  /** Actions that wait for their time.
   * @type {{action: () => void, ms: number}[]} */
  let timers;

  beforeEach(() => {
    storage = new FakeStorage();
    session = new FakeSession();
    board = new FakeBoard();
    timers = [];
    reading = new ReadPositions({
      storage,
      session,
      ask: board.ask,
      now: () => new Date(FIRST_VISIT),
      later: (action, ms) => timers.push({ action, ms }),
    });
    reading.start();
  });

  const sent = () => board.requests.filter(({ method }) => method === "PUT").map(({ options }) => options.body);

  describe("of a visitor", () => {
    test("count the posts since the highest that was read", async () => {
      reading.record(1, 30, 3);
      assert.deepEqual(await reading.unread(thread(1, 5, AFTER)), { count: 2, first: null, readUpTo: 30 });
      assert.equal((await reading.unread(thread(1, 2, AFTER))).count, 0);
    });

    test("are never lowered", async () => {
      reading.record(1, 50, 5);
      reading.record(1, 30, 3);
      assert.deepEqual(await reading.unread(thread(1, 5, AFTER)), { count: 0, first: null, readUpTo: 50 });
    });

    test("keep a known count when none is known", async () => {
      reading.record(1, 30, 3);
      reading.record(1, 30, null);
      assert.equal((await reading.unread(thread(1, 5, AFTER))).count, 2);
    });

    test("do not count posts from before the first visit", async () => {
      assert.deepEqual(await reading.unread(thread(1, 5, BEFORE)), NOTHING);
      assert.deepEqual(await reading.unread(thread(1, 0, null)), NOTHING);
      assert.equal((await reading.unread(thread(1, 5, AFTER))).count, 5);
    });

    test("forget the oldest of more than a thousand threads", async () => {
      for (let id = 1; id <= 1001; id++) reading.record(id, 1, 1);
      assert.equal((await reading.unread(thread(1, 9, AFTER))).readUpTo, null);
      assert.equal((await reading.unread(thread(2, 9, AFTER))).readUpTo, 1);
    });

    test("are all read after that was asked for", async () => {
      let changed = 0;
      reading.addEventListener("change", () => changed++);
      reading.record(1, 30, 3);
      await reading.markAllRead();
      assert.deepEqual(await reading.unread(thread(1, 5, BEFORE)), NOTHING);
      assert.equal(changed, 1);
      assert.deepEqual(board.requests, []);
    });
  });

  describe("of a user", () => {
    beforeEach(async () => {
      session.signIn(7);
      await reading.flush();
      board.requests.length = 0;
    });

    test("are sent together, after a while", async () => {
      reading.record(1, 30, null);
      reading.record(2, 40, null);
      reading.record(1, 35, null);
      reading.record(1, 31, null);
      assert.deepEqual(board.requests, []);
      assert.deepEqual(
        timers.map(({ ms }) => ms),
        [5_000],
      );
      timers[0]?.action();
      await reading.flush();
      assert.deepEqual(sent(), [
        {
          positions: [
            { thread: 1, post: 35 },
            { thread: 2, post: 40 },
          ],
        },
      ]);
    });

    test("are sent by a request that outlives the page when the visitor leaves", async () => {
      reading.record(1, 30, null);
      await reading.flush({ leaving: true });
      assert.deepEqual(
        board.requests.map(({ options }) => options.keepalive),
        [true],
      );
    });

    test("are sent again later if the board does not answer", async () => {
      reading.record(1, 30, null);
      board.fail(503);
      await reading.flush();
      assert.equal(timers.at(-1)?.ms, 30_000);
      await reading.flush();
      await reading.flush();
      assert.equal(sent().length, 2);
    });

    test("that are refused are not sent again", async () => {
      reading.record(1, 30, null);
      board.fail(422);
      await reading.flush();
      await reading.flush();
      assert.equal(sent().length, 1);
    });

    test("that the board knows are not sent again", async () => {
      board.answer([{ thread: 1, count: 3, first: 31, readUpTo: 30 }]);
      assert.equal(await reading.readUpTo(1), 30);
      reading.record(1, 29, null);
      reading.record(1, 30, null);
      assert.deepEqual(timers, []);
      reading.record(1, 31, null);
      await reading.flush();
      reading.record(1, 31, null);
      await reading.flush();
      assert.deepEqual(sent(), [{ positions: [{ thread: 1, post: 31 }] }]);
    });

    test("that were not sent yet count", async () => {
      reading.record(1, 31, null);
      board
        .answer([{ thread: 1, count: 3, first: 31, readUpTo: 30 }])
        .fail(503)
        .fail(503);
      assert.equal(await reading.readUpTo(1), 31);
      assert.equal(await reading.readUpTo(1), 31);
      assert.equal(await reading.readUpTo(2), null);
    });

    test("are sent a hundred at a time", async () => {
      for (let id = 1; id <= 101; id++) reading.record(id, 5, null);
      await reading.flush();
      assert.deepEqual(
        sent().map((body) => /** @type {{positions: unknown[]}} */ (body).positions.length),
        [100, 1],
      );
    });

    test("of threads wanted at the same moment are requested together, after what was read", async () => {
      reading.record(1, 30, null);
      board.answer({}).answer([
        { thread: 2, count: 3, first: 44, readUpTo: 40 },
        { thread: 1, count: 0, first: null, readUpTo: 30 },
      ]);
      const [one, two] = await Promise.all([reading.unread(thread(1, 5, AFTER)), reading.unread(thread(2, 5, AFTER))]);
      assert.equal(one.count, 0);
      assert.equal(two.first, 44);
      assert.deepEqual(
        board.requests.map(({ method, path }) => [method, path]),
        [
          ["PUT", POSITIONS],
          ["GET", "/api/posts/unread?thread=1&thread=2"],
        ],
      );
    });

    test("are nothing new while the board does not answer", async () => {
      board.fail(503);
      assert.deepEqual(await reading.unread(thread(1, 5, AFTER)), NOTHING);
    });

    test("begin when the board has none", async () => {
      board.answer([{ thread: 1, ...NOTHING }]);
      await reading.unread(thread(1, 5, AFTER));
      await reading.flush();
      assert.deepEqual(sent(), [{ positions: [] }]);
    });

    test("are all read after that was asked for", async () => {
      reading.record(1, 30, null);
      await reading.markAllRead();
      await reading.flush();
      assert.deepEqual(
        board.requests.map(({ method, path }) => [method, path]),
        [["PUT", `${POSITIONS}/all`]],
      );
    });
  });

  test("of a visitor are merged into the account that they sign in to, and forgotten", async () => {
    reading.record(1, 30, 3);
    session.signIn(7);
    await reading.flush();
    assert.deepEqual(sent(), [{ positions: [{ thread: 1, post: 30 }] }]);
    session.signIn(null);
    assert.equal((await reading.unread(thread(1, 5, BEFORE))).readUpTo, null);
    session.signIn(8);
    await reading.flush();
    assert.deepEqual(sent().at(-1), { positions: [] });
  });

  test("that one user could not send are not sent for another", async () => {
    session.signIn(7);
    await reading.flush();
    reading.record(1, 30, null);
    session.signIn(8);
    await reading.flush();
    assert.deepEqual(sent(), [{ positions: [] }, { positions: [] }]);
    session.signIn(7);
    await reading.flush();
    assert.deepEqual(sent().at(-1), { positions: [{ thread: 1, post: 30 }] });
  });

  test("lead to the first new post", () => {
    assert.equal(placeToRead(1, { count: 2, first: 44, readUpTo: 40 }), "/threads/1?from=44");
    assert.equal(placeToRead(1, { count: 2, first: null, readUpTo: 40 }), "/threads/1?from=41");
    assert.equal(placeToRead(1, { count: 2, first: null, readUpTo: null }), "/threads/1");
    assert.equal(placeToRead(1, { count: 0, first: null, readUpTo: 40 }), "/threads/1");
    assert.equal(placeToRead(1, null), "/threads/1");
  });
});
