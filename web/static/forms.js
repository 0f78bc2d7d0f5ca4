// Forms that say what is wrong beside the field where it is wrong.
import { h } from "./dom.js";
import { describeProblem } from "./notices.js";
import { Problem } from "./problem.js";
import { t } from "./text.js";

let nextId = 1;

/** A labelled field, marked as optional unless it is required. `properties` are those of its input; `hint` is a sentence below it.
 * @param {string} name
 * @param {string} label
 * @param {Page.Properties & {multiline?: boolean, value?: string}} [properties]
 * @param {string} [hint] */
export function field(name, label, properties = {}, hint = "") {
  const id = `field-${name}-${nextId++}`;
  const { multiline, value = "", ...rest } = properties;
  const input = h(multiline ? "textarea" : "input", {
    id,
    name,
    dir: "auto",
    "aria-describedby": `${id}-note`,
    ...rest,
  });
  input.value = value;
  return h(
    "div",
    { class: "field", "data-field": name },
    h(
      "div",
      { class: "label" },
      h("label", { for: id }, label),
      properties.required ? null : h("span", { class: "optional" }, t("optional")),
    ),
    input,
    h("p", { id: `${id}-note`, class: "note" }, hint),
  );
}

/** A form. `send(values)` receives the fields' values by name; a `Problem` that it raises is shown, beside
 * the fields that it names. The form cannot be sent again before `send` has settled.
 * @param {{fields: HTMLElement[], button: string, send: (values: Record<string, string>) => Promise<void>,
 *   dangerous?: boolean}} parts */
export function form({ fields, button, send, dangerous = false }) {
  const failure = h("p", { class: "failure", role: "alert" });
  const submit = h("button", { type: "submit", class: dangerous ? "danger" : "primary" }, button);
  const element = h(
    "form",
    { class: "form", novalidate: true, onsubmit: onSubmit },
    ...fields,
    failure,
    h("div", { class: "buttons" }, submit),
  );
  const hints = new Map([...element.querySelectorAll(".note")].map((note) => [note, note.textContent]));

  /** @param {SubmitEvent} event */
  async function onSubmit(event) {
    event.preventDefault();
    if (submit.disabled) return;
    clear();
    submit.disabled = true;
    try {
      await send(valuesOf(element));
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      show(problem);
    } finally {
      submit.disabled = false;
    }
  }

  function clear() {
    failure.textContent = "";
    for (const [note, hint] of hints) {
      note.textContent = hint;
      note.classList.remove("wrong");
    }
    for (const input of element.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
  }

  /** @param {Problem} problem */
  function show(problem) {
    const elsewhere = [];
    for (const error of problem.errors) {
      const input = element.elements.namedItem(error.pointer.replace(/^\//, ""));
      const note = input instanceof Element && document.getElementById(input.getAttribute("aria-describedby") ?? "");
      if (!note) {
        elsewhere.push(error.detail);
        continue;
      }
      note.textContent = error.detail;
      note.classList.add("wrong");
      input.setAttribute("aria-invalid", "true");
    }
    /** @type {HTMLElement | null} */ (element.querySelector("[aria-invalid]"))?.focus();
    if (problem.errors.length === 0) failure.textContent = describeProblem(problem);
    else failure.textContent = elsewhere.join(" ") || t("some-fields-are-wrong");
    if (problem.status === 429) waitFor(problem.retryAfter || 1);
  }

  /** @param {number} seconds */
  function waitFor(seconds) {
    const until = Date.now() + seconds * 1000;
    const tick = () => {
      const left = Math.ceil((until - Date.now()) / 1000);
      submit.disabled = left > 0;
      failure.textContent = left > 0 ? t("problem-too-fast", { count: left }) : "";
      if (left > 0 && element.isConnected) setTimeout(tick, 1000);
    };
    setTimeout(tick);
  }

  return element;
}

/** A checkbox for a preference, labelled with the text of `key`.
 * @param {string} key
 * @param {import("./preference.js").Preference} preference */
export function choice(key, preference) {
  const box = h("input", { type: "checkbox", id: key });
  box.addEventListener("change", () => preference.turn(box.checked));
  box.checked = preference.on;
  preference.addEventListener("change", () => (box.checked = preference.on));
  return h("label", { class: "choice" }, box, " ", t(key));
}

/** Show a dialog. `content(close)` returns what is in it; the result is what `close` was called with, or null
 * if the visitor dismissed it.
 * @template Result
 * @param {string} title
 * @param {(close: (result: Result | null) => void) => Page.Child} content
 * @returns {Promise<Result | null>} */
export function dialog(title, content) {
  return new Promise((resolve) => {
    /** @type {Result | null} */
    let result = null;
    const id = `dialog-${nextId++}`;
    /** @param {Result | null} value */
    const close = (value) => {
      result = value;
      element.close();
    };
    /** @type {HTMLDialogElement} */
    const element = h(
      "dialog",
      { "aria-labelledby": id, onclose: () => (element.remove(), resolve(result)) },
      h("h2", { id }, title),
      content(close),
      h("button", { type: "button", class: "dismiss", "aria-label": t("close"), onclick: () => close(null) }, "×"),
    );
    document.body.append(element);
    element.showModal();
    /** @type {HTMLElement | null} */ (element.querySelector("input, textarea"))?.focus();
  });
}

/** The text fields' values by name.
 * @param {HTMLFormElement} element
 * @returns {Record<string, string>} */
function valuesOf(element) {
  return Object.fromEntries([...new FormData(element)].map(([name, value]) => [name, String(value)]));
}
