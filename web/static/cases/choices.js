// A group of radio buttons in a form.
import { h } from "../dom.js";

let nextId = 1;

/** A group of radio buttons. An option is its value and its label; `selected` is the value of the one that is
 * selected at first, if any.
 * @param {string} name
 * @param {string} legend
 * @param {[value: string, label: string][]} options
 * @param {string} [selected] */
export function choices(name, legend, options, selected) {
  const group = `${name}-${nextId++}`;
  const note = h("p", { id: `${group}-note`, class: "note" });
  return h(
    "fieldset",
    { class: "field choices", "data-field": name },
    h("legend", {}, legend),
    options.map(([value, label]) => {
      const id = `${group}-${value}`;
      const input = h("input", { type: "radio", id, name, "aria-describedby": note.id });
      input.value = value;
      input.checked = value === selected;
      return h("label", { for: id }, input, h("span", {}, label));
    }),
    note,
  );
}
