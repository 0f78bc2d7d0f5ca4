// The board's contexts, in the order in which the page lists them.

export const CONTEXTS = ["users", "threads", "posts", "cases"];
