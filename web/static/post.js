// A post as it stands in a thread, and what can be done with it.
import { Composer } from "./composer.js";
import { fullDate, localize, time } from "./dates.js";
import { h, serverHtml } from "./dom.js";
import { dialog } from "./forms.js";
import { ask, get } from "./http.js";
import { describeProblem, loading, offerUndo, showProblem } from "./notices.js";
import { Problem } from "./problem.js";
import { session } from "./state.js";
import { copy, copyButtons, copyElement } from "./templates.js";
import { t } from "./text.js";
import { avatar, findUser, userLink } from "./users.js";

const MAX_QUOTED = 600;
const LONGEST_BEGINNING = 90;
const QUOTES = ".prose > blockquote:first-child";

/** The element of a post. Without `actions` it is only shown.
 * @param {Api.Post} post
 * @param {Page.PostActions | null} actions */
export function postElement(post, actions = null) {
  const element = copyElement(actions?.reply ? "post" : "listed-post", {
    id: post.id,
    thread: post.thread,
    user: post.user,
    avatar: avatar(post.user),
    author: userLink(post.user),
    time: time(post.createdAt),
    editedAt: post.editedAt,
    edited: post.editedAt && post.editedBy === null,
    by: post.editedAt && post.editedBy !== null && userLink(post.editedBy),
    answered:
      post.replyTo && actions && replyLine(post.replyTo, placeOf(post, actions), post.html.startsWith("<blockquote")),
    prose: preparedHtml(post.html),
  });
  if (post.editedAt) element.querySelector(".edited")?.setAttribute("title", fullDate(post.editedAt));
  watchPictures(element);
  if (actions) showActions(post, element, actions);
  return element;
}

/** Make the element of a post that the server has sent what `postElement` returns.
 * @param {Page.ShownPost} post
 * @param {HTMLElement} element
 * @param {Page.PostActions | null} actions */
export function adoptPost(post, element, actions = null) {
  localize(element);
  watchPictures(element);
  if (!actions) return element;
  showActions(post, element, actions);
  const line = element.querySelector(".reply-line");
  if (line && post.replyTo !== null && !line.querySelector("bdi"))
    line.replaceWith(replyLine(post.replyTo, placeOf(post, actions), element.querySelector(QUOTES) !== null));
  return element;
}

/** Put the buttons for what a reader can do under a post.
 * @param {Page.ShownPost} post
 * @param {HTMLElement} element
 * @param {Page.PostActions} actions */
function showActions(post, element, actions) {
  const isOwn = session.user?.id === post.user;
  const mayChange = isOwn || session.isModerator;
  const buttons = copyButtons("actions", {
    reply: actions.reply && (() => actions.reply?.(post)),
    quote: actions.quote && (() => actions.quote?.(post)),
    report: !isOwn && (() => report(post)),
    edit: mayChange && (() => edit(post, element, actions)),
    history: mayChange && post.editedAt !== null && (() => showHistory(post)),
    delete: mayChange && (() => (isOwn ? remove(post, element, actions) : removeAsModerator(post, actions))),
  });
  const footer = element.querySelector("footer.actions") ?? h("footer", { class: "actions" });
  footer.replaceChildren(buttons);
  element.append(footer);
}

/** @param {Page.ShownPost} post */
async function report(post) {
  const { reportPost } = await import("./cases/report.js");
  await reportPost(post);
}

/** A post's sanitised HTML, ready to be shown.
 * @param {string} html */
export function prose(html) {
  const body = h("div", { class: "prose" }, preparedHtml(html));
  watchPictures(body);
  return body;
}

/** The same without an element around it: lists and quotations find their direction as paragraphs do, and wide
 * things scroll.
 * @param {string} html */
export function preparedHtml(html) {
  const body = serverHtml(html);
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
  return body;
}

/** Show what a picture would have shown, if it does not load.
 * @param {ParentNode} body */
function watchPictures(body) {
  for (const image of body.querySelectorAll("img")) {
    const replace = () =>
      image.replaceWith(h("span", { class: "no-picture" }, t("no-picture", { what: image.alt || image.src })));
    if (image.complete && image.naturalWidth === 0 && image.src) replace();
    else image.addEventListener("error", replace);
  }
}

/** A post's text as a quotation in Markdown.
 * @param {string} whole
 * @param {string} name */
export function quotation(whole, name) {
  const text = whole.length > MAX_QUOTED ? `${whole.slice(0, MAX_QUOTED)} …` : whole;
  return `> **${name.replace(/([\\`*_[\]<>])/g, "\\$1")}:**\n>\n${text
    .split("\n")
    .map((line) => `> ${line}`)
    .join("\n")}\n\n`;
}

/** Where the post is that a post answers: on the page of their thread, somewhere on this page.
 * @param {Page.ShownPost} post
 * @param {Page.PostActions} actions */
function placeOf({ thread, replyTo }, actions) {
  const place = `#post-${replyTo}`;
  return actions.reply ? place : `/threads/${thread}?from=${replyTo}${place}`;
}

/** The line above a post that names the post which it answers. It shows the beginning of that post's text,
 * unless the answer quotes it.
 * @param {number} id
 * @param {string} href
 * @param {boolean} quotes */
function replyLine(id, href, quotes) {
  const line = copyElement("reply-line", { href, unknown: true });
  const fill = async () => {
    /** @type {Api.Post} */
    const post = await get(`/api/posts/${id}`);
    const user = await findUser(post.user);
    const said = beginning(post.html);
    line.replaceWith(copy("reply-line", { href, name: user?.name ?? "", quoted: quotes, said: !quotes && said }));
  };
  fill().catch(() => line.replaceWith(copy("reply-to-removed", {})));
  return line;
}

/** The beginning of the text of sanitised HTML.
 * @param {string} html */
function beginning(html) {
  const text = (serverHtml(html).textContent ?? "").trim().replace(/\s+/g, " ");
  return [...text].slice(0, LONGEST_BEGINNING).join("");
}

/** @param {Page.ShownPost} post
 * @param {HTMLElement} element
 * @param {Page.PostActions} actions */
async function edit(post, element, actions) {
  /** @type {HTMLElement | null} */
  const body = element.querySelector(".prose");
  if (body === null || element.querySelector(".composer")) return;
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

/** @param {Page.ShownPost} post */
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

/** @param {Page.ShownPost} post
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

/** @param {Page.ShownPost} post
 * @param {Page.PostActions} actions */
async function removeAsModerator(post, actions) {
  const { giveReason } = await import("./moderation/reason.js");
  if (await giveReason(t("delete-post"), t("delete"), `/api/posts/${post.id}/removal`)) actions.removed?.(post.id);
}
