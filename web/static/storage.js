// What is kept on this device. A browser that keeps nothing, or has no room, loses no more than that.

const PREFIX = "board:";

/** What was kept under a name, or `otherwise`. */
export function read(name, otherwise = null) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + name)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

/** Keep a value; `null` forgets it. Whether that was possible. */
export function write(name, value) {
  try {
    if (value === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

/** Call back when another tab keeps something under this name. */
export function onChangeInOtherTab(name, heard) {
  addEventListener("storage", (event) => {
    if (event.key === PREFIX + name || event.key === null) heard();
  });
}
