// A post as it stands in a thread, and what can be done with it.
import { Composer } from "./composer.js";
import { fullDate, time } from "./dates.js";
import { actionButton, h, serverHtml } from "./dom.js";
import { dialog } from "./forms.js";
import { ask, get } from "./http.js";
import { describeProblem, loading, offerUndo, showProblem } from "./notices.js";
import { Problem } from "./problem.js";
import { session } from "./state.js";
import { t } from "./text.js";
import { avatar, findUser, userLink } from "./users.js";

const MAX_QUOTED = 600;

/** The element of a post. Without `actions` it is only shown.
 * @param {Api.Post} post
 * @param {Page.PostActions | null} actions */
export function postElement(post, actions = null) {
  const body = prose(post.html);
  const element = h("article", { class: "post", id: `post-${post.id}`, "data-id": post.id, "aria-label": t("post") });
  element.append(
    avatar(post.user),
    h(
      "header",
      {},
      userLink(post.user),
      h(
        "a",
        { href: `/threads/${post.thread}#post-${post.id}`, class: "when" },
        time(post.createdAt),
        actions?.reply ? null : ` · ${t("go-to-post")}`,
      ),
      post.editedAt &&
        h(
          "span",
          { class: "edited", title: fullDate(post.editedAt) },
          post.editedBy === null ? t("edited") : [t("edited-by"), " ", userLink(post.editedBy)],
        ),
    ),
  );
  if (post.replyTo && actions) element.append(answeredLine(post.replyTo, post.html.startsWith("<blockquote")));
  element.append(body);
  if (actions) element.append(actionButtons(post, element, body, actions));
  return element;
}

/** @param {Api.Post} post
 * @param {HTMLElement} element
 * @param {HTMLElement} body
 * @param {Page.PostActions} actions */
function actionButtons(post, element, body, actions) {
  const mayChange = session.user?.id === post.user || session.isModerator;
  return h(
    "footer",
    { class: "actions" },
    actions.reply && h("button", { type: "button", class: "reply", onclick: () => actions.reply?.(post) }, t("reply")),
    actions.quote && actionButton(t("quote"), () => actions.quote?.(post)),
    session.user?.id !== post.user && actionButton(t("report"), () => report(post)),
    mayChange && actionButton(t("edit"), () => edit(post, element, body, actions)),
    mayChange && post.editedAt && actionButton(t("history"), () => showHistory(post)),
    mayChange &&
      actionButton(
        t("delete"),
        () => (session.user?.id === post.user ? remove(post, element, actions) : removeAsModerator(post, actions)),
        true,
      ),
  );
}

/** @param {Api.Post} post */
async function report(post) {
  const { reportPost } = await import("./cases/report.js");
  await reportPost(post);
}

/** A post's sanitised HTML, ready to be shown: lists and quotations find their direction as paragraphs do, wide things scroll, and a
 * picture that does not load says what it would have shown.
 * @param {string} html */
export function prose(html) {
  const body = h("div", { class: "prose" });
  body.append(serverHtml(html));
  for (const block of body.children) block.setAttribute("dir", "auto");
  for (const heading of body.querySelectorAll("h1, h2, h3, h4, h5, h6")) heading.setAttribute("aria-level", "2");
  for (const wide of body.querySelectorAll("pre, table")) {
    const frame = h("div", {
      class: "wide",
      tabindex: "0",
      role: "group",
      "aria-label": t(wide.tagName === "PRE" ? "code" : "table"),
    });
    wide.replaceWith(frame);
    frame.append(wide);
  }
  for (const image of body.querySelectorAll("img")) {
    image.addEventListener("error", () =>
      image.replaceWith(h("span", { class: "no-picture" }, t("no-picture", { what: image.alt || image.src }))),
    );
  }
  return body;
}

/** A post's text as a quotation in Markdown.
 * @param {Api.Post} post
 * @param {string} name */
