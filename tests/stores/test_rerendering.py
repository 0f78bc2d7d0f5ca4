"""Posts whose HTML was made by older rules are rendered again while others write."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from board.bootstrap import bootstrap
from board.migrate import migrate
from kernel.data.database import Database
from kernel.errors import FieldError, Invalid, Unavailable
from services.posts.markup.footnote_ids import note_id
from services.posts.markup.rerendering import Rerenderer
from services.posts.model import MARKUP
from tests.databases import Databases

NOW = datetime(2026, 11, 23, 8, 3, tzinfo=UTC)

# As the previous version wrote it, without the version of the rules.
OLD_WRITE = """
    INSERT INTO posts (thread, author, by_starter, text, html, created_at)
    VALUES (1, 1, true, $1, 'old ' || $1, $2) RETURNING id
"""
OLD_EDIT = "UPDATE posts SET text = $2, html = 'old ' || $2, edited_at = $3 WHERE id = $1"
NEW_EDIT = """
    UPDATE posts SET text = $2, html = 'edited', edited_at = $3, markup = $4, rendered_at = $3
    WHERE id = $1
"""


@pytest_asyncio.fixture
async def database(databases: Databases) -> AsyncIterator[Database]:
    """An empty database of posts, which no process of a board uses."""
    urls = {"posts": databases.server.url("rendered_posts", "posts", "posts-secret")}
    async with Database.open(databases.server.admin_url) as admin:
        await admin.rows("DROP DATABASE IF EXISTS rendered_posts")
    await bootstrap(databases.server.admin_url, urls)
    await migrate(urls)
    async with Database.open(urls["posts"]) as opened:
        yield opened


async def write(database: Database, text: str) -> int:
    """Write a post as the previous version did."""
    row = await database.row(OLD_WRITE, text, NOW)
    assert row is not None
    number: int = row["id"]
    return number


async def html_of(database: Database) -> list[str]:
    """The HTML of all posts, oldest first."""
    return [row["html"] for row in await database.rows("SELECT html FROM posts ORDER BY id")]


async def render(text: str, _: int) -> str:
    """Render by the current rules."""
    return f"new {text}"


async def test_posts_of_older_rules_are_rendered_again_in_batches(database: Database) -> None:
    for number in range(60):
        await write(database, str(number))
    rerenderer = Rerenderer(database, render)
    assert [await rerenderer.render_batch() for _ in range(3)] == [50, 10, 0]
    assert await html_of(database) == [f"new {number}" for number in range(60)]


async def test_post_that_the_version_before_edits_is_rendered_again(database: Database) -> None:
    post = await write(database, "a")
    rerenderer = Rerenderer(database, render)
    assert await rerenderer.render_batch() == 1
    await database.rows(OLD_EDIT, post, "b", NOW + timedelta(seconds=1))
    assert await rerenderer.render_batch() == 1
    assert await html_of(database) == ["new b"]


@pytest.mark.parametrize("later", [timedelta(0), timedelta(seconds=1)])
async def test_edit_during_rendering_neither_waits_nor_is_lost(
    database: Database, later: timedelta
) -> None:
    first, second = await write(database, "a"), await write(database, "b")

    async def edit_meanwhile(text: str, _: int) -> str:
        if text == "a":
            async with database.transaction() as connection:
                await connection.execute("SET LOCAL lock_timeout = '1s'")
                for post in (first, second):
                    await connection.execute(NEW_EDIT, post, "c", NOW + later, MARKUP)
        return f"new {text}"

    assert await Rerenderer(database, edit_meanwhile).render_batch() == 0
    assert await html_of(database) == ["edited", "edited"]


async def test_post_that_somebody_is_changing_is_left_for_later(database: Database) -> None:
    await write(database, "a")
    locked = await write(database, "b")
    rerenderer = Rerenderer(database, render)
    async with database.transaction() as connection:
        await connection.execute("SELECT FROM posts WHERE id = $1 FOR UPDATE", locked)
        assert await rerenderer.render_batch() == 1
        assert await html_of(database) == ["new a", "old b"]
    assert await rerenderer.render_batch() == 1
    assert await html_of(database) == ["new a", "new b"]


async def test_one_process_at_a_time_renders_again(database: Database) -> None:
    await write(database, "a")
    rerenderer = Rerenderer(database, render)
    others: list[int] = []

    async def ask_another(text: str, user: int) -> str:
        others.append(await rerenderer.render_batch())
        return await render(text, user)

    assert await Rerenderer(database, ask_another).render_batch() == 1
    assert others == [0]


async def test_footnotes_of_posts_that_are_rendered_again_get_ids_of_their_post(
    database: Database,
) -> None:
    posts = [await write(database, text) for text in ("a", "b")]

    async def with_note(_: str, __: int) -> str:
        return f'<li id="{note_id(1)}">'

    assert await Rerenderer(database, with_note).render_batch() == 2
    assert await html_of(database) == [f'<li id="fn-{post}-1">' for post in posts]


async def refused(_: str, __: int) -> str:
    raise Invalid(FieldError("/text", "This text shows nothing."))


async def defective(_: str, __: int) -> str:
    raise RuntimeError("a defect")


async def test_text_that_is_no_longer_allowed_is_shown_as_it_was_written(
    database: Database,
) -> None:
    await write(database, '[a]: <b> & "c"')
    assert await Rerenderer(database, refused).render_batch() == 1
    assert await html_of(database) == ['<pre>[a]: &lt;b&gt; &amp; "c"</pre>\n']


async def test_post_whose_rendering_fails_does_not_stop_the_others(database: Database) -> None:
    await write(database, "a")
    assert await Rerenderer(database, defective).render_batch() == 1
    assert await html_of(database) == ["old a"]
    assert await Rerenderer(database, render).render_batch() == 0


async def test_nothing_is_stored_while_nothing_can_be_rendered(database: Database) -> None:
    await write(database, "a")

    async def busy(_: str, __: int) -> str:
        raise Unavailable("Too many texts are being rendered.")

    with pytest.raises(Unavailable):
        await Rerenderer(database, busy).render_batch()
    assert await html_of(database) == ["old a"]
    assert await Rerenderer(database, render).render_batch() == 1


async def test_index_has_the_posts_of_all_rules_but_those_in_force(database: Database) -> None:
    row = await database.row("SELECT indexdef FROM pg_indexes WHERE indexname = 'posts_to_render'")
    assert row is not None
    assert f"markup IS DISTINCT FROM {MARKUP})" in row["indexdef"].replace("::smallint", "")
