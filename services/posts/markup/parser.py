"""The parser for the Markdown of posts, whose work is bounded."""

from types import SimpleNamespace
from typing import Any

from markdown_it import MarkdownIt, helpers
from markdown_it.parser_block import ParserBlock
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_block import StateBlock, blockquote, list_block
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline, image, link
from markdown_it.token import Token
from markdown_it.utils import EnvType

from services.posts.markup.addresses import Addresses
from services.posts.markup.bounds import References, TokenBudget
from services.posts.markup.footnotes import IN_PICTURE, add_footnotes
from services.posts.markup.links import BareLinks, bare_link, link_destination
from services.posts.markup.tasks import find_tasks

_DEEPEST = 20
"""The most levels of blocks. A quotation has one, a list two: itself and its item."""

_DEEPEST_QUOTATION = 10
"""The most nested quotations: each level reads every line of the innermost one."""

_DEEPEST_BRACKETS = 12
"""The most nested brackets: the time for unclosed ones grows with their depth."""

_BUDGET = "budget"
_QUOTATIONS = "quotations"


def make_parser(addresses: Addresses) -> MarkdownIt:
    """CommonMark with tables, strikethrough, task lists, footnotes, bare links and line breaks as
    they were typed; HTML of the author's own is text."""
    parser = _Parser(addresses)
    # `alt` are the blocks that each of these may end, as in the library.
    ends = ["paragraph", "reference", "blockquote"]
    parser.block.ruler.at("blockquote", _quotation, {"alt": [*ends, "list"]})
    parser.block.ruler.at("list", _list, {"alt": ends})
    parser.inline.ruler.at("linkify", bare_link)
    parser.inline.ruler.at("link", _link)
    parser.inline.ruler.at("image", _image)
    add_footnotes(parser, _DEEPEST)
    parser.core.ruler.after("inline", "tasks", find_tasks)
    parser.core.ruler.after("inline", "alignment", _align)
    return parser


def environment(text: str) -> dict[str, Any]:
    """What a parser needs to know of one document."""
    return {"references": References(len(text)), _BUDGET: TokenBudget(len(text)), _QUOTATIONS: 0}


def _quotation(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    # Markers below the deepest level are text: the parser would drop their content.
    if state.level + 1 >= _DEEPEST or state.env[_QUOTATIONS] >= _DEEPEST_QUOTATION:
        return False
    state.env[_QUOTATIONS] += 1
    try:
        return blockquote(state, start, end, silent)
    finally:
        state.env[_QUOTATIONS] -= 1


def _list(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    return state.level + 2 < _DEEPEST and list_block(state, start, end, silent)


def _link(state: StateInline, silent: bool) -> bool:
    return _counting(link, state, silent)


def _image(state: StateInline, silent: bool) -> bool:
    before = state.env.get(IN_PICTURE, False)
    state.env[IN_PICTURE] = True
    try:
        return _counting(image, state, silent)
    finally:
        state.env[IN_PICTURE] = before


def _counting(rule: Any, state: StateInline, silent: bool) -> bool:
    references: References = state.env["references"]
    before = references.counting
    references.counting = not silent
    try:
        return bool(rule(state, silent))
    finally:
        references.counting = before


def _align(state: StateCore) -> None:
    # The library writes a style attribute, which the page's Content-Security-Policy blocks.
    for token in state.tokens:
        style = token.attrs.pop("style", None) if token.tag in {"th", "td"} else None
        if style is not None:
            token.attrs["align"] = str(style).removeprefix("text-align:")


class _BoundedBlock(StateBlock):
    def push(self, ttype: str, tag: str, nesting: Any) -> Token:
        self.env[_BUDGET].spend()
        return super().push(ttype, tag, nesting)


class _BoundedInline(StateInline):
    def __init__(self, src: str, md: MarkdownIt, env: EnvType, tokens: list[Token]) -> None:
        super().__init__(src, md, env, tokens)
        self.level = (
            _DEEPEST - _DEEPEST_BRACKETS
        )  # the library has one bound for blocks and brackets

    def push(self, ttype: str, tag: str, nesting: Any) -> Token:
        self.env[_BUDGET].spend()
        return super().push(ttype, tag, nesting)


class _Parser(MarkdownIt):
    def __init__(self, addresses: Addresses) -> None:
        super().__init__(
            "js-default",
            {"linkify": True, "html": False, "breaks": True, "maxNesting": _DEEPEST},
        )
        self._addresses = addresses
        self.block = _Blocks()  # with all rules of the preset
        self.inline = _Inlines()
        self.linkify = BareLinks()
        self.helpers = SimpleNamespace(  # type: ignore[assignment]  # a module in the library
            parseLinkDestination=link_destination,
            parseLinkLabel=helpers.parseLinkLabel,
            parseLinkTitle=helpers.parseLinkTitle,
        )

    def validateLink(self, url: str) -> bool:  # noqa: N802 - the library's name
        return self._addresses.may_link(url)


class _Blocks(ParserBlock):
    def parse(
        self,
        src: str,
        md: MarkdownIt,
        env: EnvType,
        outTokens: list[Token],  # noqa: N803
    ) -> list[Token] | None:
        if not src:
            return None
        state = _BoundedBlock(src, md, env, outTokens)
        self.tokenize(state, state.line, state.lineMax)
        return state.tokens


class _Inlines(ParserInline):
    def parse(self, src: str, md: MarkdownIt, env: EnvType, tokens: list[Token]) -> list[Token]:
        state = _BoundedInline(src, md, env, tokens)
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        return state.tokens
