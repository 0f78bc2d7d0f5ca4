// Shows the view of each address. A view returns an element immediately, and fills it as responses arrive,
// until `visit.signal` aborts. A place is a view at one entry of the browser's history.
import { h } from "./dom.js";
import { showNote } from "./notes.js";
import { t } from "./text.js";

/** How many places keep their element and scroll position, for when the visitor comes back. */
const MAX_KEPT = 4;
/** The most milliseconds for which the server's page stays while the browser fills its own. */
const LONGEST_FILL = 3000;

/** @typedef {{key: string, path: string, element: HTMLElement | null, title: string, scroll: number,
 *   leaving: AbortController, visit: Page.Visit}} Place
 * A view at one entry of the browser's history; `key` names the entry. */

export class Router {
  #routes;
  #outlet;
  #announce;
  #browser;
  /** @type {Place | null} */
  #current = null;
  /** @type {Map<string, Place>} */
  #kept = new Map();
  /** What the server has sent, as long as it is shown.
   * @type {Element | null} */
  #served = null;
  #isFirst = true;
  /** The place that is being filled, and then takes the place of what the server has sent.
   * @type {Place | null} */
  #filling = null;

  /** The first route whose pattern matches a path shows it; the last route shows "not found". Places are shown
   * in `outlet`; `announce` tells screen readers the title.
   * @param {Page.Route[]} routes
   * @param {Pick<Element, "replaceChildren" | "firstElementChild">} outlet
   * @param {(title: string) => void} announce
   * @param {Page.Browser} [browser] */
  constructor(routes, outlet, announce, browser = window) {
    this.#routes = routes;
    this.#outlet = outlet;
    this.#announce = announce;
    this.#browser = browser;
  }

  /** Show the current address, and handle links and the browser's history from now on. */
  start() {
    this.#browser.history.scrollRestoration = "manual";
    this.#browser.document.addEventListener("click", (event) => this.#clicked(event));
    this.#browser.addEventListener("popstate", () => this.#arrive(true));
    this.#served = this.#outlet.firstElementChild;
    return this.#arrive(false, true);
  }

