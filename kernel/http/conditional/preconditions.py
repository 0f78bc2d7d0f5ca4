"""Conditional edits: a client that changes a resource names the version it has seen."""

from typing import Annotated

from fastapi import Header, Request

from kernel.errors import PreconditionRequired, Stale
from kernel.http.conditional.revalidation import entity_tag, without_encoding


class IfMatch:
    """The `If-Match` field of a request (RFC 9110 section 13.1.1); None when it has none."""

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
        """A FastAPI dependency: of the request. Several fields mean the same as one field with
        commas (RFC 9110 section 5.3)."""
        fields = request.headers.getlist("if-match")
        return cls(",".join(fields) if fields else None)

    def check(self, representation: bytes) -> None:
        """Raises `PreconditionRequired` when the field is missing: not earlier, since who may not
        make the change has no use for a version. Raises `Stale` unless this is the version that was
        seen. The comparison is strong: a weak tag matches nothing."""
        if self._tags is None:
            raise PreconditionRequired("Send the ETag of what you have seen as If-Match.")
        if self._tags != ["*"] and entity_tag(representation) not in self._tags:
            raise Stale("Somebody changed it after you had read it. Read it again.")


def _plain(tag: str) -> str:
    # A change is made to the representation, whichever encoding of it a client has read.
    return without_encoding(tag.strip())
