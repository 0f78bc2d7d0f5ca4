// Several lists of the API, each the newest first, read as one that is the newest first.

/** @template {{at: string}} Item
 * @typedef {{name: string, next: string | null, items: Item[]}} Source
 * A list; `items` have been read and not returned yet, `next` is the API path of what follows. */

/** @template {{at: string}} Item */
export class MergedLists {
  /** @type {Source<Item>[]} */
  #sources;
  #getPage;

  /** `paths` are the API paths of the lists by name; `getPage` reads one of their pages.
   * @param {Record<string, string>} paths
   * @param {(path: string) => Promise<Page.ListPage<Item>>} getPage */
  constructor(paths, getPage) {
    this.#sources = Object.entries(paths).map(([name, next]) => ({ name, next, items: [] }));
    this.#getPage = getPage;
  }

  /** Whether every item has been returned. */
  get complete() {
    return this.#sources.every((source) => source.next === null && source.items.length === 0);
  }

  /** The next items, each with the name of its list. A list that cannot be read raises what `getPage` raises;
   * nothing is lost then.
   * @param {number} limit
   * @returns {Promise<(Item & {source: string})[]>} */
  async next(limit) {
    const merged = [];
    while (merged.length < limit) {
      try {
        await Promise.all(this.#sources.map((source) => this.#refill(source)));
      } catch (problem) {
        if (merged.length > 0) break;
        throw problem;
      }
      const newest = this.#sources
        .filter((source) => source.items.length > 0)
        .reduce(
          (/** @type {Source<Item> | null} */ found, source) => (found && at(found) >= at(source) ? found : source),
          null,
        );
      const item = newest?.items.shift();
      if (!newest || !item) break;
      merged.push({ ...item, source: newest.name });
    }
    return merged;
  }

  /** @param {Source<Item>} source */
  async #refill(source) {
    while (source.items.length === 0 && source.next !== null) {
      const page = await this.#getPage(source.next);
      source.items.push(...page.items);
      source.next = page.next;
    }
  }
}

/** When the next item of a source happened. Times of the API sort as text.
 * @param {Source<{at: string}>} source */
function at(source) {
  return source.items[0]?.at ?? "";
}
