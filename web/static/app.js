// The page's composition root: creates the parts, and connects them to each other.
import { describeBan } from "./ban.js";
import { keepTimesCurrent } from "./dates.js";
import { h, icon } from "./dom.js";
import { probeWhenOffline } from "./http.js";
import { focusComposer, showShortcuts, startShortcuts } from "./keyboard.js";
import { navigate, setRouter } from "./navigation.js";
import { noticeArea, showMessage, showProblem } from "./notices.js";
import { recordFiles, requestLog } from "./request-log.js";
import { page, Router } from "./router.js";
import { outbox, panelSwitch, reading, session } from "./state.js";
import { readForTab, writeForTab } from "./storage.js";
import { t } from "./text.js";
import { avatar } from "./users.js";
import * as thread from "./views/thread.js";
import * as threads from "./views/threads.js";

const account = () => import("./views/account.js");

/** @type {Page.Route[]} */
const ROUTES = [
  [/^\/$/, () => threads.show],
  [/^\/threads\/([1-9]\d{0,18})\/?$/, () => thread.show],
  [/^\/users\/([1-9]\d{0,18})\/?$/, async () => (await import("./views/user.js")).show],
  [/^\/search\/?$/, async () => (await import("./views/search.js")).show],
  [/^\/signin\/?$/, async () => (await account()).showSignIn],
  [/^\/register\/?$/, async () => (await account()).showRegister],
  [/^\/password-resets\/?$/, async () => (await account()).showReset],
  [/^\/settings\/?$/, async () => (await import("./views/settings.js")).show],
  [/^\/moderation\/log\/?$/, async () => (await import("./views/moderation-log.js")).show],
  [/^\/moderation\/cases\/?$/, async () => (await import("./views/cases.js")).show],
  [/^\/cases\/([1-9]\d{0,18})\/?$/, async () => (await import("./views/case.js")).show],
  [/^\/reports\/?$/, async () => (await import("./views/reports.js")).show],
  [/^\/moderation\/?$/, async () => (await import("./views/moderation.js")).show],
  [/^\/docs\/?$/, async () => (await import("./views/docs.js")).show],
  [/^\/problems\/([a-z-]+)$/, async () => (await import("./views/problem.js")).show],
  [/^/, async () => (await import("./views/not-found.js")).show],
];

function start() {
  recordFiles();
  probeWhenOffline();
  session.start();
  reading.start();
  addEventListener("visibilitychange", () => document.hidden && void reading.flush({ leaving: true }));
  addEventListener("pagehide", () => void reading.flush({ leaving: true }));
  const outlet = document.querySelector("main") ?? h("main", { id: "content", tabindex: "-1" });
  const announcement = h("p", { class: "out-of-sight", role: "status", "aria-live": "polite" });
  const banned = h("div", { class: "ban-bar", role: "status", hidden: true });
  const menu = h("nav", { class: "menu", "aria-label": t("account") });
  const router = new Router(ROUTES.map(orUnavailable), outlet, (text) => (announcement.textContent = text));
  setRouter(router);

  document.body.replaceChildren(
    skipLink("content", t("skip"), () => outlet.focus()),
    skipLink("composer", t("skip-to-composer"), focusComposer),
    skipLink("first-unread", t("skip-to-unread"), focusFirstUnread),
    header(menu),
    ...noticeArea(),
    banned,
    outlet,
    footer(),
    announcement,
    ...document.querySelectorAll("template"),
  );
  drawMenu(menu);
  drawBan(banned);
  let shownFor = whoIs();
  session.addEventListener("change", () => {
    drawMenu(menu);
    drawBan(banned);
    // The page stays as it is while the visitor is writing, so that no text is lost.
    if (whoIs() !== shownFor && !isWriting()) router.reload();
    shownFor = whoIs();
  });
  showPanelWhenOn();
  startShortcuts();
  addEventListener("unhandledrejection", reportMissingModule);
  router.start();
  session.refresh().then(() => outbox.resume());
  keepTimesCurrent();
}

/** The route, with a page that says so if its module cannot be loaded.
 * @param {Page.Route} route
 * @returns {Page.Route} */
function orUnavailable([pattern, load]) {
  return [pattern, () => Promise.resolve(load()).catch(() => unavailable)];
}

/** @param {Page.Visit} visit */
function unavailable(visit) {
  visit.title(t("page-unavailable"));
  return page(
    t("page-unavailable"),
    h("p", {}, t("page-unavailable-why")),
    h("p", {}, h("button", { type: "button", class: "primary", onclick: () => location.reload() }, t("try-again"))),
  );
}

/** Say that something could not be done because its module cannot be loaded.
 * @param {PromiseRejectionEvent} event */
function reportMissingModule(event) {
  if (!(event.reason instanceof TypeError) || !/import/i.test(event.reason.message)) return;
  event.preventDefault();
  showMessage(t("page-unavailable-why"));
}

/** A link that is visible while it has the focus.
 * @param {string} target
 * @param {string} text
 * @param {() => void} go */
function skipLink(target, text, go) {
  const onclick = (/** @type {Event} */ event) => (event.preventDefault(), go());
  return h("a", { class: `skip skip-to-${target}`, href: `#${target}`, onclick }, text);
}

