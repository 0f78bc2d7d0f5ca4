// Rules for the buttons that add Markdown.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { formatted } from "../../../web/static/markdown/format.js";

/** A text in which `[` and `]` enclose what is selected.
 * @param {string} marked */
function selected(marked) {
  const start = marked.indexOf("[");
  return { text: marked.replace("[", "").replace("]", ""), start, end: marked.indexOf("]") - 1 };
}

/** @param {import("../../../web/static/markdown/format.js").Selected} result */
function shown({ text, start, end }) {
  return `${text.slice(0, start)}[${text.slice(start, end)}]${text.slice(end)}`;
}

describe("formatting", () => {
  test("encloses the selected words, which stay selected, and takes that back", () => {
    const bold = formatted("bold", selected("a [warm] oven"));
    assert.equal(shown(bold), "a **[warm]** oven");
    assert.equal(shown(formatted("bold", bold)), "a [warm] oven");
    assert.equal(shown(formatted("italic", selected("[]"))), "*[]*");
    assert.equal(shown(formatted("code", selected("run [ls]"))), "run `[ls]`");
  });

  test("begins each selected line, from its start, and takes that back", () => {
    const quoted = formatted("quote", selected("one\ntw[o\nthr]ee"));
    assert.equal(quoted.text, "one\n> two\n> three");
    assert.equal(formatted("quote", selected("one\n[> two\n> thr]ee")).text, "one\ntwo\nthree");
    assert.equal(formatted("list", selected("[]")).text, "- ");
  });

  test("makes tasks of the selected lines, and takes that back", () => {
    const tasks = formatted("tasks", selected("[one\ntwo]"));
    assert.equal(tasks.text, "- [ ] one\n- [ ] two");
    assert.equal(formatted("tasks", tasks).text, "one\ntwo");
  });

  test("adds a footnote with the next number, which is to be written at the end", () => {
    const first = formatted("footnote", { text: "warm, cold.\n", start: 0, end: 4 });
    assert.equal(shown(first), "warm[^1], cold.\n\n[^1]: []");
    const place = first.text.indexOf(".");
    const second = formatted("footnote", { text: `${first.text}one`, start: place, end: place });
    assert.equal(shown(second), "warm[^1], cold[^2].\n\n[^1]: one\n[^2]: []");
  });

  test("makes a link of which the address is selected", () => {
    assert.equal(shown(formatted("link", { text: "see this", start: 4, end: 8 })), "see [this]([https://])");
  });
});
