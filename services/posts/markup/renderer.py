"""Renders Markdown as HTML in the calling process."""

from collections.abc import Iterator, Sequence

from markdown_it.token import Token

from kernel.characters import is_visible
from services.posts.markup.addresses import Addresses
from services.posts.markup.bounds import SizeEstimate, Unrenderable, check_html
from services.posts.markup.parser import environment, make_parser
from services.posts.markup.pictures import without_own_pictures
from services.posts.markup.sanitizer import Sanitizer

_SEEN_WHEN_EMPTY = {"image", "hr", "fence", "code_block"}


class Renderer:
    """Renders the posts of the board at `public_origin`.

    There are two layers of protection: the parser escapes raw HTML and refuses script links, and
    the sanitiser lets only some tags, attributes and schemes through."""

    def __init__(self, public_origin: str) -> None:
        self._addresses = Addresses(public_origin)
        self._parser = make_parser(self._addresses)
        self._sanitizer = Sanitizer()

    def to_html(self, text: str) -> str:
        """The HTML of a post. Raises `Unrenderable` for a text that shows nothing, has too many
        elements, or becomes too much HTML."""
        env = environment(text)
        tokens = self._parser.parse(text, env)
        for token in tokens:
            if token.children:
                token.children = list(without_own_pictures(token.children, self._addresses))
        if not any(_shows(token) for token in _flat(tokens)):
            raise Unrenderable("This text shows nothing.")
        _check_size(text, tokens)
        made = self._parser.renderer.render(tokens, self._parser.options, env)
        html = self._sanitizer.clean(made)
        check_html(text, html)
        return html


def _flat(tokens: Sequence[Token]) -> Iterator[Token]:
    for token in tokens:
        yield from token.children or () if token.type == "inline" else (token,)


def _shows(token: Token) -> bool:
    return token.type in _SEEN_WHEN_EMPTY or is_visible(token.content)


def _check_size(text: str, tokens: Sequence[Token]) -> None:
    # References share one string for an address or title until the HTML is written.
    estimate = SizeEstimate(text)
    for token in _flat(tokens):
        estimate.add(len(token.content) + 2 * len(token.tag))
        for value in token.attrs.values():
            estimate.add(len(str(value)))
