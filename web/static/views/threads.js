// All threads, by their latest activity or their age.
import { time } from "../dates.js";
import { h, icon } from "../dom.js";
import { Composer } from "../composer.js";
import { ask, get, Problem } from "../http.js";
import { outbox } from "../outbox.js";
import { fromCursor, linkFrom, PagedList } from "../paged-list.js";
import { avatar, userLink } from "../users.js";
import { navigate } from "../navigation.js";
import { unreadCount } from "../seen.js";
import { session, withSession } from "../session.js";
import { read, write } from "../storage.js";
import { t } from "../text.js";

const LOOK_AGAIN = 20_000;
const TITLE_DRAFT = "draft:new-thread-title";

export function show(visit) {
  visit.title(null);
  visit.keep = true;
  const order = visit.address.searchParams.get("order") === "new" ? "new" : "active";
  const place = order === "new" ? "/?order=new" : "/";
  const path = `/api/threads?order=${order}&limit=30`;
  const pages = new PagedList({
    first: fromCursor(path, visit.address), row: threadRow, link: linkFrom(place), empty: t("no-threads"), more: t("more-threads"), signal: visit.signal,
  });
  const tab = (name, href) => h("a", { href, "aria-current": name === order ? "page" : null }, t(`order-${name}`));
  const start = h("button", { type: "button", class: "primary", onclick: () => startThread(element) }, t("new-thread"));
  const element = h(
    "div", { class: "page" },
    h("div", { class: "page-head" }, h("h1", {}, t("threads")), start),
    h("nav", { class: "orders", "aria-label": t("order") }, tab("active", "/"), tab("new", "/?order=new")),
    pages.element,
  );
  pages.load();

  const news = h("button", { type: "button", class: "news", hidden: true, onclick: refresh });
  pages.element.before(news);
  let first = null;
  const look = async () => {
    if (document.hidden || !element.isConnected || visit.address.searchParams.has("after")) return;
    const threads = await get(path).catch(() => null);
    if (threads === null || !element.isConnected) return;
    const changed = threads.filter((thread) => first && (first.get(thread.id) ?? -1) < thread.postCount).length;
    first ??= new Map(threads.map((thread) => [thread.id, thread.postCount]));
    news.hidden = changed === 0;
    news.textContent = t("threads-with-news", { count: changed });
  };
  function refresh() {
    scrollTo(0, 0);
    visit.keep = false;
    navigate(place, { replace: true });
  }
  const timer = setInterval(look, LOOK_AGAIN);
  visit.signal.addEventListener("abort", () => clearInterval(timer));
  pages.onItems = (threads) => (first ??= new Map(threads.map((thread) => [thread.id, thread.postCount])));
  visit.resumed = () => {
    for (const row of pages.list.querySelectorAll(".thread-row")) row.refresh?.();
    look();
  };
  return element;
}

/** A thread in a list. */
export function threadRow(thread) {
  const fresh = h("span", { class: "fresh" });
  const row = h(
    "article", { class: "thread-row", "data-id": thread.id },
    avatar(thread.createdBy),
    h(
      "div", { class: "thread-what" },
      h("h2", {},
        thread.pinned && icon("pin", t("pinned")),
        thread.locked && icon("lock", t("locked")),
        h("a", { href: `/threads/${thread.id}`, dir: "auto" }, thread.title),
      ),
      h("p", { class: "meta" }, t("by"), " ", userLink(thread.createdBy), " · ", thread.lastPostAt ? [t("last-post"), " ", time(thread.lastPostAt)] : [t("started"), " ", time(thread.createdAt)]),
    ),
    h("p", { class: "thread-count" }, h("span", {}, t("posts", { count: thread.postCount })), fresh),
  );
  row.refresh = () => {
    const count = unreadCount(thread);
    row.classList.toggle("unread", count > 0);
    fresh.textContent = count > 0 ? t("new-posts", { count }) : "";
  };
  row.refresh();
  return row;
}

async function startThread(page) {
  const open = page.querySelector(".new-thread");
  if (open) return open.querySelector("input").focus();
  if (session.user === null && (await withSession(async () => true)) === null) return;
  const title = h("input", { type: "text", class: "title-input", "aria-label": t("thread-title"), placeholder: t("thread-title"), maxlength: "200", dir: "auto", required: true, oninput: () => write(TITLE_DRAFT, title.value) });
  title.value = read(TITLE_DRAFT, "");
  const forget = () => write(TITLE_DRAFT, null);
  let key = crypto.randomUUID();
  let keyedTitle = null;
  const composer = new Composer({
    name: "new-thread", label: t("first-post"), button: t("start-thread"), before: title,
    cancel: () => (forget(), composer.element.remove()),
    send: async (text) => {
      if (title.value.trim().length < 3) {
        title.focus();
        throw new Problem({ status: 422, slug: "invalid", detail: t("title-too-short") });
      }
      if (keyedTitle !== null && keyedTitle !== title.value) key = crypto.randomUUID();
      keyedTitle = title.value;
      const answer = await withSession(() => ask("POST", "/api/threads", { body: { title: title.value }, headers: { "Idempotency-Key": key } }));
      if (!answer) return;
      composer.clear();
      forget();
      outbox.post(answer.data.id, text, null);
      navigate(`/threads/${answer.data.id}`);
    },
  });
  composer.element.classList.add("new-thread");
  page.querySelector(".orders").before(composer.element);
  title.focus();
}
