"""Rewrites a request for the target, after a rule has matched.

Source: "Transforms for listener rules" of the AWS guide.
"""

import re
from dataclasses import dataclass
from typing import Final

from gateway.routing.regular_expressions import Search, substitute

_TARGET: Final = re.compile(rb"/[!-~]*")
_HOST: Final = re.compile(rb"[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?")
_MAX_TARGET: Final = 16 * 1024


class TransformFailedError(Exception):
    """A transform's expression matched, but its result cannot be sent: 500."""


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Replaces the first match of ``pattern``; ``written`` is the pattern's text."""

    written: str
    pattern: Search
    replacement: str


@dataclass(frozen=True, slots=True)
class Transforms:
    """A rule's transforms; at most one for the host and one for path and query."""

    host: Rewrite | None = None
    url: Rewrite | None = None

    def __bool__(self) -> bool:
        return self.host is not None or self.url is not None

    def rewritten_host(self, host: bytes) -> bytes | None:
        """The new host for the target; None for no change. Raises TransformFailedError."""
        if self.host is None:
            return None
        rewritten = substitute(self.host.pattern, self.host.replacement, host)
        if rewritten is not None and not _HOST.fullmatch(rewritten):
            raise TransformFailedError
        return rewritten

    def rewritten_target(self, target: bytes) -> bytes | None:
        """The new path and query for the target; None for no change. Raises
        TransformFailedError."""
        if self.url is None:
            return None
        rewritten = substitute(self.url.pattern, self.url.replacement, target)
        if rewritten is not None and (
            len(rewritten) > _MAX_TARGET or not _TARGET.fullmatch(rewritten)
        ):
            raise TransformFailedError
        return rewritten


NO_TRANSFORMS: Final = Transforms()
