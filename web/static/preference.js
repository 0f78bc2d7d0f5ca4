// A choice between on and off that this device stores.

/** Dispatches `change` when it was switched, here or in another tab. */
export class Preference extends EventTarget {
  #storage;
  #name;
  #initially;
  #on;

  /** Stored under `name`, unless it is as `initially`.
   * @param {{storage: Page.Storage, name: string, initially?: boolean}} parts */
  constructor({ storage, name, initially = false }) {
    super();
    this.#storage = storage;
    this.#name = name;
    this.#initially = initially;
    this.#on = this.#stored();
    storage.onChangeInOtherTab(name, () => this.#set(this.#stored()));
  }

  get on() {
    return this.#on;
  }

  /** @param {boolean} on */
  turn(on) {
    this.#storage.write(this.#name, on === this.#initially ? null : on);
    this.#set(on);
  }

  /** What is stored may be anything. */
  #stored() {
    /** @type {unknown} */
    const stored = this.#storage.read(this.#name, null);
    return typeof stored === "boolean" ? stored : this.#initially;
  }

  /** @param {boolean} on */
  #set(on) {
    if (on === this.#on) return;
    this.#on = on;
    this.dispatchEvent(new Event("change"));
  }
}
