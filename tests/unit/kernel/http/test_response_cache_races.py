"""Two processes on one database, each with a cache: no answer is older than the last notification
that its process has received, in any order of reads, writes, notifications and lost connections."""

import asyncio
import gzip
import json
from collections import deque

import brotli
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.unit.kernel.http.cached import Answer, Instance

THREADS = 2
CAPACITY = 25_000
some_thread = st.integers(1, THREADS)
some_instance = st.integers(0, 1)


class Process:
    """An instance, the notifications on their way to it, and the reads that it has begun."""

    def __init__(self, database: dict[int, int]) -> None:
        self.instance = Instance(lambda path: _read(database, path), capacity=CAPACITY)
        self.pending: deque[tuple[int, int]] = deque()
        self.reads: list[tuple[asyncio.Task[Answer], int, int]] = []
        self.heard = dict(database)

    def hand_on(self) -> None:
        """Deliver the next notification."""
        thread, version = self.pending.popleft()
        self.heard[thread] = version
        self.instance.changes.notify(f"thread/{thread}")


def _read(database: dict[int, int], path: str) -> bytes:
    thread = int(path.removeprefix("/shared/"))
    return json.dumps([thread, database[thread], "x" * (1500 if thread % 2 else 0)]).encode()


class CacheMachine(RuleBasedStateMachine):
    """Reads can be held between the database and the answer until a rule releases them."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.database = dict.fromkeys(range(1, THREADS + 1), 0)
        self.processes = [Process(self.database), Process(self.database)]

    def teardown(self) -> None:
        for process in self.processes:
            process.instance.app.release.set()
            for read in process.reads:
                self.loop.run_until_complete(read[0])
        self.loop.close()

    @rule(thread=some_thread, by=some_instance)
    def write(self, thread: int, by: int) -> None:
        """A write returns when its own process has been notified of it, or is not current."""
        self.database[thread] += 1
        for process in self.processes:
            if process.instance.feed.current:
                process.pending.append((thread, self.database[thread]))
        writer = self.processes[by]
        while writer.pending:
            writer.hand_on()

    @rule(at=some_instance)
    def hand_on(self, at: int) -> None:
        """A notification arrives."""
        if self.processes[at].pending:
            self.processes[at].hand_on()

    @rule(at=some_instance)
    def lose(self, at: int) -> None:
        """The listener's connection breaks, and the notifications on their way are lost."""
        self.processes[at].instance.feed.current = False
        self.processes[at].pending.clear()

    @rule(at=some_instance)
    def listen_again(self, at: int) -> None:
        """The listener connects."""
        process = self.processes[at]
        if not process.instance.feed.current:
            process.instance.changes.notify("")
            process.instance.feed.current = True
            process.heard = dict(self.database)

    @rule(at=some_instance, anything=st.sampled_from(["*", "mood/7", "thread/1 thread/x"]))
    def hear_what_cannot_be_read(self, at: int, anything: str) -> None:
        """A notification of another version of the board arrives."""
        self.processes[at].instance.changes.notify(anything)

    @rule(at=some_instance, held=st.booleans())
    def hold(self, at: int, held: bool) -> None:
        """Hold the reads before they are answered, or release them."""
        release = self.processes[at].instance.app.release
        if held:
            release.clear()
        else:
            release.set()
            self._run()
            self._check_answered()

    @rule(
        at=some_instance,
        thread=some_thread,
        encoding=st.sampled_from(["", "gzip", "br"]),
    )
    def read(self, at: int, thread: int, encoding: str) -> None:
        """Read a thread. The answer may be as old as the process's last notification; if the
        process does not listen, it must be the database's current version."""
        process = self.processes[at]
        current = process.instance.feed.current
        oldest = (process.heard if current else self.database)[thread]
        reading = process.instance.get(f"/shared/{thread}", accept_encoding=encoding)
        process.reads.append((self.loop.create_task(reading), thread, oldest))
        self._run()
        self._check_answered()

    @rule(by=some_instance, at=some_instance, thread=some_thread)
    def write_and_read(self, by: int, at: int, thread: int) -> None:
        """Write, and read right after."""
        self.write(thread, by)
        self.read(at, thread, "")

    @rule(
        at=some_instance,
        by=some_instance,
        thread=some_thread,
        lost=st.booleans(),
        again=st.booleans(),
    )
    def write_during_a_read(self, at: int, by: int, thread: int, lost: bool, again: bool) -> None:
        """Write between a read of the database and its answer, and read then."""
        self.processes[at].instance.changes.notify(f"thread/{thread}")
        self.hold(at, True)
        self.read(at, thread, "")
        if lost:
            self.lose(at)
        self.write(thread, by)
        if lost:
            self.listen_again(at)
        if again:
            self.read(at, thread, "")
        self.hold(at, False)
        self.read(at, thread, "")

    @rule(at=some_instance, who=st.sampled_from(["one", "two"]))
    def read_personal(self, at: int, who: str) -> None:
        """Read a personal page."""
        process = self.processes[at]
        if process.instance.app.release.is_set():
            answer = self.loop.run_until_complete(process.instance.get("/me", authorization=who))
            assert answer.body == who.encode()

    @invariant()
    def memory_is_bounded(self) -> None:
        """The entries' size stays within the limit."""
        for process in self.processes:
            [size] = [
                sample.value
                for metric in process.instance.cache.collect()
                for sample in metric.samples
                if metric.name == "board_cache_bytes"
            ]
            assert size <= CAPACITY

    def _run(self) -> None:
        for _ in range(8):
            self.loop.run_until_complete(asyncio.sleep(0))

    def _check_answered(self) -> None:
        for process in self.processes:
            for read in [read for read in process.reads if read[0].done()]:
                process.reads.remove(read)
                task, thread, oldest = read
                answer = task.result()
                found, version = _shown(answer)
                assert found == thread
                assert version >= oldest, f"{version} of {thread} is older than {oldest}"


def _shown(answer: Answer) -> tuple[int, int]:
    body = answer.body
    match answer.headers.get(b"content-encoding"):
        case b"gzip":
            body = gzip.decompress(body)
        case b"br":
            body = brotli.decompress(body)
        case _:
            pass
    thread, version, _ = json.loads(body)
    return thread, version


TestCache = CacheMachine.TestCase
TestCache.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
