"""Sends documents over HTTP."""

import asyncio
from collections.abc import Awaitable

from fastapi import Request, Response
from starlette.datastructures import Headers

from kernel.cache.encodings import SMALLEST, choose, compress
from kernel.errors import Failure
from kernel.http.conditional.response_cache import depends_on_all
from web.content.documents import Documents
from web.reading import Sources
from web.rendered import Document
from web.site import Site


class Answers:
    """Sends what was read from `sources`, or why it could not be. `served_by` is the name of this
    process, if it may be shown."""

    def __init__(
        self, site: Site, documents: Documents, sources: Sources, served_by: str | None
    ) -> None:
        self._headers = page_headers(site)
        if served_by is not None:
            self._headers["Server-Timing"] = f'served-by;desc="{served_by}"'
        self._documents = documents
        self._changes = sources.changes

    async def send(self, request: Request, reading: Awaitable[Document]) -> Response:
        """The response with a document, or with the failure of reading it."""
        try:
            document = await reading
        except Failure as failure:
            document = self._documents.failure(failure)
        headers = dict(self._headers)
        if document.failure is not None:
            headers |= document.failure.headers
        if document.status != 200 or document.tags is None:
            headers["Cache-Control"] = "no-store"
        elif self._changes and document.tags:
            # The cache of responses compresses what it stores.
            parts = [(self._changes[name], tags) for name, tags in document.tags.items()]
            depends_on_all(request.scope, parts)
            return Response(document.body, media_type=document.media_type, headers=headers)
        body, encoding = await _encode(document, request.headers)
        headers |= {"Vary": "Accept-Encoding"} | encoding
        return Response(body, document.status, headers, document.media_type)


def page_headers(site: Site) -> dict[str, str]:
    """The header fields of every document."""
    return {
        "Content-Security-Policy": site.policy,
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
    }


async def made(document: Document) -> Document:
    return document


async def _encode(document: Document, headers: Headers) -> tuple[bytes, dict[str, str]]:
    accepted = headers.get("accept-encoding", "").encode("latin-1")
    encoding = choose(accepted) if accepted and len(document.body) >= SMALLEST else "identity"
    if encoding == "identity":
        return document.body, {}
    body = document.encoded.get(encoding)
    if body is None:
        body = await asyncio.to_thread(compress, document.body, encoding)
        document.encoded[encoding] = body
    return body, {"Content-Encoding": encoding}
