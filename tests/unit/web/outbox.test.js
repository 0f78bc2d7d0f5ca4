// Rules for pending posts: none is lost, none is posted twice, none is sent as another user.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { Outbox } from "../../../web/static/outbox.js";
import { Session } from "../../../web/static/session.js";
import { FakeBoard, FakeStorage, settled, user } from "./fakes.js";

const THREAD = 7;

describe("outbox", () => {
  /** @type {FakeBoard} */
  let board;
  /** @type {FakeStorage} */
  let storage;
  /** @type {Session} */
  let session;
  /** @type {Outbox} */
  let outbox;
  /** How long it has waited, try by try, in seconds.
   * @type {number[]} */
  let waits;
  /** What the visitor does when they are asked to sign in.
   * @type {(ended: boolean) => Promise<boolean>} */
  let signIn;

  beforeEach(() => {
    board = new FakeBoard();
    storage = new FakeStorage();
    waits = [];
    signIn = async () => false;
    session = new Session({ storage, ask: board.ask, cacheUser: () => {}, askToSignIn: (ended) => signIn(ended) });
    outbox = newOutbox();
    session.set(user(1));
  });

  function newOutbox() {
    return new Outbox({
      session,
      storage,
      ask: board.ask,
      pause: async (seconds) => {
        waits.push(seconds);
      },
    });
  }

  /** The bodies that were sent. */
  const sent = () => board.requests.map((request) => request.options.body);
  /** The keys under which they were sent. */
  const keys = () => board.requests.map((request) => request.options.headers?.["Idempotency-Key"]);
  /** The states of the pending posts. */
  const states = () => outbox.of(THREAD).map((pendingPost) => pendingPost.state);

  test("sends a post and forgets it once the board has acknowledged it", async () => {
    /** @type {unknown[]} */
    const acknowledged = [];
    outbox.addEventListener("sent", (event) => event instanceof CustomEvent && acknowledged.push(event.detail.post));
    board.answer({ id: 12 });
    outbox.post(THREAD, "Warm?", 3);
    assert.deepEqual(states(), ["sending"]);
    await settled();
    assert.deepEqual(sent(), [{ thread: THREAD, text: "Warm?", replyTo: 3 }]);
    assert.deepEqual(acknowledged, [{ id: 12 }]);
    assert.deepEqual(outbox.of(THREAD), []);
    assert.deepEqual(storage.read("outbox", null), []);
  });

  test("sends posts one after the other, in the order in which they were written", async () => {
    /** @type {PromiseWithResolvers<object>} */
    const acknowledged = Promise.withResolvers();
    board.run(() => acknowledged.promise);
    outbox.post(THREAD, "First", null);
    outbox.post(THREAD, "Second", null);
    await settled();
    assert.equal(board.requests.length, 1);
    acknowledged.resolve({});
    await settled();
    assert.deepEqual(sent(), [
      { thread: THREAD, text: "First", replyTo: null },
      { thread: THREAD, text: "Second", replyTo: null },
    ]);
  });

  test("stores a post before it is sent, and sends it at the next visit under the same key", async () => {
    board.run(() => new Promise(() => {}));
    outbox.post(THREAD, "Kept", null);
    await settled();
    const earlier = keys();
    board = new FakeBoard();
    outbox = newOutbox();
    outbox.resume();
    await settled();
    assert.deepEqual(sent(), [{ thread: THREAD, text: "Kept", replyTo: null }]);
    assert.deepEqual(keys(), earlier);
  });

  for (const status of [0, 502, 503, 504]) {
    test(`sends a post again under the same key after status ${status}`, async () => {
      board.fail(status).fail(status);
      outbox.post(THREAD, "Again", null);
      await settled();
      assert.equal(board.requests.length, 3);
      assert.equal(new Set(keys()).size, 1);
      assert.deepEqual(outbox.of(THREAD), []);
    });
  }

  test("gives each post a key of its own", async () => {
    outbox.post(THREAD, "Same", null);
    outbox.post(THREAD, "Same", null);
    await settled();
    assert.equal(new Set(keys()).size, 2);
  });

  test("waits as long as Retry-After says after a 429", async () => {
    board.fail(429, { retryAfter: 17 });
    /** @type {unknown[]} */
    const seen = [];
    outbox.addEventListener("change", () => seen.push(...states()));
    outbox.post(THREAD, "Slowly", null);
    await settled();
    assert.deepEqual(waits, [17]);
    assert.ok(seen.includes("waiting"));
    assert.equal(board.requests.length, 2);
  });

  test("tries again while a 409 says that an earlier attempt is still in progress", async () => {
    board.fail(0).fail(409).fail(409);
    outbox.post(THREAD, "Twice?", null);
    await settled();
    assert.equal(board.requests.length, 4);
    assert.equal(new Set(keys()).size, 1);
    assert.deepEqual(outbox.of(THREAD), []);
  });

  test("treats a 409 to the first attempt as a refusal", async () => {
    board.fail(409);
    outbox.post(THREAD, "Locked", null);
    await settled();
    assert.deepEqual(states(), ["refused"]);
    assert.equal(board.requests.length, 1);
  });

  test("keeps a refused post, with the problem, and sends the next one", async () => {
    board.fail(422);
    outbox.post(THREAD, "Refused", null);
    outbox.post(THREAD, "Fine", null);
    await settled();
    const [refused] = outbox.of(THREAD);
    assert.equal(refused?.text, "Refused");
    assert.equal(refused?.problem?.status, 422);
    assert.equal(board.requests.length, 2);
  });

  test("forgets a post that the visitor discards", async () => {
    board.fail(422);
    outbox.post(THREAD, "Refused", null);
    await settled();
    const [refused] = outbox.of(THREAD);
    assert.ok(refused);
    outbox.withdraw(refused);
    assert.deepEqual(outbox.of(THREAD), []);
    assert.deepEqual(storage.read("outbox", null), []);
  });

  test("returns the pending posts of one thread only", () => {
    board.run(() => new Promise(() => {}));
    outbox.post(THREAD, "Here", null);
    assert.deepEqual(outbox.of(THREAD + 1), []);
  });

  test("shows and sends only the posts of the user who is signed in", async () => {
    board.run(() => new Promise(() => {}));
    outbox.post(THREAD, "Of user 1", null);
    await settled();
    board = new FakeBoard();
    session.user = user(2);
    outbox = newOutbox();
    outbox.resume();
    await settled();
    assert.deepEqual(outbox.of(THREAD), []);
    assert.deepEqual(sent(), []);
    session.user = user(1);
    outbox.resume();
    await settled();
    assert.deepEqual(sent(), [{ thread: THREAD, text: "Of user 1", replyTo: null }]);
  });

  test("sends a post once more when the visitor signs in again after their session has ended", async () => {
    signIn = async (ended) => {
      assert.equal(ended, true);
      session.set({ ...user(1), name: "Signed in again" });
      return true;
    };
    board.fail(401).answer({ id: 5 });
    outbox.post(THREAD, "Not lost", null);
    await settled();
    assert.equal(board.requests.length, 2);
    assert.equal(new Set(keys()).size, 1);
    assert.deepEqual(outbox.of(THREAD), []);
    assert.deepEqual(storage.read("outbox", null), []);
  });

  test("keeps a post when the visitor does not sign in again, and sends it when they do", async () => {
    board.fail(401);
    outbox.post(THREAD, "Kept", null);
    await settled();
    assert.equal(session.user, null);
    session.set(user(1));
    await settled();
    assert.equal(board.requests.length, 2);
    assert.deepEqual(outbox.of(THREAD), []);
  });
});
