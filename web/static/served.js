// What the server's page shows, read from its markup: the browser need not request it again.
import { cacheUser } from "./users.js";

/** A page of a list as the server has sent it, with the elements of its items.
 * @template Item
 * @typedef {Page.ListPage<Item> & {elements: Map<number, HTMLElement>}} ServedPage */

/** The list on the server's page, or null if there is none, or only a part of what belongs there. `read` makes an
 * item of its element, `first` is the API path of this page. Caches the users whom the page names.
 * @template {{id: number}} Item
 * @param {Element | null} served
 * @param {string} first
 * @param {(element: HTMLElement) => Item} read
 * @returns {ServedPage<Item> | null} */
export function servedList(served, first, read) {
  const chunk = served?.querySelector(".chunk");
  if (!served || !chunk) return null;
  cacheUsers(served);
  /** @type {Map<number, HTMLElement>} */
  const elements = new Map();
  for (const element of chunk.children) {
    if (element instanceof HTMLElement) elements.set(Number(element.dataset.id), element);
  }
  const hasBefore = served.querySelector("a[rel=prev]") !== null;
  return {
    elements,
    items: [...elements.values()].map(read),
    next: nextPath(served, first),
    first: hasBefore ? first : null,
  };
}

/** A post, without its text.
 * @param {HTMLElement} element
 * @returns {Page.ShownPost} */
export function readPost(element) {
  const edited = element.querySelector("header .edited");
  const when = element.querySelector("header .when");
  const [, thread] = /^\/threads\/(\d+)/.exec(hrefOf(when)) ?? [];
  const [, answered] = /#post-(\d+)$/.exec(hrefOf(element.querySelector(".in-reply-to"))) ?? [];
  return {
    id: Number(element.dataset.id),
    thread: Number(thread),
    user: Number(element.dataset.user),
    replyTo: answered ? Number(answered) : null,
    createdAt: momentIn(when) ?? "",
    editedAt: edited?.getAttribute("data-at") ?? null,
    editedBy: edited ? idIn(edited) : null,
  };
}

/** @param {HTMLElement} element
 * @returns {Page.ShownThread} */
export function readThread(element) {
  return {
    id: Number(element.dataset.id),
    postCount: Number(element.dataset.count),
    lastPostAt: momentIn(element.querySelector(".last")),
  };
}

/** The thread of the server's page, or null if that does not show it.
 * @param {Element | null} served
 * @param {number} id
 * @returns {Api.Thread | null} */
export function servedThread(served, id) {
  const head = served?.querySelector(".thread-head[data-by]");
  if (!(head instanceof HTMLElement)) return null;
  const { by, at = "", count, last } = head.dataset;
  return {
    id,
    title: head.querySelector("h1")?.textContent ?? "",
    createdBy: Number(by),
    createdAt: at,
    editedAt: null,
    version: 0,
    postCount: Number(count),
    lastPostAt: last || null,
    lastPostBy: null,
    locked: head.querySelector("[data-mark=lock]") !== null,
    pinned: head.querySelector("[data-mark=pin]") !== null,
  };
}

/** The user of the server's page, or null if that does not show them.
 * @param {Element | null} served
 * @param {number} id
 * @returns {Api.User | null} */
export function servedUser(served, id) {
  const head = served?.querySelector(".user-head[data-role]");
  if (!(head instanceof HTMLElement)) return null;
  return {
    id,
    name: head.querySelector("h1")?.textContent ?? "",
    username: head.querySelector(".username")?.textContent?.slice(1) ?? "",
    role: /** @type {Api.Role} */ (head.dataset.role),
    bio: head.querySelector(".bio")?.textContent ?? "",
    createdAt: momentIn(head) ?? "",
  };
}

/** @param {Element} served */
function cacheUsers(served) {
  for (const link of served.querySelectorAll("a.user")) {
    const name = link.querySelector(".name")?.textContent;
    if (name === null || name === undefined) continue;
    const username = link.querySelector(".username")?.textContent?.slice(1) ?? "deleted-";
    const badge = link.querySelector(".badge");
    const role = badge?.classList.contains("admin") ? "admin" : badge ? "moderator" : "member";
    cacheUser({ id: idIn(link) ?? 0, name, username, role });
  }
}

/** @param {Element} served
 * @param {string} first */
function nextPath(served, first) {
  const link = served.querySelector("a[rel=next]");
  if (link === null) return null;
  const path = new URL(first, location.origin);
  path.searchParams.delete("around");
  path.searchParams.set("after", new URL(hrefOf(link), location.origin).searchParams.get("after") ?? "");
  return path.pathname + path.search;
}

/** The id of the user to whom a part of the page links.
 * @param {Element} part */
function idIn(part) {
  const [, id] = /^\/users\/(\d+)$/.exec(hrefOf(part.matches("a") ? part : part.querySelector("a.user"))) ?? [];
  return id ? Number(id) : null;
}

/** @param {Element | null} part */
function momentIn(part) {
  return part?.querySelector("time")?.dateTime ?? null;
}

/** @param {Element | null} link */
function hrefOf(link) {
  return link?.getAttribute("href") ?? "";
}
