"""Backups: everything comes back, and nothing else happens."""

import asyncio
import json
import logging
import os
import re
import stat
import sys
import zipfile
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio

from board.backups.archive import Archive
from board.backups.backup import backup
from board.backups.restore import restore
from board.bootstrap import bootstrap
from board.migrate import migrate
from board.swap import STAGING, connected, mark_complete, swap
from board.version import VERSION
from tests.databases import Databases, prepare, running_server
from tests.deployments import ROOT, Board, behind_gateway, monolith_in_loop
from tests.eventually import eventually
from tests.pages import every_page, next_page
from tests.people import Person, joining, moderating, visiting
from topology.contexts import CONTEXT_NAMES, CONTEXTS

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
WORD = "sourdough"


@pytest.fixture(scope="module")
def other_server() -> Iterator[Databases]:
    """A second PostgreSQL, which starts empty."""
    with running_server() as made:
        yield made


@pytest_asyncio.fixture(scope="module")
async def source() -> AsyncIterator[Databases]:
    """A PostgreSQL with the databases of a board of its own."""
    with running_server() as made:
        await prepare(made)
        yield made


@pytest_asyncio.fixture
async def target(other_server: Databases) -> Databases:
    """The databases of a board without any content or tables."""
    admin = await asyncpg.connect(other_server.server.admin_url)
    for context in CONTEXT_NAMES:
        await admin.execute(f"DROP DATABASE IF EXISTS {context} WITH (FORCE)")
    await admin.close()
    await bootstrap(other_server.server.admin_url, other_server.urls)
    return other_server


@pytest_asyncio.fixture(scope="module")
async def templates(other_server: Databases) -> Mapping[str, str]:
    """Migrated databases on the other server, by context: copying one is faster than migrating."""
    names = {context: f"{context}_template" for context in CONTEXT_NAMES}
    urls = {
        context: other_server.server.url(name, context, f"{context}-secret")
        for context, name in names.items()
    }
    await bootstrap(other_server.server.admin_url, urls)
    await migrate(urls)
    return names


@pytest_asyncio.fixture
async def migrated(other_server: Databases, templates: Mapping[str, str]) -> Databases:
    """The databases of a board without any content."""
    admin = await asyncpg.connect(other_server.server.admin_url)
    for context, template in templates.items():
        await admin.execute(f"DROP DATABASE IF EXISTS {context} WITH (FORCE)")
        await admin.execute(
            f"CREATE DATABASE {context} OWNER {context} TEMPLATE {template} STRATEGY FILE_COPY"
        )
    await admin.close()
    return other_server


@asynccontextmanager
async def board_on(databases: Databases) -> AsyncIterator[Board]:
    """The monolith on these databases."""
    async with (
        monolith_in_loop(databases.urls) as origins,
        behind_gateway(origins, databases.urls) as board,
    ):
        yield board


async def fill(person: Person, moderator: Person) -> None:
    """Something of everything."""
    thread = (await person.start_thread(f"About {WORD}"))["id"]
    posts = [await person.write(thread, f"{WORD} “{number}” \\N\t*b*") for number in range(25)]
    reply = {"thread": thread, "text": f"Yes, {WORD}", "replyTo": posts[0]["id"]}
    assert (await moderator.http.post("/api/posts", json=reply)).status_code == 201
    edit = await person.http.patch(
        f"/api/posts/{posts[1]['id']}", json={"text": "edited"}, headers={"If-Match": "*"}
    )
    assert edit.status_code == 200
    removal = await moderator.http.put(
        f"/api/posts/{posts[2]['id']}/removal", json={"reason": "Not about bread"}
    )
    assert removal.status_code == 204
    report = {"post": posts[3]["id"], "reason": "spam"}
    assert (await moderator.http.post("/api/cases", json=report)).status_code < 300


async def settled(databases: Databases) -> None:
    """Wait until threads has received all activity, and all texts are searchable."""
    connection = await asyncpg.connect(databases.urls["posts"])

    async def delivered() -> bool:
        left = await connection.fetchval(
            "SELECT count(*) FROM thread_activity WHERE version > delivered"
        )
        return bool(left == 0)

    await eventually(delivered, within=20)
    await connection.close()


