// Why a search found nothing, as far as the words tell.

const LETTERS = /[\p{L}\p{N}]/u;
/** Scripts without spaces between words, where one character may be a word. */
const UNSPACED =
  /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|\p{Script=Thai}|\p{Script=Lao}|\p{Script=Khmer}|\p{Script=Myanmar}/u;

/** The key of a text that says what to type instead.
 * @param {string} query */
export function whyNothing(query) {
  const parts = query.split(/\s+/).filter((part) => LETTERS.test(part) && part.toLowerCase() !== "or");
  if (parts.length === 0) return "search-no-words";
  const wanted = parts.filter((part) => !/^-[\p{L}\p{N}]/u.test(part));
  if (wanted.length === 0) return "search-only-excluded";
  if (wanted.some((part) => /(^|[^\p{L}\p{N}])[\p{L}\p{N}]{1,2}\*/u.test(part))) return "search-short-prefix";
  if (wanted.some((part) => isOneLetter(part))) return "search-one-letter";
  return "search-whole-words";
}

/** @param {string} part */
function isOneLetter(part) {
  const letters = [...part].filter((character) => LETTERS.test(character));
  return letters.length === 1 && !UNSPACED.test(part);
}
