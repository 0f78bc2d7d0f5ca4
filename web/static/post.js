// A post as it stands in a thread, and what can be done with it.
import { time, fullDate } from "./dates.js";
import { h, serverHtml } from "./dom.js";
import { ask, get, Problem } from "./http.js";
import { dialog } from "./forms.js";
import { describeProblem, showProblem, offerUndo } from "./notices.js";
import { avatar, userLink, findUser } from "./users.js";
import { session, withSession } from "./session.js";
import { Composer } from "./composer.js";
import { t } from "./text.js";

const IN_A_QUOTE = 600;

/** The element of a post. `actions` may have `reply(post)`, `quote(post)` and `removed(id)`; without
 * them it is only shown. */
export function postElement(post, actions = null) {
  const mine = session.user?.id === post.user;
  const body = prose(post.html);
  const element = h("article", { class: "post", id: `post-${post.id}`, "data-id": post.id, "aria-label": t("post") });
  element.append(
    avatar(post.user),
    h(
      "header", {},
      userLink(post.user),
      h("a", { href: `/threads/${post.thread}#post-${post.id}`, class: "when" }, time(post.createdAt), actions?.reply ? null : ` · ${t("go-to-post")}`),
      post.editedAt && h("span", { class: "edited", title: fullDate(post.editedAt) }, t("edited")),
    ),
    ...(post.replyTo && actions ? [answered(post)] : []),
    body,
  );
  if (actions) {
    const mayChange = mine || session.isModerator;
    const button = (label, act, danger = false) => h("button", { type: "button", class: danger ? "danger-text" : null, onclick: act }, label);
    element.append(
      h(
        "footer", { class: "actions" },
        actions.reply && button(t("reply"), () => actions.reply(post)),
        actions.quote && button(t("quote"), () => actions.quote(post)),
        mayChange && button(t("edit"), () => edit(post, element, body, actions)),
        mayChange && post.editedAt && button(t("history"), () => showHistory(post)),
        mayChange && button(t("delete"), () => remove(post, element, actions), true),
      ),
    );
  }
  return element;
}

/** What the server made of a post's Markdown, ready to be shown: it finds its own direction, wide
 * things scroll, and a picture that does not come says what it would have shown. */
export function prose(html) {
  const body = h("div", { class: "prose" });
  body.append(serverHtml(html));
  for (const block of body.querySelectorAll("p, li, blockquote, td, th, h1, h2, h3, h4, h5, h6")) block.dir = "auto";
  for (const heading of body.querySelectorAll("h1, h2, h3, h4, h5, h6")) heading.setAttribute("aria-level", "2");
  for (const wide of body.querySelectorAll("pre, table")) {
    const frame = h("div", { class: "wide", tabindex: "0", role: "group", "aria-label": t(wide.tagName === "PRE" ? "code" : "table") });
    wide.replaceWith(frame);
    frame.append(wide);
  }
  for (const image of body.querySelectorAll("img")) {
    image.addEventListener("error", () => image.replaceWith(h("span", { class: "no-picture" }, t("no-picture", { what: image.alt || image.src }))));
  }
  return body;
}

/** A post's text as a quotation. */
export function quotation(post, name) {
  const text = post.text.length > IN_A_QUOTE ? `${post.text.slice(0, IN_A_QUOTE)} …` : post.text;
  return `> **${name.replace(/([\\`*_[\]<>])/g, "\\$1")}:**\n>\n${text.split("\n").map((line) => `> ${line}`).join("\n")}\n\n`;
}

function answered(post) {
  const link = h("a", { href: `#post-${post.replyTo}`, class: "in-reply-to" }, t("in-reply-to"));
  get(`/api/posts/${post.replyTo}`).then(
    async (first) => {
      const user = await findUser(first.user);
      const said = serverHtml(first.html).textContent.trim().replace(/\s+/g, " ").slice(0, 90);
      link.replaceChildren(h("bdi", {}, user?.name ?? ""), h("span", { class: "said", dir: "auto" }, said));
    },
    () => link.replaceWith(h("span", { class: "in-reply-to" }, t("reply-to-removed"))),
  );
  return h("p", { class: "reply-line" }, link);
}

async function edit(post, element, body, actions) {
  if (element.querySelector(".composer")) return;
  try {
    const { data: current, headers } = await ask("GET", `/api/posts/${post.id}`);
    const composer = new Composer({
      name: `edit:${post.id}`, label: t("edit-post"), button: t("save"), text: current.text,
      cancel: () => (composer.element.remove(), (body.hidden = false)),
      send: async (text) => {
        const answer = await withSession(() => ask("PATCH", `/api/posts/${post.id}`, { body: { text }, headers: { "If-Match": headers.get("ETag") } }));
        if (!answer) return;
        composer.clear();
        element.replaceWith(postElement(answer.data, actions));
      },
    });
    body.hidden = true;
    body.after(composer.element);
    composer.focus();
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    showProblem(problem);
  }
}

async function showHistory(post) {
  await dialog(t("history"), () => {
    const list = h("div", { class: "history" }, t("loading"));
    withSession(() => get(`/api/posts/${post.id}/revisions?limit=100`)).then(
      (revisions) => list.replaceChildren(...(revisions ?? []).reverse().map((revision) =>
        h("section", {}, h("h3", {}, t("version", { number: revision.number }), " ", time(revision.createdAt)), h("pre", { dir: "auto", tabindex: "0" }, revision.text)))),
      (problem) => (list.textContent = describeProblem(problem)),
    );
    return list;
  });
}

function remove(post, element, actions) {
  element.hidden = true;
  const back = () => (element.hidden = false);
  const doIt = async () => {
    try {
      if (await withSession(() => ask("DELETE", `/api/posts/${post.id}`, { keepalive: true }))) actions.removed?.(post.id);
      else back();
    } catch (problem) {
      if (problem.status === 404) return actions.removed?.(post.id);
      back();
      showProblem(problem);
    }
  };
  offerUndo(t("post-deleted"), doIt, back);
}
