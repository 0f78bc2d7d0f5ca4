// Footnotes: from a reference to its note and back, without leaving the place in the browser's history.

const ADDRESS = /^#fn(?:ref)?-\d+-[\d-]+$/;

/** Show what a link in a post's footnotes leads to. Returns false for any other link.
 * @param {HTMLAnchorElement} link */
export function showNote(link) {
  if (!ADDRESS.test(link.hash)) return false;
  // Previews have no post's id in their addresses, so there may be several of them.
  const target = link.closest(".prose")?.querySelector(link.hash);
  if (!(target instanceof HTMLElement)) return false;
  if (target.tabIndex < 0) target.tabIndex = -1;
  target.focus({ preventScroll: true });
  target.scrollIntoView({ block: "center" });
  return true;
}
