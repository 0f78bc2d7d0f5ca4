"""Bare addresses that become links, in time proportional to the text."""

import re
from typing import Any

from linkify_it import LinkifyIt
from linkify_it.main import Match
from markdown_it import helpers
from markdown_it.rules_inline import StateInline

_LONGEST_WORD = 1_000
_TOO_LONG = re.compile(rf"\S{{{_LONGEST_WORD + 1},}}")
_SPACE = re.compile(r"\s")
_SCHEME = re.compile(r"(?:^|[^a-z0-9.+-])(https?)$", re.IGNORECASE)
_LONGEST_SCHEME = len("https")

_FILE_TYPES = frozenset(
    "ai cc la md mk ml mm ms pl pm ps py rs sh so st tf vi".split()  # noqa: SIM905 - a list of words
)
"""Country domains that are also file types."""


class BareLinks:
    """Finds addresses in text: `https://…`, `www.example.org`, `example.org/path`, `a@b.example`.
    Replaces `LinkifyIt` in the parser.

    A name without a scheme whose last part is also a file type is not a link, unless it begins with
    `www.`. Words of more than 1,000 characters are not searched, because the library reads the rest
    of a word again for each address that could begin in it.
    """

    def __init__(self) -> None:
        self._library = LinkifyIt({"ftp:": None})  # links may not have this scheme

    def pretest(self, text: str) -> bool:
        """Whether the text may contain an address."""
        return bool(self._library.pretest(text))

    def test(self, text: str) -> bool:
        """Whether the text contains an address or a file name."""
        return bool(self._library.test(_without_long_words(text)))

    def match(self, text: str) -> list[Match] | None:
        """The addresses in a text."""
        found = self._library.match(_without_long_words(text)) or []
        return [match for match in found if match.schema or not _is_file(match.text)] or None

    def match_at_start(self, text: str) -> Match | None:
        """The address with a scheme at the beginning of a text."""
        word = _SPACE.split(text[: _LONGEST_WORD + 1], maxsplit=1)[0]
        return self._library.match_at_start(word) if len(word) <= _LONGEST_WORD else None


def _without_long_words(text: str) -> str:
    return _TOO_LONG.sub(lambda word: " " * len(word[0]), text)


def _is_file(name: str) -> bool:
    host = re.split(r"[/?#:]", name, maxsplit=1)[0].lower()
    return host.rpartition(".")[2] in _FILE_TYPES and not host.startswith("www.")


def bare_link(state: StateInline, silent: bool) -> bool:
    """Replaces markdown-it's inline rule `linkify`, which prevents `_` and `*` in an address from
    becoming emphasis. The library's rule searches all text before each `://` for a scheme, and
    copies all text after it, which takes seconds for 10,000 of them. This one reads only as much as
    an address can have."""
    pos = state.pos
    if state.linkLevel > 0 or not state.src.startswith("://", pos):
        return False
    before = state.src[max(0, pos - _LONGEST_SCHEME - 1) : pos]
    scheme = _SCHEME.search(before)
    if scheme is None or not state.pending.endswith(scheme[1]):
        return False
    start = pos - len(scheme[1])
    links: BareLinks = state.md.linkify  # type: ignore[assignment] # set by `make_parser`
    found = links.match_at_start(state.src[start : start + _LONGEST_WORD + 1])
    if found is None:
        return False
    address = found.url.rstrip("*")  # emphasis that ends here
    target = state.md.normalizeLink(address)
    if not state.md.validateLink(target):
        return False
    if not silent:
        state.pending = state.pending[: -len(scheme[1])]
        token = state.push("link_open", "a", 1)
        token.attrs = {"href": target}
        token.markup, token.info = "linkify", "auto"
        token = state.push("text", "", 0)
        token.content = state.md.normalizeLinkText(address)
        token = state.push("link_close", "a", -1)
        token.markup, token.info = "linkify", "auto"
    state.pos = start + len(address)
    return True


def link_destination(text: str, start: int, end: int) -> Any:
    """markdown-it's helper `parseLinkDestination`: where the address of a link ends. The library's
    reads it character by character, up to 32 levels of parentheses, also if they are never closed:
    half of a second for 32,000 characters. This one first looks at the parentheses alone."""
    if text.startswith("<", start, end) or not _stays_open(text, start, end):
        return helpers.parseLinkDestination(text, start, end)
    return _NO_DESTINATION


def _stays_open(text: str, start: int, end: int) -> bool:
    level = 0
    for found in _OF_A_DESTINATION.finditer(text, start, end):
        match found[0]:
            case "(":
                level += 1
                if level > _MOST_PARENTHESES:
                    return True
            case ")" if level == 0:
                return False
            case ")":
                level -= 1
            case escaped if escaped.startswith("\\") and escaped != "\\ ":
                pass
            case _:  # a space or a control character
                break
    return level > 0


_MOST_PARENTHESES = 32
_OF_A_DESTINATION = re.compile(r"\\.?|[()\x00-\x20\x7f]", re.DOTALL)
_NO_DESTINATION = helpers.parseLinkDestination("", 0, 0)
