"""Puts the page together, for a process of its own and for the monolith."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from fastapi import APIRouter
from starlette.types import ASGIApp

from web import machine_pages, pages
from web.answers import Answers
from web.content.documents import Documents
from web.content.feeds import Feeds
from web.content.sitemap import Sitemap, manifest
from web.markup.templates import Templates
from web.markup.texts import Texts
from web.reading import Sources
from web.rendered import Rendered
from web.site import Site, build


@dataclass(frozen=True, slots=True)
class Page:
    """The page of a process: its routes, and what is around the application that has them."""

    routes: APIRouter
    _site: Site
    _documents: Documents

    @classmethod
    def build(
        cls, sources: Sources, origin: str, served_by: str | None, rules_file: Path | None
    ) -> Self:
        """The page that shows what `sources` have, at this origin; `pages.router` explains the
        others."""
        site = build()
        texts = Texts.load()
        templates, rendered = Templates(site, texts, origin), Rendered(stored=bool(sources.changes))
        documents = Documents(sources, templates, rendered)
        answers = Answers(site, documents, sources, served_by)
        routes = pages.router(site, documents, answers, served_by, rules_file)
        routes.include_router(
            machine_pages.router(
                answers,
                Feeds(sources, templates, rendered),
                Sitemap(sources, templates, rendered),
                manifest(site, texts.text("board")),
            )
        )
        return cls(routes, site, documents)

    def around(self, app: ASGIApp) -> ASGIApp:
        """The application, in which a failure is a page for a browser."""
        return pages.FailurePages(app, self._site, self._documents)
