"""Slots: what stands in a template for a value that the browser fills in.

The same macros make the pages and the `<template>` elements that the browser copies. For a template
they get slots in place of values. A slot shows its name in braces, in a text or in an attribute;
static/templates.js puts a value or an element there.
"""

from types import SimpleNamespace
from typing import Any, Final

from markupsafe import Markup


class Slot(str):
    """The place of a value."""

    __slots__ = ()


def slot(name: str) -> Slot:
    """The slot with this name."""
    return Slot(f"{{{name}}}")


def is_slot(value: object) -> bool:
    """Whether this is the place of a value."""
    return isinstance(value, Slot)


def only_if(name: str, value: object) -> Markup:
    """The attribute of an element that only some copies of a template have: `name` is the
    condition. In a page, which has the element only if it is needed, there is no such attribute."""
    return Markup(f' data-if="{name}"' if is_slot(value) else "")  # noqa: S704 - our own names


def _slots(**names: str) -> SimpleNamespace:
    return SimpleNamespace(**{field: slot(name) for field, name in names.items()})


SLOTS: Final[dict[str, Any]] = {
    "slot": slot,
    "a_user": _slots(
        id="user", name="name", username="username", role="role", bio="bio", created_at="joined"
    ),
    "a_post": _slots(
        id="id", thread="thread", user="user", html="prose", reply_to="answered",
        created_at="time", edited_at="editedAt", edited_by="editor",
    ),
    "a_thread": _slots(
        id="id", title="title", created_by="user", created_at="time", last_post_at="last",
        last_post_by="poster",
        post_count="count", locked="locked", pinned="pinned",
    ),
    "an_answered_post": _slots(href="href", name="name", said="said"),
    "people": {"{user}": slot("author"), "{editor}": slot("by"), "{poster}": slot("poster")},
}  # fmt: skip
"""What templates/copies.html uses in place of what a page shows."""
