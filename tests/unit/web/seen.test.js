// Rules for marking posts as new.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { SeenPosts } from "../../../web/static/seen.js";
import { FakeStorage, user } from "./fakes.js";

const FIRST_VISIT = "2026-05-01T12:00:00.000Z";
const BEFORE = "2026-05-01T11:59:59.000Z";
const AFTER = "2026-05-01T12:00:01.000Z";

describe("seen posts", () => {
  /** @type {FakeStorage} */
  let storage;
  /** @type {{user: {id: number} | null}} */
  let session;
  /** @type {SeenPosts} */
  let seen;

  beforeEach(() => {
    storage = new FakeStorage();
    session = { user: null };
    seen = new SeenPosts({ storage, session, now: () => new Date(FIRST_VISIT) });
    seen.seenCount(1);
  });

  test("counts the posts of a thread that are new since it was read", () => {
    seen.markSeen(1, 3);
    assert.equal(seen.unreadCount({ id: 1, postCount: 5, lastPostAt: AFTER }), 2);
    assert.equal(seen.unreadCount({ id: 1, postCount: 3, lastPostAt: AFTER }), 0);
    assert.equal(seen.seenCount(1), 3);
  });

  test("returns at least zero when posts were removed", () => {
    seen.markSeen(1, 3);
    assert.equal(seen.unreadCount({ id: 1, postCount: 2, lastPostAt: AFTER }), 0);
  });

  test("does not count posts from before the first visit as new", () => {
    assert.equal(seen.unreadCount({ id: 1, postCount: 5, lastPostAt: BEFORE }), 0);
  });

  test("counts every post of a thread that has had one since the first visit", () => {
    assert.equal(seen.unreadCount({ id: 1, postCount: 5, lastPostAt: AFTER }), 5);
  });

  test("counts nothing in a thread without posts", () => {
    assert.equal(seen.unreadCount({ id: 1, postCount: 0, lastPostAt: null }), 0);
  });

  test("never counts a post as new again", () => {
    seen.markSeen(1, 5);
    seen.markSeen(1, 3);
    assert.equal(seen.seenCount(1), 5);
  });

  test("returns null for a thread that was never opened", () => {
    assert.equal(seen.seenCount(9), null);
  });

  test("is separate for each user of a device", () => {
    session.user = user(1);
    seen.markSeen(1, 5);
    session.user = user(2);
    assert.equal(seen.seenCount(1), null);
    session.user = null;
    assert.equal(seen.seenCount(1), null);
    session.user = user(1);
    assert.equal(seen.seenCount(1), 5);
  });

  test("remembers the first visit", () => {
    const later = new SeenPosts({ storage, session, now: () => new Date("2026-06-01T00:00:00Z") });
    assert.equal(later.unreadCount({ id: 1, postCount: 5, lastPostAt: AFTER }), 5);
  });

  test("forgets the oldest of more than a thousand threads", () => {
    for (let thread = 1; thread <= 1001; thread++) seen.markSeen(thread, 1);
    assert.equal(seen.seenCount(1), null);
    assert.equal(seen.seenCount(2), 1);
    assert.equal(seen.seenCount(1001), 1);
  });
});
