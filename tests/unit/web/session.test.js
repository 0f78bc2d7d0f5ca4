// Rules for the session of the user who is signed in on this device.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { Problem } from "../../../web/static/problem.js";
import { Session } from "../../../web/static/session.js";
import { FakeBoard, FakeStorage, user } from "./fakes.js";

/** @param {number} status
 * @returns {never} */
function fails(status) {
  throw new Problem({ status, slug: "some-problem" });
}

describe("session", () => {
  /** @type {FakeBoard} */
  let board;
  /** @type {FakeStorage} */
  let storage;
  /** @type {Session} */
  let session;
  /** Whether the session had ended, each time that the visitor was asked to sign in.
   * @type {boolean[]} */
  let dialogs;
  let signsIn = true;
  let changes = 0;

  beforeEach(() => {
    board = new FakeBoard();
    storage = new FakeStorage();
    dialogs = [];
    signsIn = true;
    changes = 0;
    session = new Session({
      storage,
      ask: board.ask,
      cacheUser: () => {},
      askToSignIn: async (ended) => {
        dialogs.push(ended);
        return signsIn;
      },
    });
    session.addEventListener("change", () => changes++);
  });

  test("restores the user at the next visit", async () => {
    board.answer({ token: "t", expiresAt: "", user: user(1) });
    await session.signIn("user-1", "seven quiet herons");
    const next = new Session({ storage, ask: board.ask, cacheUser: () => {}, askToSignIn: async () => false });
    next.start();
    assert.deepEqual(next.user, user(1));
  });

  test("stores no password and no token", async () => {
    board.answer({ token: "the-token", expiresAt: "", user: user(1) });
    await session.signIn("user-1", "seven quiet herons");
    assert.doesNotMatch(JSON.stringify([...storage.values]), /the-token|herons/);
  });

  test("ends in every tab when the visitor signs out in one", () => {
    session.start();
    session.set(user(1));
    storage.changeInOtherTab("user", null);
    assert.equal(session.user, null);
    assert.equal(changes, 2);
  });

  test("sends no request while nobody is signed in", async () => {
    await session.refresh();
    assert.deepEqual(board.requests, []);
  });

  test("ends when the board answers that it has ended", async () => {
    session.set(user(1));
    board.fail(401);
    await session.refresh();
    assert.equal(session.user, null);
  });

  test("stays while the board is down", async () => {
    session.set(user(1));
    board.fail(503);
    await session.refresh();
    assert.deepEqual(session.user, user(1));
  });

  test("ends on this device if it has already ended when signing out", async () => {
    session.set(user(1));
    board.fail(401);
    await session.signOut();
    assert.equal(session.user, null);
  });

  test("stays when signing out fails", async () => {
    session.set(user(1));
    board.fail(503);
    await assert.rejects(session.signOut());
    assert.deepEqual(session.user, user(1));
  });

  test("dispatches a change only when something has changed", () => {
    session.set(user(1));
    session.set(user(1));
    session.set({ ...user(1), name: "Renamed" });
    assert.equal(changes, 2);
  });

  test("runs an action at once while somebody is signed in", async () => {
    session.set(user(1));
    assert.equal(await session.run(async () => "done"), "done");
    assert.deepEqual(dialogs, []);
  });

  test("asks a visitor to sign in before an action that needs a session", async () => {
    assert.equal(await session.run(async () => "done"), "done");
    assert.deepEqual(dialogs, [false]);
  });

  test("runs no action for a visitor who declines to sign in", async () => {
    signsIn = false;
    assert.equal(await session.run(() => assert.fail("it was run")), null);
  });

  test("runs an action again once the visitor has signed in after their session has ended", async () => {
    session.set(user(1));
    let runs = 0;
    const action = async () => (++runs === 1 ? fails(401) : "done");
    assert.equal(await session.run(action), "done");
    assert.deepEqual(dialogs, [true]);
  });

  test("ends when the visitor declines to sign in again", async () => {
    session.set(user(1));
    signsIn = false;
    assert.equal(await session.run(async () => fails(401)), null);
    assert.equal(session.user, null);
  });

  test("raises every other problem", async () => {
    session.set(user(1));
    await assert.rejects(
      session.run(async () => fails(403)),
      { status: 403 },
    );
    assert.deepEqual(dialogs, []);
  });

  for (const [role, isModerator, isAdmin] of /** @type {[Api.Role, boolean, boolean][]} */ ([
    ["member", false, false],
    ["moderator", true, false],
    ["admin", true, true],
  ])) {
    test(`knows what a ${role} may do`, () => {
      session.set({ ...user(1), role });
      assert.deepEqual([session.isModerator, session.isAdmin], [isModerator, isAdmin]);
    });
  }

  test("allows no moderation without a signed-in user", () => {
    assert.deepEqual([session.isModerator, session.isAdmin], [false, false]);
  });
});
