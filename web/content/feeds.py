"""Atom feeds (RFC 4287) of the board, of a thread and of a user: their newest posts."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from kernel.contracts import PostView, ThreadView, UserView
from web.markup.templates import Templates
from web.reading import Sources, read_users, unless_down
from web.rendered import ATOM, Document, Rendered

ENTRIES: Final = 20
_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Feeds:
    """Makes the feeds from what `sources` show."""

    def __init__(self, sources: Sources, templates: Templates, rendered: Rendered) -> None:
        self._sources = sources
        self._templates = templates
        self._rendered = rendered

    async def board(self) -> Document:
        """The newest posts of the board."""
        posts = await unless_down(self._sources.posts.newest_posts(ENTRIES))
        ids = sorted({post.thread for post in posts or ()})
        threads = await unless_down(self._sources.threads.threads_by_id(ids)) if ids else ()
        title = self._templates.texts.text("board")
        tags = {"posts": ["newest"], "threads": [f"thread/{thread}" for thread in ids]}
        return await self._feed("/", "/feed", title, _NEVER, posts, threads, tags, (threads,))

    async def thread(self, thread: int) -> Document:
        """The newest posts of a thread. Raises `NotFound`, and `Gone` for a removed thread."""
        found, posts = await asyncio.gather(
            unless_down(self._sources.threads.thread(thread)),
            unless_down(self._sources.posts.newest_in_thread(thread, ENTRIES)),
        )
        place = f"/threads/{thread}"
        title = found.title if found else self._templates.texts.text("thread")
        begun = found.created_at if found else _NEVER
        tags = {"posts": [f"thread/{thread}"], "threads": [f"thread/{thread}"]}
        threads = None if found is None else [found]
        return await self._feed(
            place, f"{place}/feed", title, begun, posts, threads, tags, (found,)
        )

    async def user(self, user: int) -> Document:
        """The newest posts of a user. Raises `NotFound`."""
        found, page = await asyncio.gather(
            unless_down(self._sources.users.user(user)),
            unless_down(self._sources.posts.posts_by_user(user, ENTRIES, None)),
        )
        ids = sorted({post.thread for post in page.items}) if page else []
        threads = await unless_down(self._sources.threads.threads_by_id(ids)) if ids else ()
        place = f"/users/{user}"
        title = found.name if found else self._templates.texts.text("a-person")
        begun = found.created_at if found else _NEVER
        tags = {
            "posts": [f"author/{user}", "authors"],
            "threads": [f"thread/{thread}" for thread in ids],
            "users": [f"user/{user}"],
        }
        posts = None if page is None else page.items
        return await self._feed(
            place, f"{place}/feed", title, begun, posts, threads, tags, (threads, found), found
        )

    async def _feed(
        self,
        address: str,
        own: str,
        title: str,
        begun: datetime,
        posts: Sequence[PostView] | None,
        threads: Sequence[ThreadView] | None,
        tags: Mapping[str, Sequence[str]],
        read: tuple[object, ...],
        author: UserView | None = None,
    ) -> Document:
        """The feed of `address`, at `own`. `author` wrote everything, if that is known already."""
        shown = posts or ()
        known = set() if author is None else {author.id}
        users, people = await read_users(self._sources, {post.user for post in shown} - known)
        if author is not None:
            users[author.id] = author
        people_tags = [*tags.get("users", ()), *(f"user/{user}" for user in users)]
        return self._rendered.document(
            ("feed", address),
            (posts, people, *read),
            posts is not None,
            {**tags, "users": people_tags},
            lambda: self._templates.render(
                "feed.xml",
                title=title,
                address=address,
                own=own,
                updated=max((post.edited_at or post.created_at for post in shown), default=begun),
                posts=shown,
                titles={thread.id: thread.title for thread in threads or ()},
                users=users,
            ),
            ATOM,
        )
