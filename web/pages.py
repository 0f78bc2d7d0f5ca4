"""Serves the page over HTTP: its documents, its files, and its 404."""

import asyncio
import json
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter, ValidationError
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kernel.contracts import Order
from kernel.errors import FAILURES, NoSuchPath, NotFound
from kernel.http.conditional.response_cache import shared
from kernel.http.fields import Id, Words
from kernel.http.problems import TYPE_PREFIX
from kernel.process.shortcut import shortcut_of
from web.answers import Answers, made, page_headers
from web.content.documents import Documents
from web.content.shells import SHELLS
from web.rendered import HTML
from web.shares import read_shares
from web.site import PREFIX, Site

_FOREVER: Final = "public, max-age=31536000, immutable"  # RFC 8246: not revalidated on a reload
_ID: Final = TypeAdapter(Id)
_WORDS: Final = TypeAdapter(Words)


def router(
    site: Site,
    documents: Documents,
    answers: Answers,
    served_by: str | None,
    rules_file: Path | None,
) -> APIRouter:
    """The routes of the page's documents and files. `answers` sends what `documents` makes.

    `served_by` is the name of this process, for the Server-Timing field: the only field of its own
    document that a page can read. Only where it is given, `/shares.json` has what `rules_file`
    says: the percentage of each service's requests that the load balancer sends to the service.
    """
    routes = APIRouter(include_in_schema=False)

    @routes.get("/")
    @shared
    async def show_threads(request: Request) -> Response:
        order: Order = "new" if request.query_params.get("order") == "new" else "active"
        return await answers.send(
            request, documents.threads(order, request.query_params.get("after"))
        )

    @routes.get("/threads/{id}")
    @shared
    async def show_thread(id: Id, request: Request) -> Response:  # noqa: A002 - the path's word
        query = request.query_params
        return await answers.send(
            request, documents.thread(id, query.get("after"), _post(query.get("from")))
        )

    @routes.get("/users/{id}")
    @shared
    async def show_user(id: Id, request: Request) -> Response:  # noqa: A002
        query = request.query_params
        shown = "threads" if query.get("show") == "threads" else "posts"
        return await answers.send(request, documents.user(id, shown, query.get("after")))

    @routes.get("/search")
    async def search(request: Request) -> Response:
        try:
            words = _WORDS.validate_python(request.query_params.get("q", "").strip())
        except ValidationError:
            return await answers.send(request, made(documents.empty_search()))
        return await answers.send(
            request, documents.search(words, request.query_params.get("after"))
        )

    def show_shell(title: str) -> None:
        document = documents.shell(title)

        async def show(request: Request) -> Response:
            return await answers.send(request, made(document))

        async def show_one(id: Id, request: Request) -> Response:  # noqa: A002, ARG001 - validates the id
            return await show(request)

        for path in (path for path, of in paths.items() if of == title):
            routes.get(path)(show_one if "{id}" in path else show)

    paths = dict(SHELLS) | {TYPE_PREFIX + slug: "what-happened" for slug in FAILURES}
    for title in set(paths.values()):
        show_shell(title)

    if served_by is not None:

        @routes.get("/shares.json")
        async def shares() -> Response:
            found = await asyncio.to_thread(read_shares, rules_file)
            headers = {"Cache-Control": "no-store"}
            return Response(json.dumps(found), media_type="application/json", headers=headers)

    @routes.get(PREFIX + "{name:path}")
    async def file(name: str, request: Request) -> Response:
        found = site.assets.get(name)
        if found is None:
            raise NoSuchPath("There is no such file.")
        headers = {"Cache-Control": _FOREVER, "Vary": "Accept-Encoding"}
        if served_by is not None:
            headers["Server-Timing"] = f'served-by;desc="{served_by}"'
        body = found.body
        if found.compressed is not None and _takes_gzip(request.headers):
            body = found.compressed
            headers["Content-Encoding"] = "gzip"
        return Response(body, media_type=found.media_type, headers=headers)

    return routes


class FailurePages:
    """Middleware that answers a browser with a page instead of a problem, with the same status, for
    a wrong link, and for too many requests.

    Only browsers that load a document accept HTML. Other requests, and those under `/api`, get the
    problem. What is HTML already is sent as it is.
    """

    def __init__(self, app: ASGIApp, site: Site, documents: Documents) -> None:
        self._app = app
        self.shortcut = shortcut_of(app)  # for stored responses, which this layer does not change
        self._headers = page_headers(site) | {
            "Cache-Control": "no-store",
            "Content-Type": HTML,
        }
        self._bodies = {
            404: documents.failure(NotFound("")).body,
            429: documents.too_many_requests().body,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _wants_document(scope):
            await self._app(scope, receive, send)
            return
        page: bytes | None = None

        async def send_page(message: Message) -> None:
            nonlocal page
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("content-type") != HTML:
                    page = self._bodies.get(message["status"])
                if page is not None:
                    for name, value in self._headers.items():
                        headers[name] = value
                    headers["Content-Length"] = str(len(page))
                await send(message)
            elif page is not None:
                if not message.get("more_body", False):
                    body = b"" if scope["method"] == "HEAD" else page
                    await send({"type": "http.response.body", "body": body})
            else:
                await send(message)

        await self._app(scope, receive, send_page)


def _post(text: str | None) -> int | None:
    try:
        return None if text is None else _ID.validate_python(text)
    except ValidationError:
        return None


def _wants_document(scope: Scope) -> bool:
    of_the_api = scope["path"] == "/api" or scope["path"].startswith("/api/")
    if scope["method"] not in {"GET", "HEAD"} or of_the_api:
        return False
    return "text/html" in Headers(scope=scope).get("accept", "")


def _takes_gzip(headers: Headers) -> bool:
    for part in headers.get("accept-encoding", "").lower().split(","):
        coding, _, parameters = part.partition(";")
        if coding.strip() == "gzip":
            return parameters.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False
