// The texts in English of the guide to Markdown, which few visitors load.
export default {
  "markdown-guide": "How to format a post",
  "markdown-how": "Change the example, and see below what becomes of it.",
  "markdown-example": "An example to change",
  "markdown-sample": [
    "An empty line begins a new paragraph.",
    "Words can be **bold**, *italic* or ~~crossed out~~, and [a link](https://example.com/) leads elsewhere.",
    "## A heading",
    "- a list\n- with two items",
    "1. first\n2. second",
    "- [x] a task that is done\n- [ ] another to do",
    "> What somebody else said",
    "`code` in a sentence, or on lines of its own:",
    "```\nprint(1)\n```",
    "A footnote explains more.[^1]",
    "[^1]: It is shown at the end of the post.",
  ].join("\n\n"),
};
