"""Conditional edits: a client that changes a resource names the version that it has read."""

from typing import Annotated

from fastapi import Header, Request

from kernel.errors import PreconditionRequired, Stale
from kernel.http.conditional.revalidation import entity_tag, without_encoding


class IfMatch:
    """The `If-Match` field of a request (RFC 9110 section 13.1.1); None if it has none."""

    def __init__(self, field: str | None) -> None:
        self._tags = None if field is None else [_plain(tag) for tag in field.split(",")]

    @classmethod
    async def of(
        cls,
        request: Request,
        if_match: Annotated[  # noqa: ARG003 - for the API document
            str | None, Header(description="The `ETag` of the version that you have seen.")
        ] = None,
    ) -> "IfMatch":
        """The field of the request, as a FastAPI dependency. Several fields mean the same as one
        with commas (RFC 9110 section 5.3)."""
        fields = request.headers.getlist("if-match")
        return cls(",".join(fields) if fields else None)

    def check(self, representation: bytes) -> None:
        """Raises `PreconditionRequired` if the field is missing. Call it after the permissions were
        checked: a caller without them needs no version. Raises `Stale` unless the field has the tag
        of this representation. The comparison is strong: a weak tag matches nothing."""
        if self._tags is None:
            raise PreconditionRequired("Send the ETag of what you have seen as If-Match.")
        if self._tags != ["*"] and entity_tag(representation) not in self._tags:
            raise Stale("Somebody changed it after you had read it. Read it again.")


def _plain(tag: str) -> str:
    # All encodings are of the same representation, which is what the change applies to.
    return without_encoding(tag.strip())
