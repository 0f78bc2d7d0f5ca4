"""Renders posts again whose HTML was made by older rules."""

import logging
import time
from collections.abc import Awaitable, Callable
from html import escape

from kernel.data.database import Database
from kernel.errors import Invalid
from kernel.process.background import repeat
from kernel.process.spans.tracer import span
from services.posts.markup.footnote_ids import of_post
from services.posts.model import MARKUP

log = logging.getLogger("board.markup")

_BATCH = 50
_BATCH_SECONDS = 1.0
_PAUSE = 60.0
_NOBODY = 0  # the pool renders one text of each user at a time


class Rerenderer:
    """Updates the HTML of all posts to the current rules (docs/decisions/rendering-again.md).

    No row is locked while texts are rendered. A post that has changed meanwhile, or is locked, is
    left for the next batch. One process at a time does this.
    """

    def __init__(self, database: Database, render: Callable[[str, int], Awaitable[str]]) -> None:
        self._database = database
        self._render = render

    async def run(self) -> None:
        """Render until cancelled, using at most half of the time."""
        await repeat(self._attempt, log, "rendering posts again", pause=_PAUSE)

    async def _attempt(self) -> float:
        began = time.monotonic()
        done = await self.render_batch()
        return time.monotonic() - began if done else _PAUSE

    async def render_batch(self) -> int:
        """Render the newest posts that need it, for about a second. Returns the number of stored
        posts. Raises `Unavailable`."""
        async with self._database.transaction() as connection:
            if not await connection.fetchval(_LOCK):
                return 0
            rows = await connection.fetch(SELECT_TO_RENDER, _BATCH)
            if not rows:
                return 0
            until = time.monotonic() + _BATCH_SECONDS
            made = []
            with span("render posts again"):
                for row in rows:
                    html = await self._to_html(row["text"])
                    html = None if html is None else of_post(html, row["id"])
                    made.append((row["id"], row["text"], html, row["at"]))
                    if time.monotonic() > until:
                        break
                stored = await connection.fetch(_STORE, *map(list, zip(*made, strict=True)))
        return len(stored)

    async def _to_html(self, text: str) -> str | None:
        """The HTML of a text; None if rendering fails because of a defect, and the old HTML
        stays."""
        try:
            return await self._render(text, _NOBODY)
        except Invalid:
            # It was allowed once, so it must not disappear.
            return f"<pre>{escape(text, quote=False)}</pre>\n"
        except RuntimeError:
            log.exception("a post could not be rendered again")
            return None


_LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended('posts are rendered again', 0))"

SELECT_TO_RENDER = f"""
    SELECT id, text, coalesce(edited_at, created_at) AS at FROM posts
    WHERE markup IS DISTINCT FROM {MARKUP}
        OR rendered_at IS DISTINCT FROM coalesce(edited_at, created_at)
    ORDER BY id DESC LIMIT $1
"""  # noqa: S608 - a number of ours
"""The statement that finds posts to render. The index `posts_to_render` has its condition."""

_STORE = f"""
    WITH free AS (
        SELECT id FROM posts WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE posts SET html = coalesce(made.html, posts.html), markup = {MARKUP}, rendered_at = at
    FROM unnest($1::bigint[], $2::text[], $3::text[], $4::timestamptz[])
        AS made (post, text, html, at) JOIN free ON free.id = made.post
    WHERE posts.id = made.post AND posts.text = made.text
        AND coalesce(posts.edited_at, posts.created_at) = at
    RETURNING true
"""  # noqa: S608 - likewise
