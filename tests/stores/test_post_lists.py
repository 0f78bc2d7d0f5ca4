"""Lists of posts as JSON, which PostgreSQL writes."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernel.data.database import Database
from kernel.http.encoder import RowEncoder
from services.posts.bodies import Post as PostBody
from services.posts.model import Post
from services.posts.store import POST_COLUMNS, POST_JSON
from services.posts.stores.lists import AS_JSON, AS_POSTS, PostLists
from tests.databases import Databases
from tests.own_databases import new_database
from tests.unit.fakes import NOON

# PostgreSQL stores no NUL.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
IDS = st.integers(1, 2**63 - 1)
ZONES = st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45))])
TIMES = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=ZONES)  # noqa: DTZ001 - the strategy adds the zone
POSTS = st.tuples(
    IDS, IDS, IDS, TEXTS, TEXTS, st.none() | IDS, TIMES, st.none() | TIMES, st.none() | IDS
)

# As in the table, with the values of one post.
ROW = f"""
    SELECT {POST_COLUMNS}, {POST_JSON} AS json
    FROM (
        SELECT $1::bigint AS id, $2::bigint AS thread, $3::bigint AS author, $4::text AS text,
            $5::text AS html, $6::bigint AS reply_to, $7::timestamptz AS created_at,
            $8::timestamptz AS edited_at, $9::bigint AS edited_by, $8::timestamptz AS edited_by_at
    ) AS posts
"""  # noqa: S608 - constants


@given(values=POSTS)
@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_postgresql_writes_posts_as_the_documented_model(
    posts_database: Database, values: tuple[object, ...]
) -> None:
    row = await posts_database.row(ROW, *values)
    assert row is not None
    *columns, json = row
    post = Post._make(columns)
    assert json == RowEncoder(PostBody, Post._fields).one(post)
    assert json == PostBody.model_validate(post).model_dump_json().encode()


async def test_lists_have_the_same_pages_in_each_form(databases: Databases) -> None:
    async with Database.open(await new_database(databases, "posts")) as database:
        await database.rows(
            """
            INSERT INTO posts (thread, author, by_starter, text, html, created_at)
            SELECT n % 2 + 1, n % 3 + 1, false, repeat('"', n), '<p>' || n, $1
            FROM generate_series(1, 20) AS n
            """,
            NOON,
        )
        posts, json = PostLists(database, AS_POSTS), PostLists(database, AS_JSON)
        encoder = RowEncoder(PostBody, Post._fields)
        for made, written in (
            (await posts.newest(7, None), await json.newest(7, None)),
            (await posts.in_thread(1, 4, None), await json.in_thread(1, 4, None)),
            (await posts.by_user(2, 3, None), await json.by_user(2, 3, None)),
        ):
            assert written.items
            assert [post.json for post in written.items] == [*map(encoder.one, made.items)]
            assert written.next_cursor == made.next_cursor is not None
        newest = await json.newest_in_thread(2, 3)
        assert [post.json for post in newest] == [
            encoder.one(post) for post in await posts.newest_in_thread(2, 3)
        ]
