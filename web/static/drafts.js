// What somebody was writing: stored on this device until it is sent or given up, so that it outlives the
// page and the session.

/** @typedef {{text: string, replyTo: {id: number, user: number} | null}} Draft
 * `replyTo` is the post that the draft answers. */

/** The draft of one place to write. */
export class DraftStore {
  #storage;
  #name;

  /** @param {Pick<Page.Storage, "read" | "write">} storage
   * @param {string} name */
  constructor(storage, name) {
    this.#storage = storage;
    this.#name = `draft:${name}`;
  }

  /** @returns {Draft | null} */
  read() {
    return this.#storage.read(this.#name, null);
  }

  /** Store a draft; one that says nothing beyond `initial`, and answers nothing, is removed.
   * @param {Draft} draft
   * @param {string} initial */
  save(draft, initial) {
    const worthStoring = (draft.text.trim() !== "" && draft.text !== initial) || draft.replyTo !== null;
    this.#storage.write(this.#name, worthStoring ? draft : null);
  }

  remove() {
    this.#storage.write(this.#name, null);
  }
}
