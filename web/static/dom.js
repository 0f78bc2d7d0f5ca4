// Creates elements from plain values. Strings become text; only `serverHtml` accepts markup.

const SVG = "http://www.w3.org/2000/svg";

/** @type {Page.TrustedTypesRules} */
const rules = { createHTML: (html) => html };

const policy = globalThis.trustedTypes?.createPolicy("board", rules) ?? rules;

/** An element with properties and children. A function is added as an event listener; `true` sets an
 * attribute without a value; `false`, `null` and `undefined` set nothing.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Page.Properties} properties
 * @param {Page.Child[]} children */
export function h(tag, properties = {}, ...children) {
  return fill(document.createElement(tag), properties, children);
}

/** The same for SVG.
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Page.Properties} properties
 * @param {Page.Child[]} children */
export function svg(tag, properties = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), properties, children);
}

/** HTML that the board's server has sanitised, as nodes. The only place where HTML becomes elements, and
 * the only Trusted Types policy there is.
 * @param {string} html */
export function serverHtml(html) {
  const template = document.createElement("template");
  template.innerHTML = policy.createHTML(html);
  return template.content;
}

/** @template {Element} Filled
 * @param {Filled} element
 * @param {Page.Properties} properties
 * @param {Page.Child[]} children */
function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") {
      element.addEventListener(name.replace(/^on/, ""), /** @type {EventListener} */ (value));
    } else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  append(element, children);
  return element;
}

/** @param {Element} element
 * @param {Page.Child[]} children */
function append(element, children) {
  for (const child of children) {
    if (Array.isArray(child)) append(element, child);
    else if (child !== null && child !== undefined && child !== false) {
      element.append(typeof child === "number" ? String(child) : child);
    }
  }
}

/** A button in a row of actions; `danger` marks one that destroys something.
 * @param {string} label
 * @param {() => void} act */
export function actionButton(label, act, danger = false) {
  return h("button", { type: "button", class: danger ? "danger-text" : null, onclick: act }, label);
}

const SHAPES = {
  pin: "M9 3h6l-1 6 4 3v2h-5v6l-1 1-1-1v-6H6v-2l4-3z",
  lock: "M7 10V8a5 5 0 0 1 10 0v2h1v10H6V10zm2 0h6V8a3 3 0 0 0-6 0z",
  search: "M10 4a6 6 0 1 0 3.7 10.7l5 5 1.4-1.4-5-5A6 6 0 0 0 10 4zm0 2a4 4 0 1 1 0 8 4 4 0 0 1 0-8z",
};

/** An icon, with a label unless the text beside it says the same.
 * @param {keyof typeof SHAPES} name
 * @param {string} [label] */
export function icon(name, label) {
  const picture = svg("svg", {
    viewBox: "0 0 24 24",
    class: "icon",
    "aria-hidden": label ? null : "true",
    role: label ? "img" : null,
  });
  if (label) picture.append(svg("title", {}, label));
  picture.append(svg("path", { d: SHAPES[name] }));
  return picture;
}
