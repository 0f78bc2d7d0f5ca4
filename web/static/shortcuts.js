// Shortcuts of one key, which do nothing while somebody writes, or has turned them off.

/** The action of each key. */
export const KEYS = /** @type {const} */ ({ j: "next", k: "previous", r: "reply", "/": "search", "?": "help" });

/** @typedef {(typeof KEYS)[keyof typeof KEYS]} Action */

/** The action of a key that was pressed, or null if it has none there.
 * @param {Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey" | "defaultPrevented">} event
 * @param {{isWriting: boolean, isInDialog: boolean}} place where it was pressed
 * @returns {Action | null} */
export function actionOf(event, { isWriting, isInDialog }) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return null;
  if (isWriting || isInDialog) return null;
  return Object.hasOwn(KEYS, event.key) ? KEYS[/** @type {keyof typeof KEYS} */ (event.key)] : null;
}

/** The index of the next item, or of the previous one; -1 if there is none. From outside of the list, `j` leads
 * to the first item that begins below `top`, and `k` to the last one above it.
 * @param {number[]} tops the items' upper edges, in ascending order
 * @param {{current: number, top: number, forward: boolean}} from `current` is the index of the focused item, or -1 */
export function neighbour(tops, { current, top, forward }) {
  if (current >= 0) return forward ? (current + 1 < tops.length ? current + 1 : -1) : current - 1;
  return forward ? tops.findIndex((one) => one >= top) : tops.findLastIndex((one) => one < top);
}
