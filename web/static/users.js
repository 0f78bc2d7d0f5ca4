// Who is who: names by id, asked for in batches and remembered for a while.
import { h } from "./dom.js";
import { get, retryWhileDown } from "./http.js";

const CACHE_TIME = 5 * 60_000;
const BATCH_SIZE = 100;

const known = new Map();
let wanted = new Map();

/** The user of an id, or null when there is none. All that are asked for in the same moment are
 * asked for together. */
export function findUser(id) {
  const found = known.get(id);
  if (found && found.until > Date.now()) return found.promise;
  const promise = new Promise((resolve) => {
    if (wanted.size === 0) queueMicrotask(fetchWanted);
    wanted.set(id, resolve);
  });
  known.set(id, { promise, until: Date.now() + CACHE_TIME });
  return promise;
}

/** Remember a user that came with another answer. */
export function cacheUser(user) {
  known.set(user.id, { promise: Promise.resolve(user), until: Date.now() + CACHE_TIME });
}

/** A link to a user that shows their name as soon as it is known. */
export function userLink(id) {
  const link = h("a", { href: `/users/${id}`, class: "name", dir: "auto" }, "\u2007".repeat(8));
  findUser(id).then((user) => {
    link.textContent = user ? user.name : "?";
    if (user) link.title = `@${user.username}`;
  });
  return link;
}

/** A coloured circle with initials, which stands for a user. Beside a name it says nothing more. */
export function avatar(id) {
  const element = h("span", { class: `avatar hue-${id % 12}`, "aria-hidden": "true" });
  findUser(id).then((user) => {
    element.textContent = user ? initials(user.name) : "";
  });
  return element;
}

function initials(name) {
  const words = name.trim().split(/\s+/);
  const first = (word) => [...new Intl.Segmenter().segment(word)][0]?.segment ?? "";
  return (words.length > 1 ? first(words[0]) + first(words.at(-1)) : first(words[0])).toLocaleUpperCase();
}

async function fetchWanted() {
  const asked = wanted;
  wanted = new Map();
  const ids = [...asked.keys()];
  for (let at = 0; at < ids.length; at += BATCH_SIZE) {
    const some = ids.slice(at, at + BATCH_SIZE);
    const query = some.map((id) => `id=${id}`).join("&");
    const users = await retryWhileDown(() => get(`/api/users?${query}&limit=${BATCH_SIZE}`)).catch(() => []);
    const byId = new Map(users.map((user) => [user.id, user]));
    for (const id of some) asked.get(id)(byId.get(id) ?? null);
  }
}
