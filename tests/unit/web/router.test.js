// Rules for the router: links, the browser's history, and what stays when a visitor leaves.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { Router } from "../../../web/static/router.js";
import { settled } from "./fakes.js";

const ORIGIN = "http://board.example";

/** What the router uses of a window, without one. */
class FakeBrowser {
  #entries = [{ url: new URL(ORIGIN), state: /** @type {unknown} */ (null) }];
  #index = 0;
  #events = new EventTarget();
  document = Object.assign(new EventTarget(), { title: "" });
  scrollY = 0;
  /** @type {[number, number][]} */
  scrolledTo = [];
  addEventListener = this.#events.addEventListener.bind(this.#events);
  history = {
    scrollRestoration: "auto",
    browser: this,
    get state() {
      return this.browser.#entries[this.browser.#index]?.state;
    },
    /** @param {unknown} state
     * @param {string} _
     * @param {string | URL} [url] */
    pushState(state, _, url) {
      const entry = { url: new URL(url ?? "", this.browser.location), state };
      this.browser.#entries.splice(++this.browser.#index, Infinity, entry);
    },
    /** @param {unknown} state
     * @param {string} _
     * @param {string | URL} [url] */
    replaceState(state, _, url) {
      this.browser.#entries[this.browser.#index] = {
        url: new URL(url ?? this.browser.location, this.browser.location),
        state,
      };
    },
  };

  get location() {
    const entry = this.#entries[this.#index];
    assert.ok(entry);
    return entry.url;
  }

  get entries() {
    return this.#entries.length;
  }

  /** @param {number} x
   * @param {number} y */
  scrollTo(x, y) {
    this.scrolledTo.push([x, y]);
    this.scrollY = y;
  }

  /** @param {number} steps */
  async goBack(steps = 1) {
    this.#index -= steps;
    this.#events.dispatchEvent(new Event("popstate"));
    await settled();
  }

  /** Click on a link; returns whether the browser follows it by itself.
   * @param {string} href
   * @param {{link?: object, event?: object}} [how] */
  async click(href, { link = {}, event = {} } = {}) {
    const url = new URL(href, this.location);
    const anchor = {
      localName: "a",
      href: url.href,
      origin: url.origin,
      pathname: url.pathname,
      target: "",
      hash: url.hash,
      closest: () => null,
      hasAttribute: () => false,
      ...link,
    };
    const click = Object.assign(new Event("click", { cancelable: true }), { button: 0, ...event });
    Object.defineProperty(click, "target", { value: { closest: () => anchor } });
    const followed = this.document.dispatchEvent(click);
    await settled();
    return followed;
  }

  /** @returns {Page.Browser} */
  asWindow() {
    return /** @type {Page.Browser} */ (/** @type {unknown} */ (this));
  }
}

