"""The audit finds each thing that can go wrong in a migration, and nothing in a good one."""

from collections.abc import Mapping
from typing import Any

import pytest

from strangle.audit import Auditor, Check, failed_requests, sentences, stale_reads, stream_problems
from strangle.history import GONE, History, Stream, WrittenPost
from strangle.load.client import Response
from tests.unit.strangle.histories import sample, seen


def test_response_that_is_not_as_expected_is_a_failed_request() -> None:
    history = History(samples=[sample(1.0), sample(2.0, problem="502 ", server="", status=502)])
    check = failed_requests(history)
    assert check.problems == ("1 times GET /api/posts at the gateway: 502 ",)
    assert failed_requests(History(samples=[sample(1.0)])).passed


@pytest.mark.parametrize(
    ("versions", "passed"),
    [
        ([(0.0, 1), (5.0, 1), (9.0, 2)], True),
        ([(0.0, 2), (1.9, 1), (5.0, 2)], True),  # within the bound
        ([(0.0, 2), (2.1, 1)], False),
        ([(0.0, 3), (1.0, 2), (2.5, 2)], False),
        ([(0.0, GONE), (3.0, 5)], False),
        ([(0.0, 5), (3.0, GONE), (9.0, GONE)], True),
        ([(3.0, 1), (0.0, 2)], False),  # in whichever order they were recorded
    ],
)
def test_older_version_after_a_newer_one_is_found(
    versions: list[tuple[float, int]], passed: bool
) -> None:
    history = History()
    for sent, version in versions:
        history.observe("post 1", seen(sent, version))
    history.observe("post 2", seen(9.0, 0))
    assert stale_reads(history, bound=2.0).passed == passed


def test_stale_read_names_both_servers() -> None:
    history = History()
    history.observe("post 1", seen(0.0, 2, "posts"))
    history.observe("post 1", seen(3.01, 1, "monolith"))
    assert stale_reads(history).problems == (
        "post 1: monolith answered with version 1, 3.0 s after posts had version 2",
    )


def stream(*ids: int, first: int = 0, posts: tuple[int, ...] = ()) -> Stream:
    return Stream(7, 0.0, [*ids], {*posts}, first)


@pytest.mark.parametrize(
    ("streams", "found"),
    [
        ([stream(1, 2, 3), stream(3, first=2), stream(first=3)], None),
        ([stream(1, 3), stream(1, 2, 3)], "1 events did not arrive, first 2"),
        ([stream(2, 3), stream(1, 2, 3)], "1 events did not arrive, first 1"),
        ([stream(1, 2), stream(1, 2, 3)], "1 events did not arrive, first 3"),
        ([stream(1, 2, 2, 3)], "an event arrived twice"),
        ([stream(2, 1, 3)], "an event arrived twice, or in another order"),
        ([Stream(7, 0.0)], "was never opened"),
        ([Stream(7, 0.0, first=0, problems=["it broke"])], "it broke"),
    ],
)
def test_gaps_and_repetitions_in_streams_are_found(
    streams: list[Stream], found: str | None
) -> None:
    problems = [*stream_problems(History(streams=streams))]
    assert (problems == []) if found is None else any(found in problem for problem in problems)


def test_post_that_a_stream_did_not_get_is_found() -> None:
    history = History(streams=[stream(1, 2, posts=(11,))])
    for post, at in ((10, 0.5), (11, 9.0), (12, 9.0), (13, 9.0)):
        history.posts[f"key {post}"] = WrittenPost(f"key {post}", 7, post, at, "")
    history.removed[13] = 9.5
    # The first was written while the stream was being opened, the last has been removed.
    assert [*stream_problems(history)] == ["stream 0 of thread 7: 1 posts did not arrive, first 12"]


