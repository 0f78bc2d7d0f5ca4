// Places of the board and their addresses. A place is shown by a view: `show(visit, ...parts of the
// address)` gives an element at once and fills it as answers come, until `visit.signal` ends.
import { h } from "./dom.js";
import { t } from "./text.js";

const KEPT = 4;

export class Router {
  #routes;
  #outlet;
  #announce;
  #current = null;
  #kept = new Map();

  /** `routes` are pairs of a pattern and a function that gives the view. */
  constructor(routes, outlet, announcer) {
    this.#routes = routes;
    this.#outlet = outlet;
    this.#announce = announcer;
  }

  start() {
    history.scrollRestoration = "manual";
    document.addEventListener("click", (event) => this.#clicked(event));
    addEventListener("popstate", () => this.#arrive(true));
    this.#arrive(false, true);
  }

  /** Go to an address of the board. */
  go(address, { replace = false } = {}) {
    const target = new URL(address, location.href);
    const here = this.#current?.path === target.pathname + target.search;
    if (here && target.hash && this.#current.visit.hashchanged) {
      history.pushState({ key: this.#current.key }, "", target);
      return this.#current.visit.hashchanged();
    }
    this.#keepScroll();
    if (replace) history.replaceState({ key: crypto.randomUUID() }, "", address);
    else history.pushState({ key: crypto.randomUUID() }, "", address);
    return this.#arrive(false);
  }

  /** Show this place anew, and forget what the others looked like: somebody else is looking. */
  reload() {
    this.#forget();
    this.#arrive(false, true);
  }

  async #arrive(back, quiet = false) {
    if (!history.state?.key) history.replaceState({ key: crypto.randomUUID() }, "");
    const key = history.state.key;
    if (this.#current?.path === location.pathname + location.search && this.#current.key === key && !quiet) {
      return this.#current.visit.hashchanged?.();
    }
    if (this.#current) this.#put(this.#current);
    const kept = back ? this.#kept.get(key) : null;
    if (kept) {
      this.#kept.delete(key);
      this.#current = kept;
      this.#outlet.replaceChildren(kept.element);
      document.title = kept.title;
      kept.visit.resumed?.();
      scrollTo(0, kept.scroll);
      return;
    }
    await this.#show(key, quiet);
  }

  async #show(key, quiet) {
    const address = new URL(location.href);
    const [load, parts] = this.#match(address.pathname);
    const leaving = new AbortController();
    const place = { key, path: address.pathname + address.search, element: null, title: "", scroll: 0, leaving };
    const visit = {
      address,
      signal: leaving.signal,
      title: (text) => {
        place.title = text ? t("title", { page: text }) : t("board");
        if (this.#current === place) document.title = place.title;
      },
      keep: false,
      notFound: () => this.#current === place && this.#showNotFound(place),
    };
    place.visit = visit;
    this.#current = place;
    const show = await load();
    if (this.#current !== place) return;
    this.#render(place, show(visit, ...parts), quiet);
  }

  async #showNotFound(place) {
    const { show } = await import("./views/not-found.js");
    if (this.#current === place) this.#render(place, show(place.visit), true);
  }

  #render(place, element, quiet) {
    place.element = element;
    this.#outlet.replaceChildren(element);
    if (quiet) return;
    if (!location.hash) scrollTo(0, 0);
    const heading = element.querySelector("h1");
    if (heading) {
      heading.tabIndex = -1;
      heading.focus({ preventScroll: true });
    }
    this.#announce(place.title);
  }

  #match(path) {
    for (const [pattern, load] of this.#routes) {
      const found = pattern.exec(path);
      if (found) return [load, found.slice(1)];
    }
    throw new Error("The last route takes everything.");
  }

  #put(place) {
    if (place.visit.keep && place.element) {
      this.#kept.set(place.key, place);
      const [oldest] = this.#kept.keys();
      if (this.#kept.size > KEPT) {
        this.#kept.get(oldest).leaving.abort();
        this.#kept.delete(oldest);
      }
    } else {
      place.leaving.abort();
    }
  }

  #forget() {
    for (const place of this.#kept.values()) place.leaving.abort();
    this.#kept.clear();
    if (this.#current) this.#current.visit.keep = false;
  }

  #keepScroll() {
    if (this.#current) this.#current.scroll = scrollY;
  }

  #clicked(event) {
    const link = event.target.closest?.("a[href]");
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!link || !plain || event.defaultPrevented || link.target || link.origin !== location.origin) return;
    if (link.pathname.startsWith("/api") || link.hasAttribute("download")) return;
    event.preventDefault();
    this.go(link.href);
  }
}

/** A place's frame: its heading, and what is in it. */
export function page(title, ...content) {
  return h("div", { class: "page" }, h("h1", { dir: "auto" }, title), ...content);
}
