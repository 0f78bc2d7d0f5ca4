// A short guide to Markdown: an example to change, and what becomes of it.
import { h } from "../dom.js";
import { choice, dialog } from "../forms.js";
import { ask } from "../http.js";
import { describeProblem } from "../notices.js";
import { prose } from "../post.js";
import { Problem } from "../problem.js";
import { session, toolbar } from "../state.js";
import english from "../text/en-markdown.js";
import { addTexts, t } from "../text.js";

/** Milliseconds without typing after which the preview follows. */
const PAUSE = 600;

addTexts(english);

/** Show the guide. */
export async function showGuide() {
  await dialog(t("markdown-guide"), () => {
    /** @type {HTMLTextAreaElement} */
    const input = h("textarea", {
      class: "guide-text",
      rows: 12,
      dir: "auto",
      spellcheck: "false",
      maxlength: "4000",
      "aria-label": t("markdown-example"),
      oninput: () => later(),
    });
    input.value = t("markdown-sample");
    input.setSelectionRange(0, 0);
    const result = h("div", { class: "preview", tabindex: "0", role: "group", "aria-label": t("preview") });
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    const later = () => {
      clearTimeout(timer);
      timer = setTimeout(() => void show(input.value, result), PAUSE);
    };
    void show(input.value, result);
    return h(
      "div",
      { class: "guide" },
      h("p", { class: "quiet-text" }, t("markdown-how")),
      input,
      result,
      h("p", {}, choice("toolbar-switch", toolbar)),
    );
  });
}

/** @param {string} text
 * @param {HTMLElement} result */
async function show(text, result) {
  if (!text.trim()) return result.replaceChildren();
  try {
    /** @type {Page.Answer<Api.Preview> | null} */
    const answer = await session.run(() => ask("POST", "/api/posts/preview", { body: { text } }));
    if (answer) result.replaceChildren(prose(answer.data.html));
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    result.textContent = describeProblem(problem);
  }
}
