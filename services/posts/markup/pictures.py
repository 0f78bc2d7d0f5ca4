"""Replaces pictures that may not be shown by links or text."""

from collections.abc import Iterator, Sequence

from markdown_it.token import Token

from services.posts.markup.addresses import Addresses


def without_own_pictures(tokens: Sequence[Token], addresses: Addresses) -> Iterator[Token]:
    """The inline tokens of a paragraph. A picture whose address is not allowed becomes a link to
    that address or, inside another link, text."""
    links = 0
    for token in tokens:
        links += token.nesting if token.type in {"link_open", "link_close"} else 0
        address = str(token.attrs.get("src", ""))
        if token.type != "image" or addresses.may_show(address):
            yield token
        elif links or not address:
            yield _text(_description(token), token.level)
        else:
            yield Token("link_open", "a", 1, attrs={"href": address}, level=token.level)
            yield _text(_description(token) or address, token.level + 1)
            yield Token("link_close", "a", -1, level=token.level)


def _text(content: str, level: int) -> Token:
    return Token("text", "", 0, content=content, level=level)


def _description(picture: Token) -> str:
    return "".join(
        _description(token) if token.type == "image" else token.content
        for token in picture.children or ()
    )
