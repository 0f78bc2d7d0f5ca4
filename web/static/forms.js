// Forms that say what is wrong beside the field where it is wrong.
import { h } from "./dom.js";
import { Problem } from "./http.js";
import { describeProblem } from "./notices.js";
import { t } from "./text.js";

/** A labelled field. `properties` are those of the input; `hint` is a sentence below it. */
export function field(name, label, properties = {}, hint = null) {
  const id = `field-${name}-${nextId++}`;
  const { multiline, value = "", ...rest } = properties;
  const input = h(multiline ? "textarea" : "input", { id, name, dir: "auto", "aria-describedby": `${id}-note`, ...rest });
  input.value = value;
  return h(
    "div", { class: "field", "data-field": name },
    h("label", { for: id }, label),
    input,
    h("p", { id: `${id}-note`, class: "note" }, hint ?? ""),
  );
}

/** A form. `send(values)` gets the fields' values by name; a problem that it raises is shown, with
 * its fields. While it works the form can not be sent again. */
export function form({ fields, button, send, dangerous = false, extra = null }) {
  const failure = h("p", { class: "failure", role: "alert" });
  const submit = h("button", { type: "submit", class: dangerous ? "danger" : "primary" }, button);
  const element = h("form", { class: "form", novalidate: true, onsubmit: onSubmit }, ...fields, failure, h("div", { class: "buttons" }, submit, extra));
  const hints = new Map(notes(element).map((note) => [note, note.textContent]));

  async function onSubmit(event) {
    event.preventDefault();
    if (submit.disabled) return;
    clear();
    submit.disabled = true;
    try {
      await send(Object.fromEntries(new FormData(element)));
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

  function show(problem) {
    const elsewhere = [];
    for (const error of problem.errors) {
      const input = element.elements[error.pointer.replace(/^\//, "")];
      const note = input && document.getElementById(input.getAttribute("aria-describedby"));
      if (!note) {
        elsewhere.push(error.detail);
        continue;
      }
      note.textContent = error.detail;
      note.classList.add("wrong");
      input.setAttribute("aria-invalid", "true");
    }
    element.querySelector("[aria-invalid]")?.focus();
    if (problem.errors.length === 0) failure.textContent = describeProblem(problem);
    else failure.textContent = elsewhere.join(" ") || t("some-fields-are-wrong");
    if (problem.status === 429) waitFor(problem.retryAfter || 1);
  }

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

/** Ask in a dialog. `content(close)` gives what is in it; the result is what `close` was called with,
 * or null when it was dismissed. */
export function dialog(title, content) {
  return new Promise((resolve) => {
    let answer = null;
    const id = `dialog-${nextId++}`;
    const close = (value) => {
      answer = value;
      element.close();
    };
    const element = h(
      "dialog", { "aria-labelledby": id, onclose: () => (element.remove(), resolve(answer)) },
      h("h2", { id }, title),
      content(close),
      h("button", { type: "button", class: "dismiss", "aria-label": t("close"), onclick: () => close(null) }, "×"),
    );
    document.body.append(element);
    element.showModal();
    element.querySelector("input, textarea")?.focus();
  });
}

let nextId = 1;

function notes(element) {
  return [...element.querySelectorAll(".note")];
}
