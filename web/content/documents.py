"""The pages that show what is on the board, as HTML that needs no JavaScript.

A page shows what everybody sees. If a context is down, the page says so and shows the rest.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from kernel.contracts import Order, PostView, ThreadView, ViewPage
from kernel.errors import Failure
from web.markup.prose import beginning, plain
from web.markup.templates import Templates
from web.reading import LARGEST_CALL, People, Sources, read_users, unless_down
from web.rendered import Document, Rendered

THREADS_ON_A_PAGE: Final = 30
POSTS_ON_A_PAGE: Final = 49
"""So few that their authors and the moderators who edited them are read in one call."""

WRITTEN_ON_A_PAGE: Final = 20
_DESCRIPTION: Final = 160
_BEGINNING: Final = 90


class Documents:
    """Makes the pages from what `sources` show."""

    def __init__(self, sources: Sources, templates: Templates, rendered: Rendered) -> None:
        self._sources = sources
        self._templates = templates
        self._text = templates.texts.text
        self._rendered = rendered

    async def threads(self, order: Order, after: str | None) -> Document:
        """The list of threads. Raises `MalformedRequest`."""
        found = await unless_down(
            self._sources.threads.threads(order, None, THREADS_ON_A_PAGE, after)
        )
        users, read = await self._users(_authors(threads=_items(found)))
        place = "/?order=new" if order == "new" else "/"
        tags = {"threads": ["list"], "users": _user_tags(users)}
        return self._rendered.document(
            ("threads", order, after),
            (found, read),
            found is not None,
            tags,
            lambda: self._templates.render(
                "threads.html",
                canonical=_with(place, after=after),
                next=_next(place, found),
                previous=_previous(place, found),
                feed="/feed",
                order=order,
                threads=found,
                users=users,
            ),
        )

    async def thread(self, thread: int, after: str | None, first: int | None) -> Document:
        """A page of a thread: from the post `first` on, or after a cursor, or from the beginning.
        Raises `NotFound`, `Gone` for a removed thread, and `MalformedRequest`."""
        posts = self._sources.posts
        found, written = await asyncio.gather(
            unless_down(self._sources.threads.thread(thread)),
            unless_down(
                posts.posts_in_thread(thread, POSTS_ON_A_PAGE, after)
                if first is None
                else posts.posts_from(thread, first, POSTS_ON_A_PAGE)
            ),
        )
        users, read = await self._users(_authors([found] if found else (), _items(written)))
        place = f"/threads/{thread}"
        tags = {
            "threads": [f"thread/{thread}"],
            "posts": [f"thread/{thread}"],
            "users": _user_tags(users),
        }
        start = next(iter(_items(written)), None)
        return self._rendered.document(
            ("thread", thread, after, first),
            (found, written, read),
            found is not None and written is not None,
            tags,
            lambda: self._templates.render(
                "thread.html",
                title=found.title if found else self._text("thread"),
                description=plain(start.html, _DESCRIPTION) if start else None,
                canonical=_with(place, after=after),
                kind="article",
                feed=f"{place}/feed",
                next=_next(place, written),
                previous=_previous(place, written),
                id=thread,
                thread=found,
                posts=written,
                answered=_answered(_items(written), users),
                users=users,
            ),
        )

    async def user(self, user: int, shown: str, after: str | None) -> Document:
        """A user's page, with their posts, or their threads if `shown` is "threads". Raises
        `NotFound` and `MalformedRequest`."""
        sources = self._sources
        written: ViewPage[PostView] | ViewPage[ThreadView] | None
        found, written = await asyncio.gather(
            unless_down(sources.users.user(user)),
            unless_down(
                sources.threads.threads("new", user, WRITTEN_ON_A_PAGE, after)
                if shown == "threads"
                else sources.posts.posts_by_user(user, WRITTEN_ON_A_PAGE, after)
            ),
        )
        editors = {post.edited_by for post in _items(written) if isinstance(post, PostView)}
        users, read = await self._others(user, found, editors - {None, user})
        place = f"/users/{user}" + ("?show=threads" if shown == "threads" else "")
        tags: dict[str, Sequence[str]] = {"users": [f"user/{user}", *_user_tags(users)]}
        if shown == "threads":
            tags["threads"] = ["list"]
        else:
            tags["posts"] = [f"author/{user}", "authors"]
        name = found.name if found else self._text("a-person")
        return self._rendered.document(
            ("user", user, shown, after),
            (found, written, read),
            found is not None and written is not None,
            tags,
            lambda: self._templates.render(
                "user.html",
                title=name,
                description=found.bio or None if found else None,
                canonical=_with(place, after=after),
                kind="profile",
                feed=f"/users/{user}/feed",
                next=_next(place, written),
                previous=_previous(place, written),
                id=user,
                user=found,
                shown=shown,
                written=written,
                users=users,
            ),
        )

    async def search(self, words: str, after: str | None) -> Document:
        """What a search finds. Raises `MalformedRequest`."""
        sources = self._sources
        people, threads, posts = await asyncio.gather(
            unless_down(sources.users.search_users(words)),
            unless_down(sources.threads.search_threads(words)),
            unless_down(sources.posts.search_posts(words, after)),
        )
        hits = posts.items if posts else ()
        ids = sorted({hit.post.thread for hit in hits})[:LARGEST_CALL]
        named = await unless_down(sources.threads.threads_by_id(ids)) if ids else ()
        users, _ = await self._users(_authors(threads or (), [hit.post for hit in hits]))
        body = self._templates.render(
            "search.html",
            title=self._text("search-for", words=words),
            next=_next(_with("/search", q=words), posts),
            words=words,
            people=people,
            threads=threads,
            posts=posts,
            titles={thread.id: thread.title for thread in named or ()},
            users=users,
        )
        down = people is None or threads is None or posts is None
        return Document(body, 503 if down else 200)

    def empty_search(self) -> Document:
        """The form alone."""
        body = self._templates.render("search.html", title=self._text("search"), words="")
        return Document(body, tags={})

    def shell(self, title: str) -> Document:
        """A page that JavaScript fills."""
        return Document(self._templates.render("shell.html", title=self._text(title)), tags={})

    def failure(self, failure: Failure) -> Document:
        """What a reader sees who cannot be shown what they asked for."""
        if failure.status in {404, 410}:
            heading, sentences = self._text("not-found"), [self._text("not-found-why")]
        else:
            heading, sentences = failure.title, [failure.detail]
        body = self._templates.render(
            "notice.html", title=heading, heading=heading, sentences=sentences
        )
        return Document(body, failure.status, failure=failure)

    def too_many_requests(self) -> Document:
        """What a reader sees whose address has sent too many requests."""
        heading = self._text("too-many-requests")
        return Document(
            self._templates.render(
                "notice.html",
                title=heading,
                heading=heading,
                sentences=[self._text("too-many-requests-why")],
            ),
            429,
        )

    async def _users(self, ids: Iterable[int]) -> tuple[People, object]:
        return await read_users(self._sources, ids)

    async def _others(
        self, user: int, found: Any, others: Iterable[int | None]
    ) -> tuple[People, object]:
        """The user themselves, already read, and the others on their page."""
        users, read = await self._users(other for other in others if other is not None)
        if found is not None:
            users[user] = found
        return users, read


def _items(page: ViewPage[Any] | None) -> Sequence[Any]:
    return page.items if page is not None else ()


def _authors(threads: Iterable[ThreadView] = (), posts: Iterable[PostView] = ()) -> set[int]:
    ids = set[int]()
    for thread in threads:
        ids.add(thread.created_by)
        if thread.last_post_by is not None:
            ids.add(thread.last_post_by)
    for post in posts:
        ids.add(post.user)
        if post.edited_by is not None:
            ids.add(post.edited_by)
    return ids


def _answered(posts: Sequence[PostView], users: People) -> Mapping[int, Mapping[str, str | None]]:
    """By the id of each reply, the post that it answers: where that is, and if it is on the same
    page, who wrote it, and its beginning, unless the reply quotes it."""
    shown = {post.id: post for post in posts}
    found = {}
    for post in posts:
        if post.reply_to is None:
            continue
        place = f"#post-{post.reply_to}"
        answered = shown.get(post.reply_to)
        if answered is None:
            place = f"/threads/{post.thread}?from={post.reply_to}{place}"
        user = None if answered is None else users[answered.user]
        quotes = post.html.startswith("<blockquote")
        found[post.id] = {
            "href": place,
            "name": None if user is None else user.name,
            "said": None if answered is None or quotes else beginning(answered.html, _BEGINNING),
        }
    return found


def _user_tags(users: People) -> list[str]:
    return [f"user/{user}" for user in users]


def _with(place: str, **query: str | None) -> str:
    given = urlencode({name: value for name, value in query.items() if value is not None})
    if not given:
        return place
    return f"{place}{'&' if '?' in place else '?'}{given}"


def _next(place: str, page: ViewPage[Any] | None) -> str | None:
    if page is None or page.next is None:
        return None
    return _with(place, after=page.next)


def _previous(place: str, page: ViewPage[Any] | None) -> str | None:
    if page is None or page.previous is None:
        return None
    return _with(place, after=page.previous or None)
