// Long lists: pages are loaded as the visitor scrolls, and removed from the document when they are far away,
// so that a list of thousands of items costs no more than one of a hundred.
import { h } from "./dom.js";
import { getPage, retryWhileDown } from "./http.js";
import { describeProblem, loading } from "./notices.js";
import { Problem } from "./problem.js";
import { t } from "./text.js";
import { known } from "./users.js";

/** Pages within this distance of the visible part stay in the document. */
const NEAR = "3000px";
/** The next page of a list is loaded within this distance of its end. */
const SOON = "1200px";

/** Milliseconds without an answer after which a list says that it is being loaded. */
const SLOW_AFTER = 3000;

/** @typedef {{url: string | null, element: HTMLElement, shown: boolean, count: number,
 *   loading: Promise<void> | null, from: number, to: number}} Chunk
 * One page of a list. `url` is null for items that came one by one; `count` is how many it shows. In a list
 * ordered by id, ids above `from` up to `to` belong to it. */

/** @template {{id: number}} Item */
export class PagedList {
  /** @type {Chunk[]} */
  #chunks = [];
  /** @type {string | null} */
  #next;
  /** @type {Promise<void> | null} */
  #loading = null;
  /** @type {Set<number>} */
  #ids = new Set();
  #fromBeginning = false;
  #row;
  #link;
  #empty;
  #signal;
  #between;
  #ready;
  #people;
  #served;
  #near;
  #soon;
  #note = h("p", { class: "list-note", role: "status" });

  /** `first` is the API path of the first page; `row(item)` returns an item's element, with its id as
   * `data-id`; `link(path)` returns the address at which a visitor finds the page that begins there; `empty` is
   * shown for a list without items; `onItems(items)` receives each page once; `between(from, to)` returns the
   * elements that a list in ascending order of ids shows beside its items, with ids above `from` up to `to`.
   * No item is shown before `ready` resolves: what stands above the list is complete by then. `people(item)`
   * returns the ids of the users whose names an item shows. `served` is the first page, if the server has sent it.
   * @param {{first: string, row: (item: Item) => HTMLElement, link: (path: string) => string, empty: string,
   *   onItems?: (items: Item[]) => void, between?: (from: number, to: number) => HTMLElement[], more?: string,
   *   ready?: Promise<unknown>, served?: Page.ListPage<Item> | null, people?: (item: Item) => (number | null)[], signal: AbortSignal}} parts */
  constructor(parts) {
    const { first, row, link, empty, onItems = () => {}, between = () => [], more = t("more"), signal } = parts;
    this.#ready = parts.ready ?? Promise.resolve();
    this.#people = parts.people ?? (() => []);
    this.#served = parts.served ?? null;
    this.#next = first;
    this.#row = row;
    this.#link = link;
    this.#empty = empty;
    this.#signal = signal;
    this.#between = between;
    this.onItems = onItems;
    this.list = h("div", { class: "list" });
    this.more = h("a", { class: "more", href: link(first), onclick: (event) => this.#onMoreClick(event) }, more);
    this.element = h("div", {}, this.list, this.#note, this.more);
    this.more.hidden = true;
    // What is scrolled to as it appears must not have had a place before.
    this.element.hidden = true;
    this.element.setAttribute("aria-busy", "true");
    setTimeout(() => this.element.hidden && this.#show(loading()), SLOW_AFTER);
    this.#near = new IntersectionObserver((entries) => entries.forEach((entry) => this.#onVisibility(entry)), {
      rootMargin: NEAR,
    });
    this.#soon = new IntersectionObserver((entries) => void (entries[0]?.isIntersecting && this.load()), {
      rootMargin: SOON,
    });
    signal.addEventListener("abort", () => {
      this.#near.disconnect();
      this.#soon.disconnect();
    });
  }

  /** Whether the last page has been loaded. */
  get complete() {
    return this.#next === null;
  }

  /** Whether the first page that was loaded is the beginning of the list. */
  get fromBeginning() {
    return this.#fromBeginning;
  }

  /** In a list in ascending order of ids, the id above which the loaded items are. */
  get from() {
    return this.#chunks[0]?.from ?? 0;
  }

