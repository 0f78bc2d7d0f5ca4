// The list of threads, sorted by latest activity or by age.
import { Composer } from "../composer.js";
import { localize, time } from "../dates.js";
import { h } from "../dom.js";
import { ask, get } from "../http.js";
import { navigate } from "../navigation.js";
import { showMessage, showProblem } from "../notices.js";
import { fromCursor, linkFrom, PagedList } from "../paged-list.js";
import { Problem } from "../problem.js";
import { placeToRead } from "../read-positions.js";
import { readThread, servedList } from "../served.js";
import { outbox, reading, session } from "../state.js";
import { read, write } from "../storage.js";
import { copyElement } from "../templates.js";
import { t } from "../text.js";
import { avatar, userLink } from "../users.js";

const CHECK_INTERVAL = 20_000;
const TITLE_DRAFT = "draft:new-thread-title";
const MIN_TITLE = 3;
/** The board counts no more unread posts of a thread. */
const MOST_UNREAD = 100;

/** @param {Page.Visit} visit */
export function show(visit) {
  visit.title(null);
  visit.keep = true;
  const order = visit.address.searchParams.get("order") === "new" ? "new" : "active";
  const place = order === "new" ? "/?order=new" : "/";
  const path = `/api/threads?order=${order}&limit=30`;
  const first = fromCursor(path, visit.address);
  const served = servedList(visit.served, first, readThread);
  /** @type {PagedList<Page.ShownThread>} */
  const pages = new PagedList({
    first,
    served,
    row: rowOf(served),
    people: peopleOf,
    link: linkFrom(place),
    empty: t("no-threads"),
    more: t("more-threads"),
    signal: visit.signal,
    onItems: (threads) => (known ??= postCounts(threads)),
  });
  /** @param {string} name
   * @param {string} href */
  const tab = (name, href) => h("a", { href, "aria-current": name === order ? "page" : null }, t(`order-${name}`));
  /** @type {HTMLButtonElement} */
  const start = h("button", { type: "button", class: "primary", onclick: () => startThread(element) }, t("new-thread"));
  const markRead = h(
    "button",
    { type: "button", class: "mark-read", hidden: true, onclick: markAllRead },
    t("mark-all-read"),
  );
  const news = h("button", { type: "button", class: "news", hidden: true, onclick: refresh });
  /** @type {HTMLElement} */
  const element = h(
    "div",
    { class: "page" },
    h("div", { class: "page-head" }, h("h1", {}, t("threads")), start),
    h("nav", { class: "orders", "aria-label": t("order") }, tab("active", "/"), tab("new", "/?order=new"), markRead),
    news,
    pages.element,
  );
  /** The number of posts of each thread when the visitor came, by id.
   * @type {Map<number, number> | null} */
  let known = null;
  visit.showWhen(pages.load());

  const check = async () => {
    if (document.hidden || !element.isConnected || visit.address.searchParams.has("after")) return;
    /** @type {Api.Thread[] | null} */
    const threads = await get(path).catch(() => null);
    if (threads === null || !element.isConnected) return;
    known ??= postCounts(threads);
    const counts = known;
    const changed = threads.filter((thread) => (counts.get(thread.id) ?? -1) < thread.postCount).length;
    news.hidden = changed === 0;
    news.textContent = t("threads-with-news", { count: changed });
  };
  function refresh() {
    scrollTo(0, 0);
    visit.keep = false;
    navigate(place, { replace: true });
  }
  async function markAllRead() {
    try {
      await reading.markAllRead();
    } catch (problem) {
      return showProblem(problem);
    }
    showMessage(t("all-read"));
    /** @type {HTMLElement | null} */ (element.querySelector(".orders [aria-current]"))?.focus();
  }
  const drawAgain = () => {
    for (const row of pages.list.querySelectorAll(".thread-row")) row.dispatchEvent(new Event("resumed"));
  };
  pages.list.addEventListener("read", () => (markRead.hidden = pages.list.querySelector(".unread") === null));
  reading.addEventListener("change", drawAgain, { signal: visit.signal });
  const timer = setInterval(check, CHECK_INTERVAL);
  visit.signal.addEventListener("abort", () => clearInterval(timer));
  visit.resumed = () => {
    drawAgain();
    check();
  };
  return element;
}

/** A thread in a list. A `resumed` event dispatched to it draws how many of its posts are new again.
 * @param {Api.Thread} thread */
