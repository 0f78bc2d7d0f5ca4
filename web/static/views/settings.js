// The settings of the user's account: profile, password, sessions, and deletion.
import { time } from "../dates.js";
import { h } from "../dom.js";
import { choice, field, form } from "../forms.js";
import { ask, getPage, retryWhileDown, settled } from "../http.js";
import { navigate } from "../navigation.js";
import { describeProblem, loading, showMessage, showProblem } from "../notices.js";
import { Problem } from "../problem.js";
import { page } from "../router.js";
import { collect, save } from "../own-data.js";
import { panelSwitch, session, shortcuts, toolbar } from "../state.js";
import { t } from "../text.js";

/** @param {Page.Visit} visit */
export function show(visit) {
  visit.title(t("settings"));
  const profile = section(t("profile"));
  const sessions = section(t("sessions"), t("sessions-hint"));
  const note = h("p", { class: "quiet-text" }, loading());
  const element = page(t("settings"), note);
  const load = async () => {
    if (!(await session.run(() => retryWhileDown(() => fill(profile, sessions, visit.signal), visit.signal)))) {
      if (!visit.signal.aborted) navigate("/", { replace: true });
    }
  };
  const loaded = load().catch((problem) => {
    if (visit.signal.aborted) return;
    if (!(problem instanceof Problem)) throw problem;
    element.append(h("p", { class: "failure", role: "alert" }, describeProblem(problem)));
  });
  // All parts at once, so that none moves another.
  settled(loaded).then(() =>
    note.replaceWith(profile, passwordSection(), sessions, ...switches(), ownDataSection(), leaveSection()),
  );
  return element;
}

/** @param {HTMLElement} profile
 * @param {HTMLElement} sessions
 * @param {AbortSignal} signal */
async function fill(profile, sessions, signal) {
  /** @type {[Page.Answer<Api.Me>, Page.ListPage<Api.Session>]} */
  const [me, own] = await Promise.all([
    ask("GET", "/api/users/me", { signal }),
    getPage("/api/sessions?limit=100", { signal }),
  ]);
  profile.lastElementChild?.replaceWith(profileForm(me.data, me.headers.get("ETag") ?? ""));
  sessions.lastElementChild?.replaceWith(h("ul", { class: "sessions" }, own.items.map(sessionRow)));
  return true;
}

/** A section of the page; its content later replaces the last element.
 * @param {string} title */
function section(title, hint = "") {
  return h(
    "section",
    { class: "settings-part" },
    h("h2", {}, title),
    hint && h("p", { class: "quiet-text" }, hint),
    h("p", {}, loading()),
  );
}

/** @param {Api.Me} me
 * @param {string} version its entity tag */
function profileForm(me, version) {
  const fields = [
    field("name", t("name-shown"), { value: me.name, maxlength: "60", autocomplete: "name" }),
    field("bio", t("bio"), { value: me.bio, multiline: true, rows: 3, maxlength: "500" }, t("bio-hint")),
    field(
      "email",
      t("email"),
      { value: me.email ?? "", type: "email", autocomplete: "email", maxlength: "254" },
      t("email-hint"),
    ),
  ];
  return form({
    fields,
    button: t("save"),
    send: async ({ name, bio, email }) => {
      const body = { name, bio, email: email.trim() || null };
      /** @type {Page.Answer<Api.Me> | null} */
      const answer = await session.run(() => ask("PATCH", "/api/users/me", { body, headers: { "If-Match": version } }));
      if (!answer) return;
      version = answer.headers.get("ETag") ?? "";
      session.set(answer.data);
      showMessage(t("saved"));
    },
  });
}

function passwordSection() {
  const part = section(t("change-password"), t("change-password-hint"));
  const fields = [
    field("current", t("current-password"), { type: "password", autocomplete: "current-password", required: true }),
    field(
      "new",
      t("new-password"),
      { type: "password", autocomplete: "new-password", maxlength: "128", required: true },
      t("password-hint"),
    ),
  ];
  const element = form({
    fields,
    button: t("change-password"),
    send: async (body) => {
      if (!(await session.run(() => ask("PUT", "/api/users/me/password", { body })))) return;
      element.reset();
      showMessage(t("password-changed"));
    },
  });
  part.lastElementChild?.replaceWith(element);
  return part;
}

/** @param {Api.Session} own */
function sessionRow(own) {
  const row = h(
    "li",
    {},
    h(
      "div",
      {},
      h("span", { class: "agent" }, own.userAgent || t("unknown-browser")),
      h(
        "p",
        { class: "meta" },
        t("last-used"),
        " ",
        time(own.lastUsedAt),
        " · ",
        t("signed-in"),
        " ",
        time(own.createdAt),
      ),
    ),
    own.current
      ? h("span", { class: "here" }, t("this-session"))
      : h("button", { type: "button", onclick: end }, t("end-session")),
  );
  async function end() {
    try {
      if (await session.run(() => ask("DELETE", `/api/sessions/${own.id}`))) row.remove();
    } catch (problem) {
      if (problem instanceof Problem && problem.status === 404) row.remove();
      else showProblem(problem);
    }
  }
  return row;
}

/** What this device stores. */
function switches() {
  return [
    switchSection(t("toolbar"), t("toolbar-hint"), "toolbar-switch", toolbar),
    switchSection(t("shortcuts"), t("shortcuts-hint"), "shortcuts-switch", shortcuts),
    switchSection(t("architecture"), t("architecture-hint"), "architecture-switch", panelSwitch),
  ];
}

/** @param {string} title
 * @param {string} hint
 * @param {string} key of the label
 * @param {import("../preference.js").Preference} preference */
function switchSection(title, hint, key, preference) {
  const part = section(title, hint);
  part.lastElementChild?.replaceWith(h("p", {}, choice(key, preference)));
  return part;
}

function ownDataSection() {
  const part = section(t("own-data"), t("own-data-hint"));
  const element = form({
    fields: [],
    button: t("download"),
    send: async () => {
      const data = await session.run(() => collect((path) => retryWhileDown(() => getPage(path))));
      if (data) save(data);
    },
  });
  part.lastElementChild?.replaceWith(element);
  return part;
}

function leaveSection() {
  const part = section(t("delete-account"), t("delete-account-hint"));
  const element = form({
    fields: [field("password", t("password"), { type: "password", autocomplete: "current-password", required: true })],
    button: t("delete-account"),
    dangerous: true,
    send: async (body) => {
      if (!(await session.run(() => ask("DELETE", "/api/users/me", { body })))) return;
      session.set(null);
      navigate("/");
      showMessage(t("account-deleted"));
    },
  });
  part.lastElementChild?.replaceWith(element);
  return part;
}
