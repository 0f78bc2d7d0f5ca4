"""The ids by which a footnote and its references link to each other, unique among all posts.

The HTML of a post is made before the post has an id. Until then, zeros stand for it, as many as the
largest id has digits, so that HTML never becomes longer by this."""

import re

_NO_POST = "0" * 19
_ID = rf"(?:fn|fnref)-{_NO_POST}-[0-9]+(?:-[0-9]+)?"

# In sanitised HTML, `<` begins a tag, except in the values of attributes, which contain no `"`.
_TAG = re.compile(rf'<(?:li id="|a href="#){_ID}"(?: id="{_ID}")?')
_NOTE = re.compile(rf"fn-{_NO_POST}-[0-9]+")
_REFERENCE = re.compile(rf"fnref-{_NO_POST}-[0-9]+(?:-[0-9]+)?")


def note_id(note: int) -> str:
    """The id of a footnote. Notes are numbered from 1."""
    return f"fn-{_NO_POST}-{note}"


def reference_id(note: int, reference: int) -> str:
    """The id of a reference to a footnote. The references to each note are numbered from 1."""
    return f"fnref-{_NO_POST}-{note}" + (f"-{reference}" if reference > 1 else "")


def is_note_id(value: str) -> bool:
    """Whether `note_id` returns this value."""
    return _NOTE.fullmatch(value) is not None


def is_reference_id(value: str) -> bool:
    """Whether `reference_id` returns this value."""
    return _REFERENCE.fullmatch(value) is not None


def of_post(html: str, post: int) -> str:
    """A post's sanitised HTML with the post's id in the ids of its footnotes."""
    return _TAG.sub(lambda tag: tag[0].replace(_NO_POST, str(post)), html)