export function threadRow(thread) {
  const row = copyElement("thread-row", {
    ...valuesOf(thread),
    avatar: avatar(thread.createdBy),
    time: thread.lastPostAt === null && time(thread.createdAt),
    last: thread.lastPostAt !== null && time(thread.lastPostAt),
    poster: thread.lastPostBy !== null && userLink(thread.lastPostBy),
    nobody: thread.lastPostBy === null,
  });
  return liveRow(thread, row);
}

/** The row of a thread that a list shows: the server's, as long as it is there.
 * @param {import("../served.js").ServedPage<Page.ShownThread> | null} served
 * @returns {(thread: Page.ShownThread) => HTMLElement} */
export function rowOf(served) {
  return (thread) => {
    const sent = served?.elements.get(thread.id);
    served?.elements.delete(thread.id);
    if (!sent) return threadRow(/** @type {Api.Thread} */ (thread));
    localize(sent);
    return liveRow(thread, sent);
  };
}

/** The users whom a thread's row names.
 * @param {Page.ShownThread & Partial<Api.Thread>} thread */
export function peopleOf({ createdBy, lastPostBy }) {
  return [createdBy ?? null, lastPostBy ?? null];
}

/** @param {Page.ShownThread} thread
 * @param {HTMLElement} row */
function liveRow(thread, row) {
  const fresh = row.querySelector(".fresh");
  const title = row.querySelector("h2 a");
  if (fresh === null || !(title instanceof HTMLAnchorElement)) throw new Error("A row has no title.");
  const draw = async () => {
    const unread = await reading.unread(thread);
    const { count } = unread;
    row.classList.toggle("unread", count > 0);
    fresh.textContent = count === 0 ? "" : count < MOST_UNREAD ? t("new-posts", { count }) : t("many-new-posts");
    title.href = placeToRead(thread.id, unread);
    row.dispatchEvent(new Event("read", { bubbles: true }));
  };
  row.addEventListener("resumed", draw);
  void draw();
  return row;
}

/** What a template shows of a thread, without the times.
 * @param {Api.Thread} thread */
export function valuesOf({ id, title, createdBy, postCount, pinned, locked }) {
  const author = userLink(createdBy);
  return { id, title, author, count: postCount, posts: t("posts", { count: postCount }), pin: pinned, lock: locked };
}

/** @param {Page.ShownThread[]} threads */
function postCounts(threads) {
  return new Map(threads.map((thread) => [thread.id, thread.postCount]));
}

/** @param {HTMLElement} page */
async function startThread(page) {
  const open = page.querySelector(".new-thread");
  if (open) {
    /** @type {HTMLElement | null} */ (open.querySelector("input"))?.focus();
    return;
  }
  if (!(await session.ensure())) return;
  /** @type {HTMLInputElement} */
  const title = h("input", {
    type: "text",
    class: "title-input",
    "aria-label": t("thread-title"),
    placeholder: t("thread-title"),
    maxlength: "200",
    dir: "auto",
    required: true,
    oninput: () => write(TITLE_DRAFT, title.value),
  });
  title.value = read(TITLE_DRAFT, "");
  const forget = () => write(TITLE_DRAFT, null);
  let key = crypto.randomUUID();
  /** The title that was sent with this key.
   * @type {string | null} */
  let sentTitle = null;
  const composer = new Composer({
    name: "new-thread",
    label: t("first-post"),
    button: t("start-thread"),
    before: title,
    cancel: () => {
      forget();
      composer.element.remove();
    },
    send: async (text) => {
      if (title.value.trim().length < MIN_TITLE) {
        title.focus();
        throw new Problem({ status: 422, slug: "invalid", detail: t("title-too-short") });
      }
      if (sentTitle !== null && sentTitle !== title.value) key = crypto.randomUUID();
      sentTitle = title.value;
      /** @type {Page.Answer<Api.Thread> | null} */
      const answer = await session.run(() =>
        ask("POST", "/api/threads", { body: { title: title.value }, headers: { "Idempotency-Key": key } }),
      );
      if (!answer) return;
      composer.clear();
      forget();
      outbox.post(answer.data.id, text, null);
      navigate(`/threads/${answer.data.id}`);
    },
  });
  composer.element.classList.add("new-thread");
  page.querySelector(".orders")?.before(composer.element);
  title.focus();
}