  /** How many of the loaded items have ids above one.
   * @param {number} id */
  countAbove(id) {
    return [...this.#ids].filter((loaded) => loaded > id).length;
  }

  /** How many items have been loaded. */
  get count() {
    return this.#ids.size;
  }

  /** Stop loading pages when the visitor scrolls near the end. */
  loadOnlyOnClick() {
    this.#soon.disconnect();
  }

  /** Load the next page, if there is one. Simultaneous calls load only one. */
  load() {
    this.#loading ??= this.#load().finally(() => (this.#loading = null));
    return this.#loading;
  }

  /** Load pages until `found(items)` is true of one, or the end; the others are not shown yet.
   * @param {(items: Item[]) => boolean} found */
  async loadUntil(found = () => false) {
    await this.#loading;
    while (this.#next !== null) {
      const url = this.#next.replace(/limit=\d+/, "limit=100");
      const page = await this.#fetch(url);
      const here = found(page.items);
      this.#add(url, page, !here && page.next !== null);
      if (here) return;
    }
  }

  /** Show a new item at the end, if the end has been loaded. Returns whether the item is in the list.
   * @param {Item} item */
  append(item) {
    if (this.#ids.has(item.id)) return true;
    if (!this.complete) return false;
    if (this.#chunks.length === 0) this.#add(null, { items: [], next: null, first: null });
    this.#ids.add(item.id);
    this.#chunks.at(-1)?.element.append(this.#row(item));
    this.#showNote();
    return true;
  }

  /** Show an item that is not the newest in a list in ascending order of ids, if its page has been loaded.
   * @param {Item} item */
  insert(item) {
    const chunk = this.#chunks.find(({ from, to }) => item.id > from && item.id <= to);
    if (!chunk || this.#ids.has(item.id)) return;
    this.#ids.add(item.id);
    if (chunk.shown) putInOrder(chunk.element, this.#row(item));
    this.#showNote();
  }

  /** Show an element in the place of an item, which is no longer counted.
   * @param {number} id
   * @param {HTMLElement} element */
  replace(id, element) {
    this.#ids.delete(id);
    this.find(id)?.replaceWith(element);
    this.#showNote();
  }

  /** Whether an item has been loaded.
   * @param {number} id */
  has(id) {
    return this.#ids.has(id);
  }

  /** The element of an item, or null if it is not in the document now.
   * @param {number} id
   * @returns {HTMLElement | null} */
  find(id) {
    return this.list.querySelector(`[data-id="${id}"]`);
  }

  /** Replace the element of an item that has changed, if it is shown.
   * @param {Item} item */
  update(item) {
    this.find(item.id)?.replaceWith(this.#row(item));
  }

  /** No longer count an item, which may be inserted again.
   * @param {number} id */
  forget(id) {
    this.#ids.delete(id);
  }

  /** @param {number} id */
  remove(id) {
    this.find(id)?.remove();
    this.#ids.delete(id);
    this.#showNote();
  }

  /** Scroll somewhere, and there again once pages whose height was only estimated have been shown.
   * @param {() => void} scroll */
  async scrollUntilStable(scroll) {
    for (let turn = 0; turn < 10; turn++) {
      scroll();
      // Observers are called after the next frame.
      await new Promise((resolve) => setTimeout(resolve, 60));
      const restoring = this.#chunks.map((chunk) => chunk.loading).filter(Boolean);
      if (restoring.length === 0) return;
      await Promise.all(restoring);
    }
  }

  /** @param {string} url
   * @returns {Promise<Page.ListPage<Item>>} */
  async #fetch(url) {
    /** @type {Page.ListPage<Item>} */
    const page = await retryWhileDown(() => getPage(url, { signal: this.#signal }), this.#signal);
    await known(page.items.flatMap((item) => this.#people(item)));
    return page;
  }

  async #load() {
    const url = this.#next;
    if (url === null || this.#signal.aborted) return;
    try {
      const page = this.#served ?? (await this.#fetch(url));
      this.#served = null;
      await this.#ready;
      this.#add(url, page);
    } catch (problem) {
      if (this.#signal.aborted) return;
      if (!(problem instanceof Problem)) throw problem;
      this.#show(describeProblem(problem));
    }
  }

  /** @param {string | null} url
   * @param {Page.ListPage<Item>} page */
  #add(url, page, outOfSight = false) {
    const element = h("div", { class: "chunk" });
    const last = this.#chunks.at(-1);
    /** @type {Chunk} */
    const chunk = { url, element, shown: false, count: 0, loading: null, from: 0, to: Infinity };
    // In a list ordered by activity, an item that moved up while the visitor reads comes twice.
    const fresh = page.items.filter((item) => !this.#ids.has(item.id));
    // A list may begin in the middle, where its address says so.
    if (last) chunk.from = last.to;
    else {
      const isCursor = new URL(url ?? "", location.origin).searchParams.has("after");
      this.#fromBeginning = page.first === null && !isCursor;
      if (!this.#fromBeginning) chunk.from = (fresh[0]?.id ?? 1) - 1;
    }
    if (page.next !== null) chunk.to = fresh.at(-1)?.id ?? chunk.from;
    this.#chunks.push(chunk);
    this.list.append(element);
    this.#reveal();
    if (outOfSight) {
      for (const item of fresh) this.#ids.add(item.id);
      element.style.height = `${this.#averageHeight() * fresh.length}px`;
    } else {
      this.#fill(chunk, fresh);
    }
    this.#next = page.next;
    this.onItems(fresh);
    this.#near.observe(element);
    this.more.hidden = page.next === null;
    if (page.next !== null) {
      this.more.href = this.#link(page.next);
      this.#soon.unobserve(this.more);
      this.#soon.observe(this.more);
    }
    this.#showNote();
  }

  /** @param {Chunk} chunk
   * @param {Item[]} items */
  #fill(chunk, items) {
    for (const item of items) this.#ids.add(item.id);
    chunk.element.replaceChildren(...items.map((item) => this.#row(item)));
    for (const element of this.#between(chunk.from, chunk.to)) putInOrder(chunk.element, element);
    chunk.element.style.height = "";
    chunk.count = items.length;
    chunk.shown = true;
  }

  /** @param {IntersectionObserverEntry} entry */
  #onVisibility({ target, isIntersecting }) {
    const chunk = this.#chunks.find(({ element }) => element === target);
    if (!chunk) return;
    // The last chunk may hold items that came one by one, which no single path leads to.
    const stays =
      chunk === this.#chunks.at(-1) || target.contains(document.activeElement) || target.querySelector("form, dialog");
    if (isIntersecting && !chunk.shown) chunk.loading ??= this.#restore(chunk);
    else if (!isIntersecting && chunk.shown && !stays) {
      chunk.element.style.height = `${chunk.element.offsetHeight}px`;
      chunk.element.replaceChildren();
      chunk.shown = false;
    }
  }

  /** @param {Chunk} chunk */
  async #restore(chunk) {
    try {
      if (chunk.url !== null) this.#fill(chunk, (await this.#fetch(chunk.url)).items);
    } catch (problem) {
      if (!this.#signal.aborted) throw problem;
    } finally {
      chunk.loading = null;
    }
  }

  /** The average height of an item, in pixels. */
  #averageHeight() {
    const shown = this.#chunks.filter((chunk) => chunk.shown && chunk.count > 0);
    const heights = shown.map((chunk) => chunk.element.offsetHeight / chunk.count);
    return heights.length ? heights.reduce((sum, height) => sum + height) / heights.length : 160;
  }

  #reveal() {
    this.element.hidden = false;
    this.element.removeAttribute("aria-busy");
  }

  /** @param {string | HTMLElement} note */
  #show(note) {
    this.#reveal();
    this.#note.replaceChildren(note);
  }

  #showNote() {
    const nothing =
      this.complete && !this.list.querySelector("[data-id]") && this.#chunks.every((chunk) => chunk.shown);
    this.#note.textContent = nothing ? this.#empty : "";
  }

  /** @param {MouseEvent} event */
  #onMoreClick(event) {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    this.load();
  }
}

/** Put an element among others in ascending order of ids.
 * @param {HTMLElement} parent
 * @param {HTMLElement} element */
function putInOrder(parent, element) {
  const id = Number(element.dataset.id);
  const next = [...parent.children].find((child) => child instanceof HTMLElement && Number(child.dataset.id) > id);
  parent.insertBefore(element, next ?? null);
}

/** Where a visitor finds the page that begins at the cursor of an API path: `place`, from there on.
 * @param {string} place
 * @returns {(path: string) => string} */
export function linkFrom(place) {
  return (path) => {
    const url = new URL(place, location.origin);
    url.searchParams.set("after", new URL(path, location.origin).searchParams.get("after") ?? "");
    return url.pathname + url.search;
  };
}

/** An API path with the cursor that the page's own address carries.
 * @param {string} path
 * @param {URL} address */
export function fromCursor(path, address) {
  const after = address.searchParams.get("after");
  return after === null ? path : `${path}${path.includes("?") ? "&" : "?"}after=${encodeURIComponent(after)}`;
}