class FakeClient:
    """Answers as a board with these posts and counts."""

    def __init__(self, posts: list[dict[str, Any]], counts: Mapping[int, int]) -> None:
        self._posts = posts
        self._counts = counts

    async def send(self, method: str, path: str, **_: object) -> Response:
        assert method == "GET"
        from_path = path.partition("?")[0].rpartition("/")[2]
        if path.startswith("/api/posts/in-thread/"):
            found: object = [post for post in self._posts if post["thread"] == int(from_path)]
        elif from_path == "threads":
            found = [{"id": 70, "title": "kept"}]
        else:
            found = {"postCount": self._counts[int(from_path)]}
        return FakeResponse(found)


class FakeResponse(Response):
    """A response with a JSON body."""

    def __init__(self, found: object) -> None:
        super().__init__(200, {}, b"")
        self._found = found

    def json(self) -> Any:
        return self._found


def post(number: int, text: str) -> dict[str, Any]:
    return {"id": number, "thread": 7, "text": text}


async def audited(
    history: History, posts: list[dict[str, Any]], count: int | None = None
) -> dict[str, Check]:
    counts = {7: len(posts) if count is None else count}
    auditor = Auditor(FakeClient(posts, counts), history, "token", settle=0.3)  # type: ignore[arg-type]  # a fake
    return {check.name: check for check in await auditor.stored()}


def written(*posts: tuple[int, str]) -> History:
    history = History()
    for number, text in posts:
        history.posts[f"key {number}"] = WrittenPost(f"key {number}", 7, number, 1.0, text)
    return history


async def test_board_with_everything_once_passes() -> None:
    history = written((1, "a"), (2, "b"))
    history.repeated.append(("key 1", 1, 1))
    history.threads["kept"] = 70
    checks = await audited(history, [post(1, "a"), post(2, "b"), post(9, "of somebody else")])
    assert all(check.passed for check in checks.values())


LOST, DOUBLED = "no acknowledged write is lost", "no write is there twice"


async def test_lost_post_and_lost_edit_and_lost_thread_are_found() -> None:
    history = written((1, "a"), (2, "edited"))
    history.threads |= {"kept": 70, "lost": 71}
    checks = await audited(history, [post(2, "b")])
    assert checks[LOST].problems == (
        "post 1 (key 1) was acknowledged, and is not there",
        "post 2 is 'b', and must be 'edited'",
        "thread 71 (lost) was acknowledged, and is not there",
    )


async def test_lost_removal_is_found() -> None:
    history = written((1, "a"))
    history.removed[1] = 2.0
    assert (await audited(history, []))[LOST].passed
    checks = await audited(history, [post(1, "a")])
    assert checks[LOST].problems == ("post 1 was removed, and is there",)


async def test_request_that_failed_may_have_been_carried_out_or_not() -> None:
    history = written((1, "a"), (2, "b"), (3, "c"))
    history.perhaps_removed |= {1, 2}
    history.posts["key 3"].attempted.add("edited")
    for stored in ([post(2, "b"), post(3, "edited")], [post(1, "a"), post(3, "c")]):
        assert (await audited(history, stored))[LOST].passed
    assert not (await audited(history, [post(3, "of another")]))[LOST].passed


async def test_post_that_is_there_twice_is_found() -> None:
    history = written((1, "a"), (2, "b"))
    history.repeated.append(("key 2", 2, 5))
    stored = [post(1, "a"), post(1, "a"), post(2, "b"), post(5, "b")]
    checks = await audited(history, stored)
    assert checks[DOUBLED].problems == (
        "post 1 is listed 2 times",
        "'a' was stored 2 times",
        "'b' was stored 2 times",
        "'key 2' was sent again and became post 5 beside 2",
    )


async def test_count_that_stays_wrong_is_found() -> None:
    checks = await audited(written((1, "a")), [post(1, "a")], count=0)
    assert checks["every post is counted"].problems == ("thread 7 shows 0 posts, and has 1",)


def test_sentences_show_some_problems_and_count_the_rest() -> None:
    checks = (Check("good", "3 things", ()), Check("bad", "9 things", tuple("abcdefg")))
    assert [*sentences(checks)] == [
        "✓ good (3 things)",
        "✗ bad (9 things)",
        *(f"    {problem}" for problem in "abcde"),
        "    and 2 more",
    ]
