// Long lists: pages that load on as people scroll, and are taken out of the document when they are
// far away, so that a list of thousands costs no more than one of a hundred.
import { h } from "./dom.js";
import { getPage, Problem, retryWhileDown } from "./http.js";
import { describeProblem } from "./notices.js";
import { t } from "./text.js";

const NEAR = "3000px";
const SOON = "1200px";

/** A list made of pages.
 *
 * `first` is the API's path of the first page; `row(item)` makes an element of an item, with its id as
 * `data-id`; `link(path)` is where a visitor finds the page that begins there; `empty` is said of a
 * list without items; `onItems(items)` is told of each page the first time. */
export class PagedList {
  #chunks = [];
  #next;
  #loading = null;
  #ids = new Set();

  constructor({ first, row, link, empty, onItems = () => {}, more = t("more"), signal }) {
    Object.assign(this, { row, link, empty, onItems, signal });
    this.#next = first;
    this.list = h("div", { class: "list" });
    this.more = h("a", { class: "more", onclick: (event) => this.#onMoreClick(event) }, more);
    this.note = h("p", { class: "list-note", role: "status" }, t("loading"));
    this.element = h("div", {}, this.list, this.note, this.more);
    this.more.hidden = true;
    this.near = new IntersectionObserver((entries) => entries.forEach((entry) => this.#onVisibility(entry)), { rootMargin: NEAR });
    this.soon = new IntersectionObserver(([entry]) => entry.isIntersecting && this.load(), { rootMargin: SOON });
    signal.addEventListener("abort", () => (this.near.disconnect(), this.soon.disconnect()));
  }

  /** Whether the last page is here. */
  get complete() {
    return this.#next === null;
  }

  /** How many items have come so far. */
  get count() {
    return this.#ids.size;
  }

  /** Load the next page, if there is one. Several calls at once load one. */
  load() {
    this.#loading ??= this.#load().finally(() => (this.#loading = null));
    return this.#loading;
  }

  /** Load on until `found(items)` says so, or the end; pages on the way are only counted. */
  async loadUntil(found = () => false) {
    await this.#loading;
    while (!this.complete) {
      const url = this.#next.replace(/limit=\d+/, "limit=100");
      const page = await retryWhileDown(() => getPage(url, { signal: this.signal }), this.signal);
      const here = found(page.items);
      this.#add(url, page, !here && page.next !== null);
      if (here) return;
    }
  }

  /** Show an item that has just come into being at the end, when the end is here. Whether it is. */
  append(item) {
    if (this.#ids.has(item.id)) return true;
    if (!this.complete) return false;
    if (this.#chunks.length === 0) this.#add(null, { items: [], next: null });
    this.#ids.add(item.id);
    this.#chunks.at(-1).element.append(this.row(item));
    this.#showNote();
    return true;
  }

  /** The element of an item, or null when it is not in the document now. */
  find(id) {
    return this.list.querySelector(`[data-id="${id}"]`);
  }

  /** Show an item as it is now, if it is shown. */
  update(item) {
    this.find(item.id)?.replaceWith(this.row(item));
  }

  remove(id) {
    this.find(id)?.remove();
    this.#ids.delete(id);
    this.#showNote();
  }

  async #load() {
    if (this.complete || this.signal.aborted) return;
    const url = this.#next;
    try {
      const page = await retryWhileDown(() => getPage(url, { signal: this.signal }), this.signal);
      this.#add(url, page);
    } catch (problem) {
      if (this.signal.aborted) return;
      if (!(problem instanceof Problem)) throw problem;
      this.note.textContent = describeProblem(problem);
    }
  }

  #add(url, page, outOfSight = false) {
    const element = h("div", { class: "chunk" });
    const chunk = { url, element, shown: false };
    // In a list ordered by activity, what moved up while we read comes twice.
    const fresh = page.items.filter((item) => !this.#ids.has(item.id));
    this.#chunks.push(chunk);
    this.list.append(element);
    if (outOfSight) {
      for (const item of fresh) this.#ids.add(item.id);
      element.style.height = `${this.#height() * fresh.length}px`;
    } else {
      this.#fill(chunk, fresh);
    }
    this.#next = page.next;
    this.onItems(fresh);
    this.near.observe(element);
    this.more.hidden = this.complete;
    if (!this.complete) {
      this.more.href = this.link(page.next);
      this.soon.unobserve(this.more);
      this.soon.observe(this.more);
    }
    this.#showNote();
  }

  #fill(chunk, items) {
    for (const item of items) this.#ids.add(item.id);
    chunk.element.replaceChildren(...items.map((item) => this.row(item)));
    chunk.element.style.height = "";
    chunk.count = items.length;
    chunk.shown = true;
  }

  #onVisibility({ target, isIntersecting }) {
    const chunk = this.#chunks.find(({ element }) => element === target);
    // The last one may hold items that came one by one, which no single path leads to.
    const stays = chunk === this.#chunks.at(-1) || target.contains(document.activeElement) || target.querySelector("form, dialog");
    if (isIntersecting && !chunk.shown) chunk.loading ??= this.#restore(chunk);
    else if (!isIntersecting && chunk.shown && !stays) {
      target.style.height = `${target.offsetHeight}px`;
      target.replaceChildren();
      chunk.shown = false;
    }
  }

  /** Scroll somewhere, and there again when pages that were only estimated have come into view. */
  async scrollUntilStable(scroll) {
    for (let turn = 0; turn < 10; turn++) {
      scroll();
      // Observers are told after the next frame.
      await new Promise((resolve) => setTimeout(resolve, 60));
      const loading = this.#chunks.map((chunk) => chunk.loading).filter(Boolean);
      if (loading.length === 0) return;
      await Promise.all(loading);
    }
  }

  async #restore(chunk) {
    try {
      const page = await retryWhileDown(() => getPage(chunk.url, { signal: this.signal }), this.signal);
      this.#fill(chunk, page.items);
    } catch (problem) {
      if (!this.signal.aborted) throw problem;
    } finally {
      chunk.loading = null;
    }
  }

  #height() {
    const shown = this.#chunks.filter((chunk) => chunk.shown && chunk.count > 0);
    const heights = shown.map((chunk) => chunk.element.offsetHeight / chunk.count);
    return heights.length ? heights.reduce((sum, height) => sum + height) / heights.length : 160;
  }

  #showNote() {
    const nothing = this.complete && !this.list.querySelector("[data-id]") && this.#chunks.every((chunk) => chunk.shown);
    this.note.textContent = nothing ? this.empty : "";
  }

  #onMoreClick(event) {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    this.load();
  }
}

/** Where a visitor finds the page that begins at the cursor of an API path: this place, from there. */
export function linkFrom(place) {
  return (path) => {
    const url = new URL(place, location.origin);
    url.searchParams.set("after", new URL(path, location.origin).searchParams.get("after"));
    return url.pathname + url.search;
  };
}

/** An API path with the cursor that the page's own address carries. */
export function fromCursor(path, address) {
  const after = address.searchParams.get("after");
  return after === null ? path : `${path}${path.includes("?") ? "&" : "?"}after=${encodeURIComponent(after)}`;
}
