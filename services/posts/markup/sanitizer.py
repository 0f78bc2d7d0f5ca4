"""Sanitises HTML, with the same bytes as result in every process."""

import re

import nh3

from services.posts.markup.addresses import SCHEMES
from services.posts.markup.footnote_ids import is_note_id, is_reference_id

_TAGS = {
    "p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "em", "strong", "s", "code", "pre",
    "blockquote", "ul", "ol", "li", "a", "img", "table", "thead", "tbody", "tr", "th", "td", "sup",
    "label", "input",
}  # fmt: skip
_ATTRIBUTES: dict[str, set[str]] = {
    "*": set(),  # otherwise the library allows `lang` and `title` everywhere
    "a": {"href", "id", "title"},
    "img": {"src", "alt", "title"},
    "input": {"checked"},
    "li": {"class", "id"},
    "ol": {"class", "start"},
    "code": {"class"},
    "th": {"align"},
    "td": {"align"},
}
_REL = "nofollow ugc noopener"
_ALIGNMENTS = {"left", "center", "right"}
_CLASSES = {"li": "task", "ol": "footnotes"}

# In sanitised HTML, `<` always begins a tag, and values contain no `"`.
_TAG = re.compile(r'<([a-z0-9]+)((?: [a-z]+="[^"]*"){2,})>')
_ATTRIBUTE = re.compile(r' [a-z]+="[^"]*"')


class Sanitizer:
    """Lets only the tags, attributes and schemes above through."""

    def __init__(self) -> None:
        self._cleaner = nh3.Cleaner(
            tags=_TAGS,
            attributes=_ATTRIBUTES,
            url_schemes=set(SCHEMES),
            link_rel=_REL,
            set_tag_attribute_values={
                "img": {"loading": "lazy", "referrerpolicy": "no-referrer"},
                "input": {"disabled": "", "type": "checkbox"},
            },
            attribute_filter=_filter,
        )

    def clean(self, html: str) -> str:
        """The sanitised HTML, with each tag's attributes in alphabetical order, because the library
        writes them in the order of a hash table, which differs between processes."""
        return _TAG.sub(_sort, self._cleaner.clean(html))


def _filter(tag: str, attribute: str, value: str) -> str | None:
    match tag, attribute:
        case "code", "class":
            allowed = value.startswith("language-") and " " not in value
        case "li" | "ol", "class":
            allowed = value == _CLASSES[tag]
        case "li", "id":
            allowed = is_note_id(value)
        case "a", "id":
            allowed = is_reference_id(value)
        case _, "align":
            allowed = value in _ALIGNMENTS
        case _, "checked":
            return ""
        case _:
            return value
    return value if allowed else None


def _sort(tag: re.Match[str]) -> str:
    return f"<{tag[1]}{''.join(sorted(_ATTRIBUTE.findall(tag[2])))}>"
