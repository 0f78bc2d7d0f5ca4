// Adds Markdown to a text that somebody is writing.

/** What encloses the selected text. */
const AROUND = /** @type {const} */ ({ bold: "**", italic: "*", code: "`" });
/** What begins each selected line. */
const BEFORE = /** @type {const} */ ({ quote: "> ", list: "- ", tasks: "- [ ] " });

/** @typedef {keyof typeof AROUND | keyof typeof BEFORE | "link" | "footnote"} Format */

/** @typedef {{text: string, start: number, end: number}} Selected
 * A text, of which a part is selected. */

/** The text with its selected part formatted, or no longer so if it was. A link is to be completed: its address
 * is selected. A footnote belongs after what is selected, and is to be written at the end.
 * @param {Format} format
 * @param {Selected} selected
 * @returns {Selected} */
export function formatted(format, selected) {
  if (format === "link") return linked(selected);
  if (format === "footnote") return withNote(selected);
  if (format === "quote" || format === "list" || format === "tasks") return withLines(BEFORE[format], selected);
  return enclosed(AROUND[format], selected);
}

/** @param {string} mark
 * @param {Selected} selected
 * @returns {Selected} */
function enclosed(mark, { text, start, end }) {
  const { length } = mark;
  const before = text.slice(0, start);
  const after = text.slice(end);
  const middle = text.slice(start, end);
  if (before.endsWith(mark) && after.startsWith(mark)) {
    return { text: before.slice(0, -length) + middle + after.slice(length), start: start - length, end: end - length };
  }
  return { text: before + mark + middle + mark + after, start: start + length, end: end + length };
}

/** @param {string} mark
 * @param {Selected} selected
 * @returns {Selected} */
function withLines(mark, { text, start, end }) {
  const from = text.lastIndexOf("\n", start - 1) + 1;
  const lines = text.slice(from, end).split("\n");
  const marked = lines.every((line) => line.startsWith(mark));
  const changed = lines.map((line) => (marked ? line.slice(mark.length) : mark + line)).join("\n");
  return { text: text.slice(0, from) + changed + text.slice(end), start: from, end: from + changed.length };
}

/** @param {Selected} selected
 * @returns {Selected} */
function linked({ text, start, end }) {
  const address = "https://";
  const words = text.slice(start, end);
  const from = start + words.length + "[](".length;
  return {
    text: `${text.slice(0, start)}[${words}](${address})${text.slice(end)}`,
    start: from,
    end: from + address.length,
  };
}

/** @param {Selected} selected
 * @returns {Selected} */
function withNote({ text, end }) {
  const numbers = [...text.matchAll(/\[\^(\d{1,9})\]/g)].map((found) => Number(found[1]));
  const reference = `[^${Math.max(0, ...numbers) + 1}]`;
  const before = (text.slice(0, end) + reference + text.slice(end)).trimEnd();
  const afterNotes = /(?:^|\n)\[\^[^\]\s]+\]:.*$/.test(before);
  const changed = `${before}${afterNotes ? "\n" : "\n\n"}${reference}: `;
  return { text: changed, start: changed.length, end: changed.length };
}
