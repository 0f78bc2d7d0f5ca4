// Everything that the board stores of the user, as a file.
import { CONTEXTS } from "./contexts.js";
import { h } from "./dom.js";

/** All rows of all contexts: by context and table.
 * @param {(path: string) => Promise<Page.ListPage<Api.StoredRow>>} getPage */
export async function collect(getPage) {
  /** @type {Record<string, Record<string, object[]>>} */
  const data = {};
  for (const context of CONTEXTS) {
    /** @type {Record<string, object[]>} */
    const tables = {};
    /** @type {string | null} */
    let path = `/api/${context}/export?limit=100`;
    while (path) {
      const page = await getPage(path);
      for (const { table, row } of page.items) (tables[table] ??= []).push(row);
      path = page.next;
    }
    data[context] = tables;
  }
  return data;
}

/** Let the browser store this as a file.
 * @param {object} data */
export function save(data) {
  const url = URL.createObjectURL(new Blob([JSON.stringify(data, null, 2)], { type: "application/json" }));
  const link = h("a", { href: url });
  link.download = `board-${new Date().toISOString().slice(0, 10)}.json`;
  link.click();
  URL.revokeObjectURL(url);
}
