// What the shortcuts do in the page.
import { h } from "./dom.js";
import { dialog } from "./forms.js";
import { navigate } from "./navigation.js";
import { actionOf, neighbour } from "./shortcuts.js";
import { shortcuts } from "./state.js";
import { t } from "./text.js";

const ITEMS = "main article.post[data-id], main article.thread-row, main article.case-row";
/** Pixels below which an item is not covered by the header. */
const BELOW_HEADER = 60;

/** Handle shortcuts from now on. */
export function startShortcuts() {
  document.addEventListener("keydown", (event) => {
    const { target } = event;
    if (!shortcuts.on || !(target instanceof HTMLElement)) return;
    const action = actionOf(event, {
      isWriting: target.isContentEditable || target.closest("input, textarea, select") !== null,
      isInDialog: document.querySelector("dialog[open]") !== null,
    });
    if (action === null) return;
    event.preventDefault();
    if (action === "help") void showShortcuts();
    else if (action === "search") search();
    else if (action === "reply") reply();
    else move(action === "next");
  });
}

/** @param {boolean} forward */
function move(forward) {
  const items = [...document.querySelectorAll(ITEMS)].filter(isVisible);
  const current = items.findIndex((item) => item.contains(document.activeElement));
  const tops = items.map((item) => item.getBoundingClientRect().top);
  const item = items[neighbour(tops, { current, top: BELOW_HEADER, forward })];
  if (!item) return;
  /** @type {HTMLElement} */
  const target = item.querySelector("h2 a") ?? item;
  if (target === item) item.tabIndex = -1;
  target.focus({ preventScroll: true });
  item.scrollIntoView({ block: "nearest" });
}

/** Answer the post that has the focus, or else write in the thread. */
function reply() {
  /** @type {HTMLElement | null | undefined} */
  const button = document.activeElement?.closest("article.post")?.querySelector(".reply");
  if (button) button.click();
  else focusComposer();
}

/** Move the focus to the form for a new post, if the page has one. */
export function focusComposer() {
  /** @type {HTMLElement | null} */ (document.querySelector("main .write :is(textarea:not([hidden]), a)"))?.focus();
}

function search() {
  const visible = [...document.querySelectorAll('input[type="search"]')].findLast(isVisible);
  if (visible) visible.focus();
  else void navigate("/search");
}

/** Show the list of shortcuts. */
export function showShortcuts() {
  return dialog(t("shortcuts"), (close) =>
    h(
      "div",
      {},
      h(
        "table",
        { class: "shortcuts" },
        h(
          "tbody",
          {},
          row("j", t("key-next")),
          row("k", t("key-previous")),
          row("r", t("key-reply")),
          row("/", t("key-search")),
          row("?", t("key-help")),
          row("Ctrl Enter", t("key-send")),
        ),
      ),
      h(
        "p",
        { class: "quiet-text" },
        t(shortcuts.on ? "shortcuts-are-on" : "shortcuts-are-off"),
        " ",
        h("a", { href: "/settings", onclick: () => close(null) }, t("settings")),
      ),
    ),
  );
}

/** @param {string} key
 * @param {string} text */
function row(key, text) {
  return h("tr", {}, h("th", { scope: "row" }, h("kbd", {}, key)), h("td", {}, text));
}

/** @param {Element} element
 * @returns {element is HTMLElement} */
function isVisible(element) {
  return element instanceof HTMLElement && element.offsetParent !== null;
}
