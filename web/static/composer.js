// Where posts are written: Markdown, a preview as the server will show it, and a draft that outlives the
// page and the session.
import { h, serverHtml } from "./dom.js";
import { ask, Problem } from "./http.js";
import { describeProblem } from "./notices.js";
import { findUser } from "./users.js";
import { session, withSession } from "./session.js";
import { read, write } from "./storage.js";
import { t } from "./text.js";

const LONGEST = 32_000;

/** A place to write. `name` is what the draft is kept under, `send(text, replyTo)` takes what was
 * written; `text` is what is there to begin with, and `cancel` what a second button does. */
export class Composer {
  #replyTo = null;

  constructor({ name, label, button, send, text = "", cancel = null, before = null }) {
    Object.assign(this, { name, send });
    const draft = read(`draft:${name}`);
    this.input = h("textarea", {
      rows: 5, dir: "auto", "aria-label": label, placeholder: label, oninput: () => this.#changed(),
      onkeydown: (event) => this.#pressed(event),
    });
    this.input.value = draft?.text ?? text;
    this.initial = text;
    this.preview = h("div", { class: "preview prose", hidden: true, tabindex: "0" });
    this.write = h("button", { type: "button", class: "tab", "aria-pressed": "true", onclick: () => this.#show(false) }, t("write"));
    this.look = h("button", { type: "button", class: "tab", "aria-pressed": "false", onclick: () => this.#show(true) }, t("preview"));
    this.reply = h("p", { class: "replying", hidden: true });
    this.count = h("span", { class: "count", role: "status" });
    this.failure = h("p", { class: "failure", role: "alert" });
    this.submit = h("button", { type: "submit", class: "primary" }, button);
    this.element = h(
      "form", { class: "composer", onsubmit: (event) => this.#submitted(event) },
      before,
      h("div", { class: "tabs" }, this.write, this.look, h("span", { class: "hint" }, t("markdown-works"))),
      this.reply,
      this.input,
      this.preview,
      this.failure,
      h("div", { class: "buttons" }, this.submit, cancel && h("button", { type: "button", onclick: () => this.#cancel(cancel) }, t("cancel")), this.count),
    );
    if (draft?.replyTo) this.replyTo(draft.replyTo);
    this.#measure();
  }

  /** Answer a post: `{id, user}`, or nothing in particular with null. */
  replyTo(post) {
    this.#replyTo = post && { id: post.id, user: post.user };
    this.reply.hidden = !post;
    this.reply.replaceChildren();
    if (post) {
      const name = h("bdi", {});
      findUser(post.user).then((user) => (name.textContent = user?.name ?? ""));
      this.reply.append(t("replying-to"), " ", name, " ", h("button", { type: "button", class: "quiet", "aria-label": t("reply-to-nobody"), onclick: () => (this.replyTo(null), this.#save()) }, "×"));
    }
    this.#save();
  }

  /** Put text at the end, as a paragraph of its own. */
  add(text) {
    const before = this.input.value.trimEnd();
    this.input.value = before ? `${before}\n\n${text}` : text;
    this.#changed();
  }

  /** Bring it into view, and the cursor into it. */
  focus() {
    this.#show(false);
    this.input.focus({ preventScroll: true });
    this.input.setSelectionRange(this.input.value.length, this.input.value.length);
    this.element.scrollIntoView({ block: "nearest" });
  }

  clear() {
    this.input.value = "";
    this.replyTo(null);
    write(`draft:${this.name}`, null);
    this.#show(false);
    this.#measure();
  }

  #cancel(done) {
    write(`draft:${this.name}`, null);
    done();
  }

  #changed() {
    this.#save();
    this.#measure();
  }

  #save() {
    if (!this.element?.isConnected) return;
    const text = this.input.value;
    const worth = (text.trim() && text !== this.initial) || this.#replyTo;
    write(`draft:${this.name}`, worth ? { text, replyTo: this.#replyTo } : null);
  }

  #measure() {
    // The server counts code points, as Python does.
    const length = [...this.input.value].length;
    const left = LONGEST - length;
    this.count.textContent = left < 2000 ? t(left < 0 ? "too-long" : "characters-left", { count: Math.abs(left) }) : "";
    this.count.classList.toggle("wrong", left < 0);
    this.submit.disabled = left < 0 || !this.input.value.trim();
    this.input.style.height = "auto";
    if (this.input.isConnected) this.input.style.height = `${Math.min(this.input.scrollHeight + 2, innerHeight * 0.6)}px`;
  }

  async #show(preview) {
    this.write.setAttribute("aria-pressed", String(!preview));
    this.look.setAttribute("aria-pressed", String(preview));
    this.input.hidden = preview;
    this.preview.hidden = !preview;
    this.failure.textContent = "";
    if (!preview) return;
    this.preview.textContent = t("loading");
    const text = this.input.value;
    if (!text.trim()) return this.preview.replaceChildren(h("p", { class: "quiet-text" }, t("nothing-to-preview")));
    try {
      const answer = await withSession(() => ask("POST", "/api/posts/preview", { body: { text } }));
      if (answer) this.preview.replaceChildren(serverHtml(answer.data.html));
      else this.#show(false);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      this.preview.textContent = describeProblem(problem);
    }
  }

  #pressed(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.element.requestSubmit();
  }

  async #submitted(event) {
    event.preventDefault();
    if (this.submit.disabled) return;
    this.#save();
    this.failure.textContent = "";
    this.submit.disabled = true;
    try {
      await this.send(this.input.value, this.#replyTo?.id ?? null);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      this.failure.textContent = describeProblem(problem);
    } finally {
      this.#measure();
    }
  }
}

/** Whether somebody is signed in who may write; else what to do about it. */
export function signInFirst(back) {
  if (session.user) return null;
  return h("p", { class: "sign-in-first" }, h("a", { href: `/signin?back=${encodeURIComponent(back)}` }, t("sign-in")), " ", t("or"), " ", h("a", { href: `/register?back=${encodeURIComponent(back)}` }, t("register")), " ", t("to-take-part"));
}