async def every_answer(people: list[httpx.AsyncClient]) -> dict[str, object]:
    """The status, validator, links and bytes of every GET operation of the API, of each of the
    first things that it is about and of each page, as each of these clients sees it."""
    answers: dict[str, object] = {}
    for context in CONTEXTS:
        document = (await people[0].get(f"/api/{context.name}/openapi.json")).json()
        for template, operations in document["paths"].items():
            content = str(operations.get("get", {}).get("responses", {}))
            if "get" not in operations or "text/event-stream" in content:
                continue
            for number in range(1, 4) if "{" in template else (1,):
                first: str | None = re.sub(r"\{\w+\}", str(number), template)
                if template.endswith("/search"):
                    first = f"{first}?q={WORD}"
                for index, http in enumerate(people):
                    path = first
                    while path is not None:
                        answer = await http.get(path)
                        answers[f"{index} {path}"] = (
                            answer.status_code, answer.headers.get("etag"),
                            answer.headers.get("link"), answer.content,
                        )  # fmt: skip
                        path = next_page(answer) if answer.status_code == 200 else None
    return answers


def without_request(answers: Mapping[str, object]) -> Mapping[str, object]:
    """The answers that are not problems: those name the request that they answer."""
    return {path: answer for path, answer in answers.items() if answer[0] == 200}  # type: ignore[index]


@asynccontextmanager
async def as_before(board: Board, people: list[Person]) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Clients of a board with the sessions that these people have on another."""
    async with visiting(board) as visitor, visiting(board) as one, visiting(board) as two:
        for http, person in zip((one, two), people, strict=True):
            http.headers["Authorization"] = f"Bearer {person.token}"
        yield [visitor, one, two]


async def test_restored_board_gives_identical_answers(
    source: Databases, target: Databases, tmp_path: Path
) -> None:
    file = tmp_path / "board.zip"
    async with board_on(source) as board, joining(board) as person, moderating(board) as moderator:
        await fill(person, moderator)
        await settled(source)
        people = [person, moderator]
        async with as_before(board, people) as clients:
            before = without_request(await every_answer(clients))
            await backup(source.urls, str(file), NOON)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    await restore(target.urls, file, replace=False)
    async with board_on(target) as board, as_before(board, people) as clients:
        after = without_request(await every_answer(clients))
        assert len(before) > 60
        assert after.keys() == before.keys()
        for path, answer in before.items():
            assert after[path] == answer, path
        last = max(int(n) for n in re.findall(r"/posts/(\d+)", " ".join(before)))
        written = await clients[1].post("/api/posts", json={"thread": 1, "text": "And on."})
        assert written.status_code == 201
        assert written.json()["id"] > last


async def test_backup_under_load_is_one_moment_of_all_contexts(
    source: Databases, target: Databases, tmp_path: Path
) -> None:
    file = tmp_path / "board.zip"
    acknowledged: list[int] = []
    stop = asyncio.Event()

    async with board_on(source) as board:

        async def write() -> None:
            async with joining(board) as person:
                while not stop.is_set():
                    thread = (await person.start_thread())["id"]
                    acknowledged.append((await person.write(thread))["id"])

        async with asyncio.TaskGroup() as writing:
            for _ in range(4):
                writing.create_task(write())

            async def written(number: int) -> bool:
                return len(acknowledged) >= number

            await eventually(lambda: written(20), within=30)
            wanted = list(acknowledged)
            await backup(source.urls, str(file), NOON)
            later = len(acknowledged) + 5
            await eventually(lambda: written(later), within=30)
            stop.set()
    await restore(target.urls, file, replace=False)
    async with board_on(target) as board, visiting(board) as http:
        await settled(target)
        users = await rows(target, "users", "SELECT id FROM users")
        threads = await rows(target, "threads", "SELECT id, created_by FROM threads")
        posts = await rows(target, "posts", "SELECT id, thread, author FROM posts ORDER BY id")
        assert not set(wanted) - {post["id"] for post in posts}
        assert len(posts) < len(wanted) + len(acknowledged)
        assert {post["thread"] for post in posts} <= {thread["id"] for thread in threads}
        authors = {post["author"] for post in posts} | {one["created_by"] for one in threads}
        assert authors <= {user["id"] for user in users}
        counts: dict[int, int] = {}
        async for page in every_page(http, "/api/threads?limit=100"):
            counts |= {thread["id"]: thread["postCount"] for thread in page}
        removed = await rows(target, "posts", "SELECT id FROM posts WHERE removed_at IS NOT NULL")
        assert sum(counts.values()) == len(posts) - len(removed)


async def rows(databases: Databases, context: str, query: str) -> list[asyncpg.Record]:
    """The rows of a query in a context's database."""
    connection = await asyncpg.connect(databases.urls[context])
    try:
        found: list[asyncpg.Record] = await connection.fetch(query)
        return found
    finally:
        await connection.close()


