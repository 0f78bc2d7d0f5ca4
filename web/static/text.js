// The page's words. Another language is another file beside text/en.js.
import words from "./text/en.js";

const plurals = new Intl.PluralRules("en");
const numbers = new Intl.NumberFormat();

/** The words of a key, with values put in for `{name}`. Words that depend on a number are given as
 * `{one, other}` and chosen by the value `count`. */
export function t(key, values = {}) {
  const found = words[key];
  if (found === undefined) throw new Error(`There are no words for ${key}.`);
  const chosen = typeof found === "string" ? found : (found[plurals.select(values.count)] ?? found.other);
  return chosen.replace(/\{(\w+)\}/g, (_, name) => show(values[name]));
}

/** Whether a key has words. */
export function hasText(key) {
  return words[key] !== undefined;
}

function show(value) {
  return typeof value === "number" ? numbers.format(value) : String(value);
}
