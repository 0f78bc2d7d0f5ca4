"""Footnotes: `[^label]` in a text, and `[^label]: …` where the note is."""

import re
from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererProtocol
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.footnote.index import footnote_def

from services.posts.markup.footnote_ids import note_id, reference_id

IN_PICTURE = "in a picture"
"""The key in a parser's environment for whether a picture's description is being read."""

_IN_NOTE = "in a note"
_LONGEST_LABEL = 100
_LABEL = re.compile(rf"\[\^([^\]\s]{{1,{_LONGEST_LABEL}}})\]")


def add_footnotes(parser: MarkdownIt, deepest: int) -> None:
    """Let the parser read footnotes, and move them to the end of the document. `deepest` is the
    most levels of blocks.

    The library searches each line to its end for every `[^`, parses notes within notes, and counts
    references in the descriptions of pictures; the rules here do not.
    """

    def definition(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        return state.level + 1 < deepest and _definition(state, start, end, silent)

    footnote_plugin(parser, inline=False)
    # `alt` are the blocks that a definition may end, as in the library.
    parser.block.ruler.at("footnote_def", definition, {"alt": ["paragraph", "reference"]})
    parser.inline.ruler.at("footnote_ref", _reference)
    parser.core.ruler.after("footnote_tail", "footnote_elements", _name_elements)
    parser.add_render_rule("footnote_anchor", _render_anchor)


def _definition(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    if silent:  # whether a paragraph ends here, also that of the note before
        return footnote_def(state, start, end, silent)
    if state.env.get(_IN_NOTE):
        return False
    state.env[_IN_NOTE] = True
    try:
        return footnote_def(state, start, end, silent)
    finally:
        state.env[_IN_NOTE] = False


def _reference(state: StateInline, silent: bool) -> bool:
    notes = state.env.get("footnotes")
    if not notes or state.linkLevel or state.env.get(IN_PICTURE):
        return False
    found = _LABEL.match(state.src, state.pos, state.posMax)
    if found is None or (key := f":{found[1]}") not in notes["refs"]:
        return False
    state.pos = found.end()
    if silent:
        return True
    note = notes["refs"][key]
    if note < 0:
        note = notes["refs"][key] = len(notes["list"])
        notes["list"][note] = {"label": found[1], "count": 0}
    notes["list"][note]["count"] += 1
    state.push("sup_open", "sup", 1)
    link = state.push("link_open", "a", 1)
    link.attrs = {
        "href": f"#{note_id(note + 1)}",
        "id": reference_id(note + 1, notes["list"][note]["count"]),
    }
    state.push("text", "", 0).content = f"[{note + 1}]"
    state.push("link_close", "a", -1)
    state.push("sup_close", "sup", -1)
    return True


def _name_elements(state: StateCore) -> None:
    # The library writes these as strings of HTML, whose size could not be estimated.
    for token in state.tokens:
        match token.type:
            case "footnote_block_open":
                token.type, token.tag, token.block = "ordered_list_open", "ol", True
                token.attrs = {"class": "footnotes"}
            case "footnote_block_close":
                token.type, token.tag, token.block = "ordered_list_close", "ol", True
            case "footnote_open":
                token.type, token.tag, token.block = "list_item_open", "li", True
                token.attrs = {"id": note_id(token.meta["id"] + 1)}
            case "footnote_close":
                token.type, token.tag, token.block = "list_item_close", "li", True
            case "footnote_anchor":
                token.tag, token.content = "a", "↩\ufe0e"
                reference = reference_id(token.meta["id"] + 1, token.meta["subId"] + 1)
                token.attrs = {"href": f"#{reference}"}


def _render_anchor(
    _: RendererProtocol, tokens: Sequence[Token], index: int, __: OptionsDict, ___: EnvType
) -> str:
    anchor = tokens[index]
    return f' <a href="{anchor.attrs["href"]}">{anchor.content}</a>'
