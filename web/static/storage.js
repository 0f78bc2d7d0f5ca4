// Values that this device stores for the board. The page also works if the browser stores nothing, or its
// storage is full.

const PREFIX = "board:";

/** The value stored under a name, or `otherwise`.
 * @template Stored
 * @param {string} name
 * @param {Stored} otherwise
 * @returns {Stored} */
export function read(name, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + name) ?? "null") ?? otherwise;
  } catch {
    return otherwise;
  }
}

/** Store a value; `null` removes it. Returns whether this succeeded.
 * @param {string} name
 * @param {unknown} value */
export function write(name, value) {
  try {
    if (value === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

/** The value that this tab stores under a name until it is closed, or `otherwise`.
 * @template Stored
 * @param {string} name
 * @param {Stored} otherwise
 * @returns {Stored} */
export function readForTab(name, otherwise) {
  try {
    return JSON.parse(sessionStorage.getItem(PREFIX + name) ?? "null") ?? otherwise;
  } catch {
    return otherwise;
  }
}

/** Store a value until this tab is closed; `null` removes it. Returns whether this succeeded.
 * @param {string} name
 * @param {unknown} value */
export function writeForTab(name, value) {
  try {
    if (value === null) sessionStorage.removeItem(PREFIX + name);
    else sessionStorage.setItem(PREFIX + name, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

/** Call `changed` when another tab stores something under this name.
 * @param {string} name
 * @param {() => void} changed */
export function onChangeInOtherTab(name, changed) {
  addEventListener("storage", (event) => {
    if (event.key === PREFIX + name || event.key === null) changed();
  });
}
