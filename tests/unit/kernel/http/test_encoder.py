"""Rows as JSON: the same bytes as the documented model's."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from kernel.http.encoder import RowEncoder
from kernel.http.fields import Resource
from services.posts import bodies as posts_bodies
from services.posts.model import Post, RemovedPost
from services.threads import api as threads_api
from services.threads.model import Thread
from services.users import bodies
from services.users.model import User

IDS = st.integers(1, 2**63 - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
ZONES = st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45))])
TIMES = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=ZONES)  # noqa: DTZ001 - the strategy adds the zone

POSTS = st.builds(
    Post, IDS, IDS, IDS, TEXTS, TEXTS, st.none() | IDS, TIMES, st.none() | TIMES, st.none() | IDS
)
REMOVED_POSTS = st.builds(
    RemovedPost, IDS, IDS, IDS, TEXTS, TEXTS, st.none() | IDS, TIMES, st.none() | TIMES,
    st.none() | IDS, TIMES, st.none() | IDS, st.none() | TEXTS,
)  # fmt: skip
THREADS = st.builds(
    Thread, IDS, TEXTS, IDS, TIMES, st.none() | TIMES, IDS, IDS, IDS, st.none() | TIMES,
    st.none() | IDS, st.booleans(), st.booleans(),
)  # fmt: skip
USERS = st.builds(
    User, IDS, TEXTS, TEXTS, TEXTS, st.none() | TEXTS,
    st.sampled_from(["member", "moderator", "admin"]), TIMES,
)  # fmt: skip

ROWS = st.one_of(
    st.tuples(st.just(posts_bodies.Post), st.lists(POSTS, max_size=3)),
    st.tuples(st.just(threads_api.Thread), st.lists(THREADS, max_size=3)),
    st.tuples(st.just(bodies.User), st.lists(USERS, max_size=3)),
    st.tuples(st.just(posts_bodies.RemovedPost), st.lists(REMOVED_POSTS, max_size=3)),
)


@given(ROWS)
def test_rows_are_encoded_as_the_documented_model(
    of: tuple[type[Resource], list[Any]],
) -> None:
    resource, rows = of
    fields = type(rows[0])._fields if rows else list(resource.model_fields)
    encoder = RowEncoder(resource, fields)
    models = [resource.model_validate(row) for row in rows]
    assert encoder.many(rows) == TypeAdapter(list[resource]).dump_json(models, by_alias=True)  # type: ignore[valid-type]
    for row, model in zip(rows, models, strict=True):
        assert encoder.one(row) == model.model_dump_json().encode()


def test_rejects_a_field_that_it_cannot_write() -> None:
    class Odd(Resource):
        """A resource with a field of an unsupported type."""

        parts: list[int]

    with pytest.raises(TypeError, match="has no writer"):
        RowEncoder(Odd, ["parts"])
