// Rules for drafts: an unsent text is restored until it is sent or discarded.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { DraftStore } from "../../../web/static/drafts.js";
import { FakeStorage } from "./fakes.js";

describe("a draft", () => {
  const answered = { id: 12, user: 3 };
  /** @type {FakeStorage} */
  let storage;
  /** @type {DraftStore} */
  let draft;

  beforeEach(() => {
    storage = new FakeStorage();
    draft = new DraftStore(storage, "thread:7");
  });

  test("is restored at the next visit", () => {
    draft.save({ text: "Half a th", replyTo: answered }, "");
    assert.deepEqual(new DraftStore(storage, "thread:7").read(), { text: "Half a th", replyTo: answered });
  });

  test("is separate for each place to write", () => {
    draft.save({ text: "Half a th", replyTo: null }, "");
    assert.equal(new DraftStore(storage, "thread:8").read(), null);
  });

  test("leaves nothing on the device once it is removed", () => {
    draft.save({ text: "Half a th", replyTo: null }, "");
    draft.remove();
    assert.equal(storage.values.size, 0);
  });

  for (const text of ["", "  \n", "What was there"]) {
    test(`is not stored without a new text (${JSON.stringify(text)})`, () => {
      draft.save({ text: "Something", replyTo: null }, "What was there");
      draft.save({ text, replyTo: null }, "What was there");
      assert.equal(storage.values.size, 0);
    });
  }

  test("is stored without a text if it is a reply", () => {
    draft.save({ text: "", replyTo: answered }, "");
    assert.deepEqual(draft.read(), { text: "", replyTo: answered });
  });
});
