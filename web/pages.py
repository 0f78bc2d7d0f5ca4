"""Serves the page over HTTP: its documents, its files, and its 404."""

import asyncio
import json
from pathlib import Path

from fastapi import APIRouter, Request, Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kernel.errors import FAILURES, NoSuchPath
from kernel.http.fields import Id
from kernel.http.problems import TYPE_PREFIX
from web.shares import read_shares
from web.site import PREFIX, File, Site

_FOREVER = "public, max-age=31536000, immutable"  # RFC 8246: not revalidated on a reload either
_PLACES = (
    "/",
    "/search",
    "/signin",
    "/register",
    "/settings",
    "/moderation",
    "/moderation/log",
    "/moderation/cases",
    "/reports",
    "/docs",
    "/password-resets",
)
_PLACES_WITH_AN_ID = ("/threads/{id}", "/users/{id}", "/cases/{id}")


def router(site: Site, served_by: str | None, rules_file: Path | None) -> APIRouter:
    """The routes of the page's documents and files.

    `served_by` is the name of this process, for the Server-Timing field: the only field of its own
    document that a page can read. Only where it is given, `/shares.json` has what `rules_file`
    says: the percentage of each service's requests that the load balancer sends to the service.
    """
    routes = APIRouter(include_in_schema=False)

    def answer(request: Request, file: File, headers: dict[str, str]) -> Response:
        headers["Vary"] = "Accept-Encoding"
        if served_by is not None:
            headers["Server-Timing"] = f'served-by;desc="{served_by}"'
        body = file.body
        if file.compressed is not None and _takes_gzip(request.headers):
            body = file.compressed
            headers["Content-Encoding"] = "gzip"
        headers["Content-Type"] = file.media_type
        return Response(body, headers=headers)

    async def show(request: Request) -> Response:
        return answer(request, site.shell, _document_headers(site))

    async def show_one(id: Id, request: Request) -> Response:  # noqa: A002, ARG001 - validates the id
        return await show(request)

    for place in _PLACES:
        routes.get(place)(show)
    for place in _PLACES_WITH_AN_ID:
        routes.get(place)(show_one)
    for slug in FAILURES:
        routes.get(TYPE_PREFIX + slug)(show)

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
        return answer(request, found, {"Cache-Control": _FOREVER})

    return routes


class NotFoundPage:
    """Middleware that answers a wrong link with the page instead of a problem, still as a 404.

    Only browsers that load a document accept HTML. Other requests, and those under `/api`, get the
    problem.
    """

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app = app
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _wants_document(scope):
            await self._app(scope, receive, send)
            return
        replaced = False

        async def send_page(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and message["status"] == 404:
                replaced = True
                headers = MutableHeaders(scope=message)
                for name, value in _document_headers(self._site).items():
                    headers[name] = value
                headers["Cache-Control"] = "no-store"
                headers["Content-Type"] = self._site.shell.media_type
                headers["Content-Length"] = str(len(self._site.shell.body))
                await send(message)
            elif replaced:
                if not message.get("more_body", False):
                    body = b"" if scope["method"] == "HEAD" else self._site.shell.body
                    await send({"type": "http.response.body", "body": body})
            else:
                await send(message)

        await self._app(scope, receive, send_page)


def _document_headers(site: Site) -> dict[str, str]:
    return {
        "Content-Security-Policy": site.policy,
        "Referrer-Policy": "same-origin",
        "Cache-Control": "no-cache",
        "Cross-Origin-Opener-Policy": "same-origin",
    }


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
