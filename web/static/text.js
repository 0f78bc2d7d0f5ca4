// The page's texts. Another language has other files beside those in text/.
import english from "./text/en.js";

/** @type {Record<string, string | {one: string, other: string}>} */
const words = { ...english };
const plurals = new Intl.PluralRules("en");
const numbers = new Intl.NumberFormat();

/** The text of a key, with each `{name}` replaced by its value. Of a text with the forms `{one, other}`, the
 * value `count` selects one.
 * @param {string} key
 * @param {Record<string, string | number>} [values] */
export function t(key, values = {}) {
  const found = words[key];
  if (found === undefined) throw new Error(`There are no words for ${key}.`);
  const chosen =
    typeof found === "string" ? found : found[plurals.select(Number(values.count)) === "one" ? "one" : "other"];
  return chosen.replace(/\{(\w+)\}/g, (_, name) => show(values[name]));
}

/** Add texts that only some views need, and load themselves.
 * @param {Record<string, string>} texts */
export function addTexts(texts) {
  Object.assign(words, texts);
}

/** Whether a key has a text.
 * @param {string} key */
export function hasText(key) {
  return words[key] !== undefined;
}

/** @param {string | number | undefined} value */
function show(value) {
  return typeof value === "number" ? numbers.format(value) : String(value);
}