  /** Go to an address of the board.
   * @param {string} address
   * @param {{replace?: boolean}} [options] */
  async go(address, { replace = false } = {}) {
    const { history, location } = this.#browser;
    const target = new URL(address, location.href);
    if (this.#current?.path === target.pathname + target.search && target.hash && this.#current.visit.hashchanged) {
      history.pushState({ key: this.#current.key }, "", target);
      await this.#current.visit.hashchanged();
      return;
    }
    if (this.#current) this.#current.scroll = this.#browser.scrollY;
    if (replace) history.replaceState({ key: crypto.randomUUID() }, "", address);
    else history.pushState({ key: crypto.randomUUID() }, "", address);
    await this.#arrive(false);
  }

  /** Load this place again, and discard the kept ones, because another user has signed in. */
  reload() {
    for (const place of this.#kept.values()) place.leaving.abort();
    this.#kept.clear();
    if (this.#current) this.#current.visit.keep = false;
    return this.#arrive(false, true);
  }

  /** Show the place of the current address. `back` may show a kept one; `quiet` neither scrolls nor announces.
   * @param {boolean} back */
  async #arrive(back, quiet = false) {
    const { history, location } = this.#browser;
    if (!history.state?.key) history.replaceState({ key: crypto.randomUUID() }, "");
    /** @type {string} */
    const key = history.state.key;
    const current = this.#current;
    if (current && current.path === location.pathname + location.search && current.key === key && !quiet) {
      await current.visit.hashchanged?.();
      return;
    }
    if (current) this.#leave(current);
    const kept = back ? this.#kept.get(key) : undefined;
    if (kept?.element) {
      this.#kept.delete(key);
      this.#current = kept;
      this.#outlet.replaceChildren(kept.element);
      this.#browser.document.title = kept.title;
      kept.visit.resumed?.();
      this.#browser.scrollTo(0, kept.scroll);
      return;
    }
    await this.#show(key, quiet);
  }

  /** @param {string} key
   * @param {boolean} quiet */
  async #show(key, quiet) {
    const address = new URL(this.#browser.location.href);
    const leaving = new AbortController();
    /** @type {Place} */
    const place = {
      key,
      path: address.pathname + address.search,
      element: null,
      title: "",
      scroll: 0,
      leaving,
      visit: {
        address,
        signal: leaving.signal,
        title: (text) => {
          place.title = text ? t("title", { page: text }) : t("board");
          if (this.#current === place) this.#browser.document.title = place.title;
        },
        keep: false,
        notFound: () => {
          this.#filling = null;
          void this.#load(place, this.#notFound(), [], true);
        },
        served: null,
        showWhen: (filled) => this.#showWhen(place, filled),
      },
    };
    this.#current = place;
    place.visit.served = this.#takeServed();
    const [load, parts] = this.#match(address.pathname);
    await this.#load(place, load, parts, quiet);
  }

  /** What the server has sent, for the first view only. */
  #takeServed() {
    const served = this.#isFirst ? this.#served : null;
    this.#isFirst = false;
    return served;
  }

  /** @param {Place} place
   * @param {Page.Route[1]} load
   * @param {string[]} parts
   * @param {boolean} quiet */
  async #load(place, load, parts, quiet) {
    if (this.#current !== place) return;
    const view = await load();
    if (this.#current === place) this.#render(place, view(place.visit, ...parts), quiet);
  }

  /** @param {Place} place
   * @param {HTMLElement} element
   * @param {boolean} quiet */
  #render(place, element, quiet) {
    place.element = element;
    if (this.#served && this.#filling === place) return;
    this.#served = null;
    this.#outlet.replaceChildren(element);
    /** @type {HTMLElement | null} */
    const first = element.querySelector("[autofocus]");
    if (quiet) return first?.focus({ preventScroll: true });
    if (!this.#browser.location.hash) this.#browser.scrollTo(0, 0);
    const heading = element.querySelector("h1");
    if (heading) heading.tabIndex = -1;
    (first ?? heading)?.focus({ preventScroll: true });
    this.#announce(place.title);
  }

  /** @param {Place} place
   * @param {Promise<unknown>} filled */
  async #showWhen(place, filled) {
    if (!this.#served) return;
    this.#filling = place;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    const late = new Promise((resolve) => (timer = setTimeout(resolve, LONGEST_FILL)));
    await Promise.race([filled.catch(() => {}), late]);
    clearTimeout(timer);
    if (this.#filling === place) this.#filling = null;
    if (this.#current !== place || !this.#served || !place.element) return;
    this.#served = null;
    const focused = this.#browser.document.activeElement;
    this.#outlet.replaceChildren(place.element);
    if (!focused?.id || focused.isConnected) return;
    /** @type {HTMLElement | null} */
    const same = place.element.querySelector(`#${CSS.escape(focused.id)}`);
    if (!same) return;
    same.tabIndex = -1;
    same.focus({ preventScroll: true });
  }

  /** @param {string} path
   * @returns {[load: Page.Route[1], parts: string[]]} */
  #match(path) {
    for (const [pattern, load] of this.#routes) {
      const found = pattern.exec(path);
      if (found) return [load, found.slice(1)];
    }
    return [this.#notFound(), []];
  }

  #notFound() {
    const last = this.#routes.at(-1);
    if (!last) throw new Error("A router needs routes.");
    return last[1];
  }

  /** @param {Place} place */
  #leave(place) {
    if (!place.visit.keep || !place.element) {
      place.leaving.abort();
      return;
    }
    this.#kept.set(place.key, place);
    for (const [key, oldest] of this.#kept) {
      if (this.#kept.size <= MAX_KEPT) break;
      oldest.leaving.abort();
      this.#kept.delete(key);
    }
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    const link = /** @type {Element | null} */ (event.target)?.closest?.("a[href]");
    if (!isPlainClick(event) || !isAnchor(link) || link.target || link.origin !== this.#browser.location.origin) return;
    if (link.pathname.startsWith("/api") || link.hasAttribute("download")) return;
    event.preventDefault();
    if (!showNote(link)) this.go(link.href);
  }
}

/** @param {MouseEvent} event */
function isPlainClick(event) {
  return (
    event.button === 0 &&
    !event.metaKey &&
    !event.ctrlKey &&
    !event.shiftKey &&
    !event.altKey &&
    !event.defaultPrevented
  );
}

/** @param {Element | null | undefined} link
 * @returns {link is HTMLAnchorElement} */
function isAnchor(link) {
  return link?.localName === "a";
}

/** A place's frame: its heading and its content.
 * @param {string} title
 * @param {Page.Child[]} content */
export function page(title, ...content) {
  return h("div", { class: "page" }, h("h1", { dir: "auto" }, title), ...content);
}
