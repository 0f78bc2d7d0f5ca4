// Users by id: requested in batches, and cached for a while.
import { get, retryWhileDown, settled } from "./http.js";
import { copyElement } from "./templates.js";
import { t } from "./text.js";

/** Short, because the board's moderators are known by their badges. */
const CACHE_TIME = 60_000;
const BATCH_SIZE = 100;

/** @type {Map<number, {promise: Promise<Page.ShownUser | null>, until: number}>} */
const cache = new Map();
/** @type {Map<number, (user: Page.ShownUser | null) => void>} */
let wanted = new Map();

/** The user with an id, or null if there is none. Users that are needed at the same moment are requested
 * together.
 * @param {number} id
 * @returns {Promise<Page.ShownUser | null>} */
export function findUser(id) {
  const cached = cache.get(id);
  if (cached && cached.until > Date.now()) return cached.promise;
  /** @type {Promise<Page.ShownUser | null>} */
  const promise = new Promise((resolve) => {
    if (wanted.size === 0) queueMicrotask(fetchWanted);
    wanted.set(id, resolve);
  });
  cache.set(id, { promise, until: Date.now() + CACHE_TIME });
  return promise;
}

/** Wait until these users are known, but not long: what shows their names then has its place.
 * @param {Iterable<number | null>} ids */
export function known(ids) {
  return settled(Promise.all([...new Set(ids)].map((id) => id !== null && findUser(id))), 1);
}

/** Cache a user that was part of another response.
 * @param {Page.ShownUser} user */
export function cacheUser(user) {
  cache.set(user.id, { promise: Promise.resolve(user), until: Date.now() + CACHE_TIME });
}

/** A link to a user, which shows who that is as soon as it is known: display names may repeat, usernames and
 * badges cannot be imitated.
 * @param {number} id */
export function userLink(id) {
  const link = copyElement("user", { user: id, name: "\u2007".repeat(16) });
  findUser(id).then((user) => {
    if (user) link.replaceChildren(...copyElement("user", valuesOf(user)).childNodes);
    else link.textContent = "?";
  });
  return link;
}

/** What a template shows of a user. An account that was deleted has only a name.
 * @param {Page.ShownUser} user */
export function valuesOf({ id, name, username, role }) {
  const isThere = !username.startsWith("deleted-");
  const badge = isThere && role !== "member" && t(`role-${role}`);
  return { user: id, name, username: isThere && username, role: badge && role, badge };
}

/** A coloured circle with a user's initials. Hidden from screen readers: a name stands beside it.
 * @param {number} id */
export function avatar(id) {
  const element = copyElement("avatar", { hue: id % 12 });
  findUser(id).then((user) => {
    element.textContent = user ? initials(user.name) : "";
  });
  return element;
}

/** A user in a list of people.
 * @param {number} id */
export function personElement(id) {
  return copyElement("person", { user: id, avatar: avatar(id), author: userLink(id) });
}

/** The initials of the first and the last word, or of the only one.
 * @param {string} name */
export function initials(name) {
  const words = name.trim().split(/\s+/);
  const last = words.length > 1 ? firstCharacter(words.at(-1) ?? "") : "";
  return (firstCharacter(words[0] ?? "") + last).toLocaleUpperCase();
}

/** The first character as readers see it: an emoji may have several code points.
 * @param {string} word */
function firstCharacter(word) {
  return [...new Intl.Segmenter().segment(word)][0]?.segment ?? "";
}

async function fetchWanted() {
  const requested = [...wanted];
  wanted = new Map();
  for (let start = 0; start < requested.length; start += BATCH_SIZE) {
    const batch = requested.slice(start, start + BATCH_SIZE);
    const query = batch.map(([id]) => `id=${id}`).join("&");
    /** @type {Api.User[]} */
    const users = await retryWhileDown(() => get(`/api/users?${query}&limit=${BATCH_SIZE}`)).catch(() => []);
    const byId = new Map(users.map((user) => [user.id, user]));
    for (const [id, resolve] of batch) resolve(byId.get(id) ?? null);
  }
}