describe("router", () => {
  /** @type {FakeBrowser} */
  let browser;
  /** @type {Router} */
  let router;
  /** @type {{name: string, visit: Page.Visit, parts: string[], element: HTMLElement}[]} */
  let shown;
  /** @type {unknown[]} */
  let outlet;
  /** @type {string[]} */
  let announced;
  /** @type {string[]} */
  let focused = [];
  let keeps = false;
  /** What the views wait for before they are shown.
   * @type {Promise<unknown> | null} */
  let filled = null;

  /** @param {string} name
   * @returns {Page.View} */
  const view =
    (name) =>
    (visit, ...parts) => {
      /** @param {string} selector */
      const querySelector = (selector) =>
        selector === "h1" || name === "form" ? { focus: () => focused.push(selector) } : null;
      const element = /** @type {HTMLElement} */ (/** @type {unknown} */ ({ name, querySelector }));
      visit.title(name);
      visit.keep = keeps;
      if (filled) visit.showWhen(filled);
      shown.push({ name, visit, parts, element });
      return element;
    };

  beforeEach(async () => {
    browser = new FakeBrowser();
    shown = [];
    outlet = [];
    announced = [];
    focused = [];
    keeps = false;
    router = new Router(
      [
        [/^\/$/, () => view("home")],
        [/^\/threads\/(\d+)$/, () => view("thread")],
        [/^\/form$/, () => view("form")],
        [/^\/late$/, () => new Promise((resolve) => setImmediate(() => resolve(view("late"))))],
        [/^/, () => view("nothing")],
      ],
      outletWith(null),
      (title) => void announced.push(title),
      browser.asWindow(),
    );
    await router.start();
  });

  /** An outlet in which the server has put an element, or none.
   * @param {unknown} served */
  function outletWith(served) {
    outlet = served ? [served] : [];
    return {
      firstElementChild: /** @type {Element | null} */ (served),
      replaceChildren: (/** @type {unknown[]} */ ...elements) => void (outlet = elements),
    };
  }

  /** The view that was shown last. */
  function latest() {
    const last = shown.at(-1);
    assert.ok(last);
    return last;
  }

  test("shows the place of the address, at the start without announcing it", () => {
    assert.deepEqual(outlet, [latest().element]);
    assert.equal(latest().name, "home");
    assert.equal(browser.document.title, "home · The board");
    assert.deepEqual([announced, focused], [[], []]);
  });

  test("what the server has sent is for the first view only", async () => {
    const served = { name: "served" };
    router = new Router([[/^/, () => view("home")]], outletWith(served), () => {}, browser.asWindow());
    await router.start();
    assert.equal(latest().visit.served, served);
    await router.go("/threads/7");
    assert.equal(latest().visit.served, null);
    await router.reload();
    assert.equal(latest().visit.served, null);
  });

  test("leaves what the server has sent until the view is filled", async () => {
    const served = { name: "served" };
    const fill = new EventTarget();
    filled = new Promise((resolve) => fill.addEventListener("filled", resolve));
    router = new Router([[/^/, () => view("home")]], outletWith(served), () => {}, browser.asWindow());
    await router.start();
    const { element } = latest();
    assert.deepEqual(outlet, [served]);
    fill.dispatchEvent(new Event("filled"));
    await settled();
    assert.deepEqual(outlet, [element]);
    filled = null;
  });

  test("shows another page at once, even if what the server has sent is still there", async () => {
    filled = new Promise(() => {});
    router = new Router([[/^/, () => view("home")]], outletWith({}), () => {}, browser.asWindow());
    await router.start();
    filled = null;
    await router.go("/elsewhere");
    assert.deepEqual(outlet, [latest().element]);
  });

  test("passes the parts of the address to the view", async () => {
    await router.go("/threads/12");
    assert.deepEqual([latest().name, latest().parts], ["thread", ["12"]]);
  });

  test("shows the not-found page at any other address", async () => {
    await router.go("/nowhere");
    assert.equal(latest().name, "nothing");
  });

  test("shows the not-found page when a view asks for it", async () => {
    await router.go("/threads/12");
    latest().visit.notFound();
    await settled();
    assert.deepEqual(outlet, [latest().element]);
    assert.equal(latest().name, "nothing");
  });

  test("announces the title, focuses the heading and scrolls to the top", async () => {
    await router.go("/threads/12");
    assert.deepEqual(announced, ["thread · The board"]);
    assert.deepEqual(focused, ["h1"]);
    assert.deepEqual(browser.scrolledTo, [[0, 0]]);
  });

  test("focuses a form's first field instead of the heading, also at the start", async () => {
    await router.go("/form");
    assert.deepEqual(focused, ["[autofocus]"]);
    await router.reload();
    assert.deepEqual(focused, ["[autofocus]", "[autofocus]"]);
  });

  test("ends a view when its visitor leaves", async () => {
    const { visit } = latest();
    assert.ok(!visit.signal.aborted);
    await router.go("/threads/12");
    assert.ok(visit.signal.aborted);
  });

  test("does not show a view that was loaded after its visitor had left", async () => {
    const late = router.go("/late");
    await router.go("/threads/12");
    await late;
    assert.deepEqual(outlet, [latest().element]);
    assert.equal(latest().name, "thread");
  });

  test("follows links of the board", async () => {
    assert.equal(await browser.click("/threads/12"), false);
    assert.equal(latest().name, "thread");
    assert.equal(browser.entries, 2);
  });

  for (const [what, href, how] of /** @type {[string, string, object][]} */ ([
    ["to another site", "http://elsewhere.example/", {}],
    ["to the API", "/api/threads", {}],
    ["that opens a window", "/threads/12", { link: { target: "_blank" } }],
    ["to a download", "/threads/12", { link: { hasAttribute: () => true } }],
    ["with the middle button", "/threads/12", { event: { button: 1 } }],
    ["with Ctrl", "/threads/12", { event: { ctrlKey: true } }],
    ["with Command", "/threads/12", { event: { metaKey: true } }],
    ["with Shift", "/threads/12", { event: { shiftKey: true } }],
    ["with Alt", "/threads/12", { event: { altKey: true } }],
  ])) {
    test(`leaves a link ${what} to the browser`, async () => {
      assert.equal(await browser.click(href, how), true);
      assert.equal(shown.length, 1);
    });
  }

  test("replaces the entry of the history when asked to", async () => {
    await router.go("/threads/12", { replace: true });
    assert.equal(browser.entries, 1);
    assert.equal(browser.location.pathname, "/threads/12");
  });

  test("loads a place again when the visitor comes back to one that was not kept", async () => {
    await router.go("/threads/12");
    await browser.goBack();
    assert.deepEqual(
      shown.map(({ name }) => name),
      ["home", "thread", "home"],
    );
  });

  test("shows a kept place unchanged, at its scroll position", async () => {
    keeps = true;
    await router.go("/threads/12");
    const { element, visit } = latest();
    let resumed = 0;
    visit.resumed = () => resumed++;
    browser.scrollY = 740;
    await router.go("/threads/13");
    await browser.goBack();
    assert.deepEqual(outlet, [element]);
    assert.equal(shown.length, 3);
    assert.equal(browser.scrollY, 740);
    assert.equal(resumed, 1);
    assert.equal(browser.document.title, "thread · The board");
    assert.ok(!visit.signal.aborted);
  });

  test("keeps four places, and ends the oldest of more", async () => {
    keeps = true;
    for (let thread = 1; thread <= 6; thread++) await router.go(`/threads/${thread}`);
    const ended = shown.filter(({ visit }) => visit.signal.aborted).map(({ parts }) => parts[0]);
    assert.deepEqual(ended, [undefined, "1"]);
  });

  test("discards every kept place when another user has signed in", async () => {
    keeps = true;
    await router.go("/threads/1");
    await router.go("/threads/2");
    const before = [...shown];
    await router.reload();
    assert.equal(shown.length, 4);
    assert.ok(before.every(({ visit }) => visit.signal.aborted));
    await browser.goBack();
    assert.deepEqual([shown.length, latest().parts], [5, ["1"]]);
  });

  test("leaves a change of the fragment to the view", async () => {
    await router.go("/threads/12");
    let changes = 0;
    latest().visit.hashchanged = () => changes++;
    await router.go("/threads/12#post-3");
    assert.deepEqual([changes, shown.length], [1, 2]);
    await browser.goBack();
    assert.deepEqual([changes, shown.length], [2, 2]);
  });
});
