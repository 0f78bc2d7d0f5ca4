// The API documents of all contexts, as a page to read.
import { CONTEXTS } from "../contexts.js";
import { h } from "../dom.js";
import { get, retryWhileDown, settled } from "../http.js";
import { describeProblem, loading } from "../notices.js";
import { Problem } from "../problem.js";
import { page } from "../router.js";
import { t } from "../text.js";

const LIMITS = /** @type {const} */ (["minLength", "maxLength", "minimum", "maximum", "pattern"]);

/** @param {Page.Visit} visit */
export function show(visit) {
  visit.title(t("api"));
  const element = page(t("api"), h("p", { class: "quiet-text" }, t("api-hint")));
  showAll();
  return element;

  /** Show the documents in their order, so that none moves another. */
  async function showAll() {
    const parts = CONTEXTS.map((context) => {
      const heading = h("h2", { class: "section" }, context);
      const part = h("section", { class: "api", id: context }, heading, h("p", {}, loading()));
      return { part, loaded: load(context, part, visit.signal) };
    });
    for (const { part, loaded } of parts) {
      await settled(loaded);
      element.append(part);
    }
  }
}

/** @param {string} context
 * @param {HTMLElement} part
 * @param {AbortSignal} signal */
async function load(context, part, signal) {
  const path = `/api/${context}/openapi.json`;
  try {
    /** @type {OpenApi.Document} */
    const document = await retryWhileDown(() => get(path, { signal }), signal);
    part.lastElementChild?.replaceWith(
      h("p", {}, document.info.description, " ", h("a", { href: path }, path)),
      ...Object.entries(document.paths).flatMap(([place, operations]) =>
        Object.entries(operations).map(([method, operation]) => operationElement(method, place, operation, document)),
      ),
    );
  } catch (problem) {
    if (signal.aborted) return;
    if (!(problem instanceof Problem)) throw problem;
    part.lastElementChild?.replaceChildren(describeProblem(problem));
  }
}

/** @param {string} method
 * @param {string} place
 * @param {OpenApi.Operation} operation
 * @param {OpenApi.Document} document */
function operationElement(method, place, operation, document) {
  const body = operation.requestBody?.content?.["application/json"]?.schema;
  const parameters = operation.parameters ?? [];
  return h(
    "details",
    { class: "operation" },
    h(
      "summary",
      {},
      h("span", { class: `method method-${method}` }, method.toUpperCase()),
      " ",
      h("code", {}, place),
      " ",
      h("span", { class: "quiet-text" }, operation.summary ?? ""),
    ),
    operation.description && h("p", {}, operation.description),
    parameters.length > 0 && [
      h("h3", {}, t("parameters")),
      h(
        "ul",
        {},
        parameters.map((one) =>
          h(
            "li",
            {},
            h("code", {}, one.name),
            ` (${one.in}${one.required ? `, ${t("required")}` : ""}) `,
            h("span", { class: "quiet-text" }, typeName(one.schema), " ", one.description ?? ""),
          ),
        ),
      ),
    ],
    body && [h("h3", {}, t("body")), schemaElement(body, document)],
    h("h3", {}, t("answers")),
    h(
      "ul",
      {},
      Object.entries(operation.responses).map(([status, answer]) =>
        h("li", {}, h("code", {}, status), " ", answer.description, resultOf(answer, document)),
      ),
    ),
  );
}

/** @param {OpenApi.Response} answer
 * @param {OpenApi.Document} document */
function resultOf(answer, document) {
  const schema = answer.content?.["application/json"]?.schema;
  return schema ? schemaElement(schema, document) : null;
}

/** @param {OpenApi.Schema} schema
 * @param {OpenApi.Document} document */
function schemaElement(schema, document) {
  const target = schema.items ?? schema;
  const name = target.$ref?.split("/").at(-1);
  const resolved = name ? document.components.schemas[name] : target;
  if (!resolved?.properties) return h("p", {}, h("code", {}, typeName(schema)));
  return h(
    "div",
    { class: "schema" },
    h("p", { class: "quiet-text" }, `${name ?? ""}${schema.items ? "[]" : ""} ${resolved.description ?? ""}`),
    h(
      "ul",
      {},
      Object.entries(resolved.properties).map(([field, type]) =>
        h(
          "li",
          {},
          h("code", {}, field),
          " ",
          h(
            "span",
            { class: "quiet-text" },
            typeName(type),
            resolved.required?.includes(field) ? "" : ` ${t("optional")}`,
          ),
        ),
      ),
    ),
  );
}

/** @param {OpenApi.Schema} [schema]
 * @returns {string} */
function typeName(schema = {}) {
  if (schema.$ref) return schema.$ref.split("/").at(-1) ?? "";
  if (schema.anyOf) return schema.anyOf.map(typeName).join(" | ");
  if (schema.type === "array") return `${typeName(schema.items)}[]`;
  const limits = LIMITS.filter((name) => schema[name] !== undefined).map((name) => `${name} ${schema[name]}`);
  return [schema.enum ? schema.enum.join(" | ") : (schema.format ?? schema.type ?? ""), ...limits].join(", ");
}
