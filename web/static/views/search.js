// Search results: people by their names, threads by their titles, posts by their texts.
import { time } from "../dates.js";
import { h, serverHtml } from "../dom.js";
import { get, settled } from "../http.js";
import { loading } from "../notices.js";
import { navigate } from "../navigation.js";
import { fromCursor, linkFrom, PagedList } from "../paged-list.js";
import { Problem } from "../problem.js";
import { whyNothing } from "../search-hints.js";
import { copyElement } from "../templates.js";
import { t } from "../text.js";
import { findThread } from "../threads-by-id.js";
import { threadRow } from "./threads.js";
import { avatar, cacheUser, personElement, userLink } from "../users.js";

/** @param {Page.Visit} visit */
export function show(visit) {
  const words = visit.address.searchParams.get("q")?.trim() ?? "";
  visit.title(words ? t("search-for", { words }) : t("search"));
  visit.keep = true;
  const input = h("input", {
    type: "search",
    name: "q",
    maxlength: "200",
    "aria-label": t("search-words"),
    dir: "auto",
    autofocus: words === "",
  });
  input.value = words;
  const element = h(
    "div",
    { class: "page" },
    h("h1", {}, t("search")),
    h(
      "form",
      { class: "search-form", role: "search", onsubmit: search },
      input,
      h("button", { type: "submit", class: "primary" }, t("search")),
    ),
  );
  if (words) element.append(results(visit, words));
  return element;

  /** @param {SubmitEvent} event */
  function search(event) {
    event.preventDefault();
    navigate(`/search?q=${encodeURIComponent(input.value.trim())}`);
  }
}

/** @param {Page.Visit} visit
 * @param {string} words */
function results(visit, words) {
  const q = encodeURIComponent(words);
  const why = t(whyNothing(words));
  const { signal } = visit;
  const people = h("div", { class: "list" });
  const found = h(
    "section",
    { "aria-labelledby": "found-people", hidden: true },
    h("h2", { id: "found-people", class: "section" }, t("people")),
    people,
  );
  const fill = async () => {
    const users = await findPeople(words, signal);
    people.append(...users.map(personRow));
    found.hidden = users.length === 0;
  };
  const ready = settled(fill());
  /** @type {PagedList<Api.Thread>} */
  const threads = new PagedList({
    first: `/api/threads/search?q=${q}&limit=10`,
    row: threadRow,
    people: (thread) => [thread.createdBy, thread.lastPostBy],
    link: linkFrom(`/search?q=${q}`),
    empty: `${t("no-threads-found")} ${why}`,
    more: t("more-threads"),
    ready,
    signal,
  });
  /** @type {PagedList<Api.FoundPost>} */
  const posts = new PagedList({
    first: fromCursor(`/api/posts/search?q=${q}&limit=20`, visit.address),
    row: foundPost,
    people: (post) => [post.user],
    link: linkFrom(`/search?q=${q}`),
    empty: `${t("no-posts-found")} ${why}`,
    more: t("more-posts"),
    ready,
    signal,
  });
  const first = settled(threads.load());
  visit.showWhen(Promise.all([first, posts.load()]));
  // Only the second list grows as the visitor scrolls: if both did, its start could not be reached.
  threads.loadOnlyOnClick();
  const lists = [
    found,
    h(
      "section",
      { "aria-labelledby": "found-threads" },
      h("h2", { id: "found-threads", class: "section" }, t("threads")),
      threads.element,
    ),
    h(
      "section",
      { "aria-labelledby": "found-posts" },
      h("h2", { id: "found-posts", class: "section" }, t("posts-heading")),
      posts.element,
    ),
  ];
  const note = h("p", { class: "list-note", role: "status" }, loading());
  void first.then(() => note.replaceWith(...lists));
  return note;
}

/** The users whose names start with these words; none if the request fails, which the lists of threads and
 * posts report already.
 * @param {string} words
 * @param {AbortSignal} signal
 * @returns {Promise<Api.User[]>} */
async function findPeople(words, signal) {
  try {
    return await get(`/api/users/search?q=${encodeURIComponent(words)}&limit=5`, { signal });
  } catch (problem) {
    if (signal.aborted || problem instanceof Problem) return [];
    throw problem;
  }
}

/** @param {Api.User} user */
function personRow(user) {
  cacheUser(user);
  return personElement(user.id);
}

/** @param {Api.FoundPost} post */
function foundPost(post) {
  const title = h("span", {}, t("thread"));
  findThread(post.thread).then((thread) => title.replaceWith(thread?.title ?? t("thread")));
  return copyElement("found-post", {
    id: post.id,
    thread: post.thread,
    avatar: avatar(post.user),
    author: userLink(post.user),
    time: time(post.createdAt),
    title,
    snippet: serverHtml(post.snippet),
  });
}
