// The form for writing posts in Markdown, with a preview by the server and a stored draft.
import { h, serverHtml } from "./dom.js";
import { DraftStore } from "./drafts.js";
import { ask } from "./http.js";
import { describeProblem, loading } from "./notices.js";
import { Problem } from "./problem.js";
import { session, toolbar } from "./state.js";
import * as storage from "./storage.js";
import { copyElement } from "./templates.js";
import { t } from "./text.js";
import { findUser } from "./users.js";

const MAX_LENGTH = 32_000;

export class Composer {
  /** @type {{id: number, user: number} | null} */
  #replyTo = null;
  #drafts;
  #initial;
  #send;
  #preview = h("div", { class: "preview prose", hidden: true, tabindex: "0" });
  #writeTab = h(
    "button",
    { type: "button", class: "tab", "aria-pressed": "true", onclick: () => this.#showPreview(false) },
    t("write"),
  );
  #previewTab = h(
    "button",
    { type: "button", class: "tab", "aria-pressed": "false", onclick: () => this.#showPreview(true) },
    t("preview"),
  );
  #reply = h("p", { class: "replying", hidden: true });
  #guideButton = h(
    "button",
    { type: "button", class: "quiet guide-button", onclick: () => this.#showGuide() },
    t("markdown-works"),
  );
  #toolbar = h("div", { hidden: true });
  #count = h("span", { class: "count", role: "status" });
  #failure = h("p", { class: "failure", role: "alert" });

  /** The draft is stored under `name`; `text` is the initial text. `send(text, replyTo)` sends the post;
   * `cancel` is the action of an optional second button; `before` is shown above.
   * @param {{name: string, label: string, button: string, text?: string, before?: HTMLElement,
   *   send: (text: string, replyTo: number | null) => Promise<void>, cancel?: () => void}} parts */
  constructor({ name, label, button, send, text = "", cancel, before }) {
    this.#drafts = new DraftStore(storage, name);
    this.#initial = text;
    this.#send = send;
    const draft = this.#drafts.read();
    this.input = h("textarea", {
      rows: 5,
      dir: "auto",
      "aria-label": label,
      placeholder: label,
      oninput: () => this.#changed(),
      onkeydown: (event) => this.#pressed(event),
    });
    this.input.value = draft?.text ?? text;
    this.submit = h("button", { type: "submit", class: "primary" }, button);
    this.element = h(
      "form",
      { class: "composer", onsubmit: (event) => this.#submitted(event) },
      before,
      h("div", { class: "tabs" }, this.#writeTab, this.#previewTab, this.#guideButton),
      this.#toolbar,
      this.#reply,
      this.input,
      this.#preview,
      this.#failure,
      h(
        "div",
        { class: "buttons" },
        this.submit,
        cancel && h("button", { type: "button", onclick: () => this.#cancel(cancel) }, t("cancel")),
        this.#count,
      ),
    );
    if (draft?.replyTo) this.replyTo(draft.replyTo);
    this.#measure();
    toolbar.addEventListener("change", () => void this.#drawToolbar());
    void this.#drawToolbar();
  }

  /** Make this a reply to a post, or with null no reply.
   * @param {{id: number, user: number} | null} post */
  replyTo(post) {
    this.#replyTo = post && { id: post.id, user: post.user };
    this.#reply.hidden = !post;
    this.#reply.replaceChildren();
    if (post) {
      const name = h("bdi", {});
      findUser(post.user).then((user) => (name.textContent = user?.name ?? ""));
      this.#reply.append(
        t("replying-to"),
        " ",
        name,
        " ",
        h(
          "button",
          { type: "button", class: "quiet", "aria-label": t("reply-to-nobody"), onclick: () => this.replyTo(null) },
          "×",
        ),
      );
    }
    this.#save();
  }

  /** Add text at the end, as a paragraph of its own.
   * @param {string} text */
  add(text) {
    const before = this.input.value.trimEnd();
    this.input.value = before ? `${before}\n\n${text}` : text;
    this.#changed();
  }

  /** Scroll it into view, with the cursor at the end of its text. */
  focus() {
    this.#showPreview(false);
    this.input.focus({ preventScroll: true });
    this.input.setSelectionRange(this.input.value.length, this.input.value.length);
    this.element.scrollIntoView({ block: "nearest" });
  }

  /** Empty it, and forget the draft: what was written has been sent. */
  clear() {
    this.input.value = "";
    this.replyTo(null);
    this.#drafts.remove();
    this.#showPreview(false);
    this.#measure();
  }

  /** @param {() => void} done */
  #cancel(done) {
    this.#drafts.remove();
    done();
  }

  #changed() {
    this.#save();
    this.#measure();
  }

  #save() {
    if (this.element.isConnected) this.#drafts.save({ text: this.input.value, replyTo: this.#replyTo }, this.#initial);
  }

  #measure() {
    // The server counts code points, as Python does.
    const length = [...this.input.value].length;
    const left = MAX_LENGTH - length;
    this.#count.textContent =
      left < 2000 ? t(left < 0 ? "too-long" : "characters-left", { count: Math.abs(left) }) : "";
    this.#count.classList.toggle("wrong", left < 0);
    this.submit.disabled = left < 0 || !this.input.value.trim();
    this.input.style.height = "auto";
    if (this.input.isConnected)
      this.input.style.height = `${Math.min(this.input.scrollHeight + 2, innerHeight * 0.6)}px`;
  }

  async #drawToolbar() {
    if (toolbar.on && !this.#toolbar.firstChild) {
      const { toolbarFor } = await import("./markdown/toolbar.js");
      this.#toolbar.replaceChildren(toolbarFor(this.input));
    }
    this.#toolbar.hidden = !toolbar.on;
  }

  async #showGuide() {
    const { showGuide } = await import("./markdown/guide.js");
    await showGuide();
  }

  /** @param {boolean} shown */
  async #showPreview(shown) {
    this.#writeTab.setAttribute("aria-pressed", String(!shown));
    this.#previewTab.setAttribute("aria-pressed", String(shown));
    this.input.hidden = shown;
    this.#preview.hidden = !shown;
    this.#failure.textContent = "";
    if (!shown) return;
    this.#preview.replaceChildren(loading());
    const text = this.input.value;
    if (!text.trim()) {
      this.#preview.replaceChildren(h("p", { class: "quiet-text" }, t("nothing-to-preview")));
      return;
    }
    try {
      /** @type {Page.Answer<Api.Preview> | null} */
      const answer = await session.run(() => ask("POST", "/api/posts/preview", { body: { text } }));
      if (answer) this.#preview.replaceChildren(serverHtml(answer.data.html));
      else this.#showPreview(false);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      this.#preview.textContent = describeProblem(problem);
    }
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.element.requestSubmit();
  }

  /** @param {SubmitEvent} event */
  async #submitted(event) {
    event.preventDefault();
    if (this.submit.disabled) return;
    this.#save();
    this.#failure.textContent = "";
    this.submit.disabled = true;
    try {
      await this.#send(this.input.value, this.#replyTo?.id ?? null);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      this.#failure.textContent = describeProblem(problem);
    } finally {
      this.#measure();
    }
  }
}

/** The text that replaces a composer while nobody is signed in; null if somebody is. `back` is the address to
 * return to after signing in.
 * @param {string} back */
export function signInFirst(back) {
  if (session.user) return null;
  return copyElement("sign-in-first", { back: encodeURIComponent(back) });
}