async def register(databases: Databases) -> None:
    """Write a user who is called somebody, as the board does."""
    await rows(
        databases,
        "users",
        "INSERT INTO users (username, name, bio, password_hash, created_at) "
        "VALUES ('somebody', '', '', '', now())",
    )


async def names(databases: Databases) -> list[str]:
    """The users' names, in the order of their ids."""
    found = await rows(databases, "users", "SELECT username FROM users ORDER BY id")
    return [row["username"] for row in found]


@pytest_asyncio.fixture
async def saved(source: Databases, tmp_path: Path) -> Path:
    """A backup."""
    path = tmp_path / "saved.zip"
    await backup(source.urls, str(path), NOON)
    return path


def changed(path: Path, **values: object) -> Path:
    """A backup whose manifest has other values for posts, and the right checksum."""

    def change(manifest: dict[str, Any]) -> None:
        manifest["contexts"]["posts"] |= values

    return with_manifest(path, change)


def without_version(manifest: dict[str, Any]) -> None:
    """Remove the version."""
    del manifest["version"]


def with_manifest(path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """A backup whose manifest was changed, and that has the right checksum."""
    other = path.with_name("changed.zip")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(other, "w") as new:
        manifest = json.loads(old.read("manifest.json"))
        change(manifest)
        text = json.dumps(manifest).encode()
        for name in old.namelist():
            if not name.startswith("manifest"):
                new.writestr(name, old.read(name))
        new.writestr("manifest.json", text)
        new.writestr("manifest.sha256", sha256(text).hexdigest())
    return other


def members(path: Path) -> Mapping[str, bytes]:
    """The content of each file in an archive."""
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def test_refuses_a_damaged_file(saved: Path) -> None:
    content, intact = saved.read_bytes(), members(saved)
    refused = 0
    for position in range(30, len(content), max(1, len(content) // 500)):
        damaged = saved.with_name("damaged.zip")
        flipped = bytes([content[position] ^ 0x10])
        damaged.write_bytes(content[:position] + flipped + content[position + 1 :])
        try:
            Archive.read(damaged)
        except ValueError:
            refused += 1
        else:
            assert members(damaged) == intact, "the bit was in what nobody reads, such as a date"
    assert refused > 250


def test_refuses_a_file_with_a_position_before_its_beginning(saved: Path) -> None:
    content = saved.read_bytes()
    position = int.from_bytes(content[-6:-2], "little")  # of the directory of the ZIP
    saved.write_bytes(content[:-6] + (position + 1_000_000).to_bytes(4, "little") + content[-2:])
    with pytest.raises(ValueError, match="is damaged"):
        Archive.read(saved)


def test_refuses_part_of_a_file(saved: Path) -> None:
    content = saved.read_bytes()
    for length in (0, 1, len(content) // 2, len(content) - 1):
        saved.write_bytes(content[:length])
        with pytest.raises(ValueError, match="no complete backup"):
            Archive.read(saved)


async def test_refuses_a_newer_schema(saved: Path, target: Databases) -> None:
    message = rf"The backup \(version {re.escape(VERSION)}\) of posts is at migration 9999"
    with pytest.raises(ValueError, match=message):
        await restore(target.urls, changed(saved, revision="9999"), replace=True)


async def test_refuses_tables_that_its_migration_does_not_have(
    saved: Path, target: Databases
) -> None:
    with pytest.raises(ValueError, match="tables of posts are not those"):
        await restore(target.urls, changed(saved, revision="0001"), replace=True)


async def test_refuses_a_board_in_use(saved: Path, migrated: Databases) -> None:
    await register(migrated)
    with pytest.raises(ValueError, match=r"not empty.*REPLACE=1"):
        await restore(migrated.urls, saved, replace=False)
    async with asyncpg.create_pool(migrated.urls["posts"], min_size=1):
        with pytest.raises(ValueError, match="stop the board first"):
            await restore(migrated.urls, saved, replace=True)
    assert await names(migrated) == ["somebody"]


async def test_connection_that_is_being_closed_does_not_refuse_a_restore(
    saved: Path, source: Databases, migrated: Databases
) -> None:
    open_one = await asyncpg.connect(migrated.urls["posts"])
    restoring = asyncio.create_task(restore(migrated.urls, saved, replace=True))

    async def locked() -> bool:
        return bool(
            await open_one.fetchval(
                "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory')"
            )
        )

    await eventually(locked)
    await open_one.close()
    await restoring
    assert await names(migrated) == await names(source)


async def test_refuses_to_overwrite_a_file(saved: Path, source: Databases) -> None:
    with pytest.raises(ValueError, match="exists already"):
        await backup(source.urls, str(saved), NOON + timedelta(days=1))
    assert Archive.read(saved).manifest.taken_at == NOON.isoformat()
    assert os.listdir(saved.parent) == [saved.name]  # noqa: PTH208


async def board(
    databases: Databases, *words: str, folder: Path, content: bytes = b""
) -> tuple[bytes, str]:
    """The standard output and the errors of `python -m board ...`, which must succeed. `content`
    is its standard input, and `folder` has its temporary files."""
    urls = {f"{name.upper()}_DATABASE_URL": databases.urls[name] for name in CONTEXT_NAMES}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "board", *words,
        cwd=ROOT, env={**os.environ, **urls, "TMPDIR": str(folder)},
        stdin=PIPE, stdout=PIPE, stderr=PIPE,
    )  # fmt: skip
    output, errors = await process.communicate(content)
    assert process.returncode == 0, errors
    return output, errors.decode()


async def test_backup_passes_through_the_standard_output_and_input(
    source: Databases, migrated: Databases, tmp_path: Path
) -> None:
    content, _ = await board(source, "backup", "-", folder=tmp_path)
    output, _ = await board(migrated, "restore", "-", folder=tmp_path, content=content)
    assert f"written by version {VERSION}" in output.decode()
    assert await names(migrated) == await names(source)
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - nothing waits for it


async def test_backup_of_before_versions_were_recorded_is_restored(
    saved: Path, source: Databases, migrated: Databases, caplog: pytest.LogCaptureFixture
) -> None:
    assert Archive.read(saved).manifest.version == VERSION
    caplog.set_level(logging.INFO, "board.restore")
    await restore(migrated.urls, with_manifest(saved, without_version), replace=False)
    assert await names(migrated) == await names(source)
    assert "written by an unknown version" in caplog.text


@pytest.mark.parametrize("context", [CONTEXT_NAMES[0], CONTEXT_NAMES[-1]])
async def test_killed_restore_changes_nothing(
    context: str, saved: Path, source: Databases, migrated: Databases
) -> None:
    await register(migrated)
    told = {f"{name.upper()}_DATABASE_URL": migrated.urls[name] for name in CONTEXT_NAMES}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "board", "restore", str(saved), "--replace",
        cwd=ROOT, env={**os.environ, **told},
    )  # fmt: skip

    # A restore refuses databases that have connections with any other name.
    async with connected(migrated.urls[context]) as watching:

        async def begun() -> bool:
            return bool(await watching.fetchval(f"SELECT to_regnamespace('{STAGING}') IS NOT NULL"))

        await eventually(begun, within=20)
        process.kill()
        await process.wait()
    assert await names(migrated) == ["somebody"]
    await migrate(migrated.urls)
    assert await names(migrated) == ["somebody"]
    await restore(migrated.urls, saved, replace=True)
    assert await names(migrated) == await names(source)


async def test_restore_that_was_killed_while_it_swapped_is_finished_by_migrate(
    source: Databases, saved: Path, migrated: Databases
) -> None:
    await restore(migrated.urls, saved, replace=False)
    for context in CONTEXT_NAMES:
        await rows(migrated, context, f"ALTER SCHEMA public RENAME TO {STAGING}")
        await rows(migrated, context, "CREATE SCHEMA public")
        connection = await asyncpg.connect(migrated.urls[context])
        await mark_complete(connection, "0123")
        await connection.close()
    await migrate(migrated.urls)
    assert await names(migrated) == [], "no schema was swapped: nothing to finish"
    await swap({"users": migrated.urls["users"]})
    await migrate(migrated.urls)
    posts = "SELECT id, html FROM posts ORDER BY id"
    assert await rows(migrated, "posts", posts) == await rows(source, "posts", posts)
    assert await names(migrated) == await names(source)
