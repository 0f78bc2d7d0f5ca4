"""What search engines read first: which pages there are, and which they may read."""

import json
from typing import Final

from kernel.errors import NotFound
from web.markup.templates import Templates
from web.reading import Sources, unless_down
from web.rendered import XML, Document, Rendered
from web.site import Site

PIECE: Final = 5_000
"""How many threads a piece of the sitemap may have: a tenth of what the protocol allows."""


class Sitemap:
    """The sitemap (sitemaps.org), in pieces of threads whose ids follow each other."""

    def __init__(self, sources: Sources, templates: Templates, rendered: Rendered) -> None:
        self._threads = sources.threads
        self._templates = templates
        self._rendered = rendered

    async def index(self) -> Document:
        """The list of pieces."""
        newest = await unless_down(self._threads.threads("new", None, 1, None))
        last = newest.items[0].id if newest and newest.items else 1
        pieces = range(1, _piece_of(last) + 1)
        return self._rendered.document(
            ("sitemap",),
            (newest,),
            newest is not None,
            {"threads": ["list"]},
            lambda: self._templates.render("sitemap-index.xml", pieces=pieces),
            XML,
        )

    async def piece(self, number: int) -> Document:
        """The threads of a piece. Raises `NotFound` for a piece without threads."""
        first = (number - 1) * PIECE + 1
        changes = await unless_down(self._threads.thread_changes(first, first + PIECE - 1))
        if changes is not None and not changes and number > 1:
            raise NotFound("The sitemap has no such piece.")
        return self._rendered.document(
            ("sitemap", number),
            (changes,),
            changes is not None,
            {"threads": ["list"]},
            lambda: self._templates.render("sitemap.xml", changes=changes or ()),
            XML,
        )

    def robots(self) -> bytes:
        """`robots.txt` (RFC 9309). Searches are left out: they show what other pages have."""
        return self._templates.render("robots.txt")


def manifest(site: Site, name: str) -> bytes:
    """The web app manifest, for those who add the board to their home screen."""
    icons = [
        {"src": site.url("icon-192.png"), "sizes": "192x192", "type": "image/png"},
        {"src": site.url("icon-512.png"), "sizes": "512x512", "type": "image/png"},
        {
            "src": site.url("icon-maskable.png"),
            "sizes": "512x512",
            "type": "image/png",
            "purpose": "maskable",
        },
    ]
    content = {
        "name": name,
        "short_name": name,
        "start_url": "/",
        "display": "standalone",
        "background_color": "#faf8f4",
        "theme_color": "#1d6452",
        "icons": icons,
    }
    return json.dumps(content, separators=(",", ":")).encode()


def _piece_of(thread: int) -> int:
    return (thread - 1) // PIECE + 1
