// Buttons that add Markdown to the text of a composer.
import { h } from "../dom.js";
import { t } from "../text.js";
import { formatted } from "./format.js";

/** @type {[import("./format.js").Format, string][]} */
const BUTTONS = [
  ["bold", "B"],
  ["italic", "I"],
  ["link", "a"],
  ["quote", "❝"],
  ["code", "<>"],
  ["list", "•"],
  ["tasks", "☑"],
  ["footnote", "[1]"],
];

/** The buttons; each changes what is selected in `input`.
 * @param {HTMLTextAreaElement} input */
export function toolbarFor(input) {
  return h(
    "div",
    { class: "toolbar", role: "group", "aria-label": t("toolbar") },
    BUTTONS.map(([format, sign]) => {
      const label = t(`format-${format}`);
      return h(
        "button",
        {
          type: "button",
          class: `quiet format-${format}`,
          "aria-label": label,
          title: label,
          onclick: () => apply(input, format),
        },
        sign,
      );
    }),
  );
}

/** @param {HTMLTextAreaElement} input
 * @param {import("./format.js").Format} format */
function apply(input, format) {
  const { value, selectionStart, selectionEnd } = input;
  const changed = formatted(format, { text: value, start: selectionStart, end: selectionEnd });
  input.value = changed.text;
  input.focus();
  input.setSelectionRange(changed.start, changed.end);
  input.dispatchEvent(new Event("input"));
}