function focusFirstUnread() {
  const divider = document.querySelector("#first-unread");
  if (!(divider instanceof HTMLElement)) return;
  divider.focus({ preventScroll: true });
  divider.scrollIntoView({ block: "start" });
}

/** Who sees the page: another user sees other pages, and so does one who has another role by now. */
function whoIs() {
  return `${session.user?.id} ${session.user?.role}`;
}

/** Whether the visitor has a dialog open, or has begun to write. */
function isWriting() {
  /** @type {HTMLTextAreaElement | null} */
  const input = document.querySelector(".composer textarea");
  return document.querySelector("dialog") !== null || Boolean(input?.value);
}

/** Show a banned user why, and until when.
 * @param {HTMLElement} bar */
function drawBan(bar) {
  const ban = session.user?.ban ?? null;
  bar.hidden = ban === null;
  if (ban === null) return bar.replaceChildren();
  bar.replaceChildren(h("p", {}, ...describeBan(t("you-are-banned"), ban)), h("p", {}, t("what-banned-can-do")));
}

/** @param {HTMLElement} menu */
function header(menu) {
  const words = h("input", {
    type: "search",
    name: "q",
    maxlength: "200",
    placeholder: t("search"),
    "aria-label": t("search-words"),
    dir: "auto",
  });
  /** @param {SubmitEvent} event */
  const search = (event) => {
    event.preventDefault();
    if (words.value.trim()) navigate(`/search?q=${encodeURIComponent(words.value.trim())}`);
    else navigate("/search");
  };
  return h(
    "header",
    { class: "top" },
    h(
      "div",
      { class: "bar" },
      h("a", { class: "brand", href: "/" }, h("span", { class: "mark", "aria-hidden": "true" }), t("board")),
      h("form", { class: "top-search", role: "search", "aria-label": t("search-board"), onsubmit: search }, words),
      h("a", { class: "search-link", href: "/search", "aria-label": t("search") }, icon("search")),
      menu,
    ),
  );
}

/** @param {HTMLElement} menu */
function drawMenu(menu) {
  const { user } = session;
  if (user === null) {
    menu.replaceChildren(
      h("a", { href: "/signin" }, t("sign-in")),
      h("a", { href: "/register", class: "button" }, t("register")),
    );
    return;
  }
  const summary = h(
    "summary",
    { "aria-label": user.name },
    avatar(user.id),
    h("span", { class: "account-name", dir: "auto" }, user.name),
  );
  const list = h(
    "details",
    { class: "account" },
    summary,
    h(
      "div",
      { class: "drop" },
      h("a", { href: `/users/${user.id}` }, t("your-page")),
      h("a", { href: "/settings" }, t("settings")),
      session.isModerator
        ? [h("a", { href: "/moderation" }, t("moderation")), h("a", { href: "/moderation/cases" }, t("cases"))]
        : h("a", { href: "/reports" }, t("your-reports")),
      h(
        "button",
        { type: "button", onclick: () => session.signOut().then(() => navigate("/"), showProblem) },
        t("sign-out"),
      ),
    ),
  );
  /** @param {MouseEvent} event */
  const clicked = ({ target }) => {
    if (target instanceof Element && list.contains(target) && !target.closest("a, button")) return;
    list.open = false;
  };
  /** @param {KeyboardEvent} event */
  const pressed = (event) => {
    if (event.key !== "Escape" || !list.open) return;
    list.open = false;
    summary.focus();
  };
  list.addEventListener("toggle", () => {
    if (list.open) {
      document.addEventListener("click", clicked);
      document.addEventListener("keydown", pressed);
    } else {
      document.removeEventListener("click", clicked);
      document.removeEventListener("keydown", pressed);
    }
  });
  menu.replaceChildren(list);
}

function footer() {
  const keys = h("button", { type: "button", class: "quiet", onclick: showShortcuts }, t("shortcuts"));
  return h("footer", { class: "bottom-line" }, h("div", { class: "bar" }, h("a", { href: "/docs" }, t("api")), keys));
}

/** Show the panel while it is switched on. Its requests survive a reload, as long as the tab is open. */
function showPanelWhenOn() {
  const wanted = panelSwitch.obey(new URL(location.href));
  if (wanted !== null) history.replaceState(history.state, "", wanted);
  if (panelSwitch.on) requestLog.restore(readForTab("requests", []));
  addEventListener("pagehide", () => writeForTab("requests", panelSwitch.on ? requestLog.requests : null));
  /** @type {{remove: () => void} | null} */
  let shown = null;
  const update = async () => {
    if (!panelSwitch.on) {
      shown?.remove();
      shown = null;
      return;
    }
    const { architecturePanel } = await import("./architecture/panel.js");
    const { readShares } = await import("./architecture/shares.js");
    if (shown || !panelSwitch.on) return;
    const made = architecturePanel({
      closed: () => {
        panelSwitch.turn(false);
        showMessage(t("architecture-off"));
      },
      readShares,
    });
    shown = made;
    document.body.append(made.panel);
  };
  panelSwitch.addEventListener("change", update);
  return update();
}

start();
