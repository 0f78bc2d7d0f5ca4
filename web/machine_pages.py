"""Serves what programs read: feeds, the sitemap, `robots.txt` and the manifest."""

from fastapi import APIRouter, Request, Response

from kernel.http.conditional.response_cache import shared
from kernel.http.fields import Id
from web.answers import Answers
from web.content.feeds import Feeds
from web.content.sitemap import Sitemap


def router(answers: Answers, feeds: Feeds, sitemap: Sitemap, manifest: bytes) -> APIRouter:
    """The routes; `answers` sends what `feeds` and `sitemap` make."""
    routes = APIRouter(include_in_schema=False)
    robots = sitemap.robots()

    @routes.get("/feed")
    @shared
    async def board_feed(request: Request) -> Response:
        return await answers.send(request, feeds.board())

    @routes.get("/threads/{id}/feed")
    @shared
    async def thread_feed(id: Id, request: Request) -> Response:  # noqa: A002 - the path's word
        return await answers.send(request, feeds.thread(id))

    @routes.get("/users/{id}/feed")
    @shared
    async def user_feed(id: Id, request: Request) -> Response:  # noqa: A002
        return await answers.send(request, feeds.user(id))

    @routes.get("/sitemap.xml")
    @shared
    async def sitemap_index(request: Request) -> Response:
        return await answers.send(request, sitemap.index())

    @routes.get("/sitemaps/{id}")
    @shared
    async def sitemap_piece(id: Id, request: Request) -> Response:  # noqa: A002
        return await answers.send(request, sitemap.piece(id))

    @routes.get("/robots.txt")
    async def robots_txt() -> Response:
        return Response(robots, media_type="text/plain")

    @routes.get("/manifest.webmanifest")
    async def show_manifest() -> Response:
        return Response(manifest, media_type="application/manifest+json")

    return routes
