// Unsent texts: stored on this device until they are sent or discarded, so that they outlive the page and the
// session.

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

  /** Store a draft; remove it if its text is still `initial` and it is no reply.
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
