"""Task lists: items that begin with `[ ]` or `[x]`, as in GitHub Flavored Markdown (section 5.3).

The plugin for them in mdit-py-plugins searches for the list of each item from the item back, which
takes seconds for a list of thousands."""

import re

from markdown_it.rules_core import StateCore
from markdown_it.token import Token

_BOX = re.compile(r"\[([ xX])\](?=[ \t])")
_ITEM = ["list_item_open", "paragraph_open", "inline"]


def find_tasks(state: StateCore) -> None:
    """A rule of the core, after the inlines: begins the text of tasks with a checkbox, for which it
    is the label."""
    tokens = state.tokens
    for index, token in enumerate(tokens):
        if token.type != "inline" or not token.children or index < 2:
            continue
        first = token.children[0]
        box = _BOX.match(first.content) if first.type == "text" else None
        if box is None or [each.type for each in tokens[index - 2 : index + 1]] != _ITEM:
            continue
        tokens[index - 2].attrs["class"] = "task"
        first.content = first.content[box.end() :]
        checkbox = Token("checkbox", "input", 0)
        checkbox.attrs = {"type": "checkbox", "disabled": ""}
        if box[1] != " ":
            checkbox.attrs["checked"] = ""
        start, end = Token("label_open", "label", 1), Token("label_close", "label", -1)
        token.children = [start, checkbox, *token.children, end]
