// Copies of the document's templates. They are made by the macros that make the server's pages, so both have the
// same markup; here, values take the place of slots such as `{name}`.

/** @typedef {Node | string | number | boolean | null | undefined} Filling */

const SLOT = /\{([\w-]+)\}/;

/** A copy of a template's element, filled. An element with `data-if` stays if that value is there; an element as
 * a value takes the place of its slot.
 * @param {string} name
 * @param {Record<string, Filling>} values */
export function copy(name, values) {
  const template = document.querySelector(`#copy-${name}`);
  if (!(template instanceof HTMLTemplateElement)) throw new Error(`There is no template ${name}.`);
  const made = document.importNode(template.content, true);
  fill(made, values);
  return made;
}

/** The copy's element, if it has only one.
 * @param {string} name
 * @param {Record<string, Filling>} values
 * @returns {HTMLElement} */
export function copyElement(name, values) {
  const element = copy(name, values).firstElementChild;
  if (!(element instanceof HTMLElement)) throw new Error(`The template ${name} has no element.`);
  return element;
}

/** A copy with the buttons that do something, and only those.
 * @param {string} name
 * @param {Record<string, (() => unknown) | false | undefined>} acts
 * @param {Record<string, Filling>} [values] */
export function copyButtons(name, acts, values = {}) {
  const shown = Object.fromEntries(Object.entries(acts).map(([act, run]) => [act, Boolean(run)]));
  const made = copy(name, { ...shown, ...values });
  for (const button of made.querySelectorAll("[data-act]")) {
    const run = acts[button.getAttribute("data-act") ?? ""];
    if (run) button.addEventListener("click", () => void run());
  }
  return made;
}

/** @param {DocumentFragment} made
 * @param {Record<string, Filling>} values */
function fill(made, values) {
  for (const part of made.querySelectorAll("[data-if]")) {
    const shown = values[part.getAttribute("data-if") ?? ""];
    part.removeAttribute("data-if");
    if (shown !== undefined && shown !== null && shown !== false && shown !== "") continue;
    if (part.previousSibling?.nodeValue === " ") part.previousSibling.remove();
    part.remove();
  }
  for (const element of made.querySelectorAll("*")) {
    for (const attribute of element.attributes) {
      if (SLOT.test(attribute.value)) attribute.value = filled(attribute.value, values).join("");
    }
    const texts = [...element.childNodes].filter((node) => node instanceof Text);
    for (const text of texts) {
      if (SLOT.test(text.data)) text.replaceWith(...filled(text.data, values).filter((part) => part !== ""));
    }
  }
}

/** A text in parts, with the values of its slots.
 * @param {string} text
 * @param {Record<string, Filling>} values */
function filled(text, values) {
  return text.split(SLOT).map((part, index) => {
    const value = index % 2 ? values[part] : part;
    return value instanceof Node ? value : value === null || value === undefined ? "" : String(value);
  });
}
