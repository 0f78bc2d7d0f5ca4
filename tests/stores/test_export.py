"""An export has everything of a person that any table of any context stores.

The test looks at all tables and all columns, so a new one is covered as soon as it exists: a column
with a value of the person, or of a row of theirs, must be in the export or in `LEFT_OUT`.
"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from kernel.data.database import LARGEST_ID
from kernel.data.paging import Cursor
from kernel.errors import MalformedRequest
from kernel.export.export import Export, Row
from tests.databases import Databases
from tests.stores.person import (
    ID,
    TRACES,
    WITHOUT_PEOPLE,
    Board,
    cells,
    live,
    running_board,
    spellings,
    traces,
)  # fmt: skip

SECRET = "nobody can use it, and anybody who has it could sign in or try passwords"
DERIVED = "made of another column, which is exported"
RESPONSE = "the response to a request, whose content is in other tables"
OF_OTHERS = "what they did as a moderator is about others, and in the moderation log"
HIDDEN = "which moderator did it is not theirs to know"

LEFT_OUT = {
    "users.users.password_hash": SECRET,
    "users.sessions.token_hash": SECRET,
    "users.password_resets.token_hash": SECRET,
    "users.password_resets.issued_by": HIDDEN,
    "users.bans.banned_by": HIDDEN,
    "users.sign_in_attempts.name": "a hash of the username",
    "users.known_addresses.name": "a hash of the username",
    "posts.posts.html": DERIVED,
    "posts.posts.search": DERIVED,
    "posts.posts.indexed_at": DERIVED,
    "posts.posts.removed_by": HIDDEN,
    "threads.threads.search": DERIVED,
    "threads.threads.indexed_at": DERIVED,
    "cases.cases.author": "who has reported their posts is not theirs to know",
    "cases.cases.assignee": OF_OTHERS,
    "cases.decisions.decided_by": OF_OTHERS,
    "cases.history.by": OF_OTHERS,
    **{f"{context}.moderation_log.moderator": HIDDEN for context in ("users", "threads", "posts",
                                                                    "cases")},
    **{f"{context}.moderation_log.key": "a number of the board's own" for context in (
        "users", "threads", "posts", "cases")},
    **{f"{context}.idempotency_keys.{column}": RESPONSE for context in ("users", "threads", "posts",
                                                                       "cases")
       for column in ("digest", "headers", "body")},
}  # fmt: skip
"""The columns that are not exported, and why. In a table that is exported, all others are."""


def exports(board: Board) -> dict[str, Export]:
    """The export of each context."""
    return {
        "users": board.users.export,
        "threads": board.threads.export,
        "posts": board.posts.export,
        "cases": board.cases.export,
    }


async def every_row(export: Export, user: int, limit: int) -> AsyncIterator[Row]:
    """All rows, from pages of this size."""
    after = None
    while True:
        page = await export.of_user(user, limit, after)
        assert len(page.items) <= limit
        for row in page.items:
            yield row
        after = page.next_cursor
        if after is None:
            return


@pytest_asyncio.fixture(scope="module")
async def board(databases: Databases) -> AsyncIterator[Board]:
    """A board on which the person has done everything."""
    async with running_board(databases) as made:
        await live(made)
        yield made


async def test_export_has_everything_that_is_stored_of_the_person(board: Board) -> None:
    stored = await cells(board.urls)
    exported: dict[str, list[str]] = {}
    for context, export in exports(board).items():
        rows = [row async for row in every_row(export, ID, 100)]
        assert [row async for row in every_row(export, ID, 1)] == rows
        for row in rows:
            for column, value in row.row.items():
                name = f"{context}.{row.table}.{column}"
                exported.setdefault(name, []).extend(spellings(value))
    about = {column for column, _ in traces(stored)}
    assert about - LEFT_OUT.keys() - exported.keys() == set()
    assert not LEFT_OUT.keys() & exported.keys()
    tables = {column.rpartition(".")[0] for column in exported}
    of_exported_tables = {column for column in stored if column.rpartition(".")[0] in tables}
    assert of_exported_tables - LEFT_OUT.keys() == exported.keys()
    assert not tables & WITHOUT_PEOPLE
    # What is left out exists, and so do the values of the person that the test looks for.
    assert LEFT_OUT.keys() <= stored.keys()
    found = {kind for _, kind in traces(exported)}
    assert found == {*TRACES, "id"} - {"hash of the username", "password"}


async def test_export_has_nothing_of_others(board: Board) -> None:
    for context, export in exports(board).items():
        rows = [row async for row in every_row(export, ID, 100)]
        text = " ".join(str(row.row) for row in rows)
        for theirs in ("Marit", "Otto", "Sold pans", "Buy pans", "Brioche", "Is it done"):
            assert theirs not in text, f"{theirs} in {context}"
        assert [row async for row in every_row(export, ID + 1_000, 100)] == []


async def test_cursor_of_another_list_is_refused(board: Board) -> None:
    for export in exports(board).values():
        for keys in ((-1, 0, 0), (1, -1, 0), (1, 0, -1)):
            with pytest.raises(MalformedRequest):
                await export.of_user(ID, 20, Cursor(f"export-of-{ID}", keys).encode())
        with pytest.raises(MalformedRequest):
            await export.of_user(ID + 1, 20, Cursor(f"export-of-{ID}", (0, 0, 0)).encode())


async def test_any_position_in_a_cursor_is_that_of_a_page(board: Board) -> None:
    for export in exports(board).values():
        for part in range(12):
            after = Cursor(f"export-of-{ID + 1_000}", (part, LARGEST_ID, LARGEST_ID)).encode()
            assert list((await export.of_user(ID + 1_000, 20, after)).items) == []
