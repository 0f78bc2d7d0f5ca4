// Whether this device shows the panel: a setting, and `?architecture=on` or `off` in any address.

const NAME = "architecture";

/** Dispatches `change` when it was switched, here or in another tab. */
export class PanelSwitch extends EventTarget {
  #storage;
  #on;

  /** @param {{storage: Page.Storage}} parts */
  constructor({ storage }) {
    super();
    this.#storage = storage;
    this.#on = isOn(storage);
    storage.onChangeInOtherTab(NAME, () => this.#set(isOn(storage)));
  }

  get on() {
    return this.#on;
  }

  /** @param {boolean} on */
  turn(on) {
    this.#storage.write(NAME, on ? true : null);
    this.#set(on);
  }

  /** Do what the address asks for. Returns the address without the parameter, or null if it has none.
   * @param {URL} address */
  obey(address) {
    const wish = address.searchParams.get(NAME);
    if (wish === null) return null;
    if (wish === "on" || wish === "off") this.turn(wish === "on");
    const rest = new URL(address);
    rest.searchParams.delete(NAME);
    return rest;
  }

  /** @param {boolean} on */
  #set(on) {
    if (on === this.#on) return;
    this.#on = on;
    this.dispatchEvent(new Event("change"));
  }
}

/** Whether what is stored says so; it may be anything.
 * @param {Page.Storage} storage */
function isOn(storage) {
  /** @type {unknown} */
  const stored = storage.read(NAME, null);
  return stored === true;
}