export function quotation(post, name) {
  const text = post.text.length > MAX_QUOTED ? `${post.text.slice(0, MAX_QUOTED)} …` : post.text;
  return `> **${name.replace(/([\\`*_[\]<>])/g, "\\$1")}:**\n>\n${text
    .split("\n")
    .map((line) => `> ${line}`)
    .join("\n")}\n\n`;
}

/** The line above a post that names the post which it answers. It shows the beginning of that post's text,
 * unless the answer quotes it.
 * @param {number} id
 * @param {boolean} quotes */
function answeredLine(id, quotes) {
  const link = h("a", { href: `#post-${id}`, class: "in-reply-to" }, t("in-reply-to"));
  const fill = async () => {
    /** @type {Api.Post} */
    const post = await get(`/api/posts/${id}`);
    const user = await findUser(post.user);
    const start = (serverHtml(post.html).textContent ?? "").trim().replace(/\s+/g, " ").slice(0, 90);
    const name = h("bdi", {}, user?.name ?? "");
    if (quotes) link.replaceChildren(t("in-reply-to-user"), " ", name);
    else link.replaceChildren(name, h("span", { class: "said", dir: "auto" }, start));
  };
  fill().catch(() => link.replaceWith(h("span", { class: "in-reply-to" }, t("reply-to-removed"))));
  return h("p", { class: "reply-line" }, link);
}

/** @param {Api.Post} post
 * @param {HTMLElement} element
 * @param {HTMLElement} body
 * @param {Page.PostActions} actions */
async function edit(post, element, body, actions) {
  if (element.querySelector(".composer")) return;
  try {
    /** @type {Page.Answer<Api.Post>} */
    const { data: current, headers } = await ask("GET", `/api/posts/${post.id}`);
    const version = headers.get("ETag") ?? "";
    const composer = new Composer({
      name: `edit:${post.id}`,
      label: t("edit-post"),
      button: t("save"),
      text: current.text,
      cancel: () => {
        composer.element.remove();
        body.hidden = false;
      },
      send: async (text) => {
        /** @type {Page.Answer<Api.Post> | null} */
        const answer = await session.run(() =>
          ask("PATCH", `/api/posts/${post.id}`, { body: { text }, headers: { "If-Match": version } }),
        );
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

/** @param {Api.Post} post */
async function showHistory(post) {
  await dialog(t("history"), () => {
    const list = h("div", { class: "history" }, loading());
    const fill = async () => {
      /** @type {Api.Revision[] | null} */
      const revisions = await session.run(() => get(`/api/posts/${post.id}/revisions?limit=100`));
      list.replaceChildren(
        ...(revisions ?? [])
          .toReversed()
          .map((revision) =>
            h(
              "section",
              {},
              h(
                "h3",
                {},
                t("version", { number: revision.number }),
                " ",
                time(revision.createdAt),
                revision.editedBy === null ? null : [` ${t("by")} `, userLink(revision.editedBy)],
              ),
              h("pre", { dir: "auto", tabindex: "0" }, revision.text),
            ),
          ),
      );
    };
    fill().catch((problem) => (list.textContent = describeProblem(problem)));
    return list;
  });
}

/** @param {Api.Post} post
 * @param {HTMLElement} element
 * @param {Page.PostActions} actions */
function remove(post, element, actions) {
  element.hidden = true;
  const show = () => void (element.hidden = false);
  const removeNow = async () => {
    try {
      if (await session.run(() => ask("DELETE", `/api/posts/${post.id}`, { keepalive: true })))
        actions.removed?.(post.id);
      else show();
    } catch (problem) {
      if (problem instanceof Problem && problem.status === 404) {
        actions.removed?.(post.id);
        return;
      }
      show();
      showProblem(problem);
    }
  };
  offerUndo(t("post-deleted"), removeNow, show);
}

/** @param {Api.Post} post
 * @param {Page.PostActions} actions */
async function removeAsModerator(post, actions) {
  const { giveReason } = await import("./moderation/reason.js");
  if (await giveReason(t("delete-post"), t("delete"), `/api/posts/${post.id}/removal`)) actions.removed?.(post.id);
}
