"""Regular expressions of rules, with RE2: its time is proportional to the text for any pattern.

What AWS does not support (lookaround, back references, possessive quantifiers, atomic groups,
recursion, Unicode classes) is refused: "Rule condition types" and "Transforms for listener rules"
of the AWS guide.
"""

import re
from collections.abc import Callable
from typing import Final, Protocol

import re2

_UNICODE_CLASS: Final = re.compile(r"(?<!\\)(?:\\\\)*\\[pP]")


class Found(Protocol):
    """A match."""

    def span(self, group: int = 0) -> tuple[int, int]:
        """Where the group matched; (-1, -1) if it did not."""

    def groups(self) -> tuple[bytes | None, ...]:
        """What each group matched."""


Search = Callable[[bytes], Found | None]
"""Finds the first place where a pattern matches."""


class InvalidPatternError(ValueError):
    """Not a regular expression that AWS supports."""


def compile_pattern(pattern: str, *, ignore_case: bool = False) -> Search:
    """The pattern's search function. A pattern without anchors matches anywhere.

    Raises InvalidPatternError.
    """
    if _UNICODE_CLASS.search(pattern):
        raise InvalidPatternError("Unicode classes are not supported")
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    options.case_sensitive = not ignore_case
    try:
        search: Search = re2.compile(pattern.encode("latin-1"), options).search
    except (re2.error, UnicodeEncodeError) as error:
        reason = error.args[0]
        text = reason.decode("latin-1") if isinstance(reason, bytes) else str(error)
        raise InvalidPatternError(text) from error
    return search


def substitute(pattern: Search, replacement: str, text: bytes) -> bytes | None:
    """``text`` with the first match replaced; ``$1`` to ``$9`` stand for what the groups matched.
    None without a match."""
    found = pattern(text)
    if found is None:
        return None
    groups = found.groups()

    def group(reference: re.Match[bytes]) -> bytes:
        number = int(reference[1])
        return (groups[number - 1] or b"") if number <= len(groups) else b""

    start, end = found.span()
    return text[:start] + _REFERENCE.sub(group, replacement.encode("latin-1")) + text[end:]


_REFERENCE: Final = re.compile(rb"\$([1-9])")
