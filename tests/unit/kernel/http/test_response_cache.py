"""Which responses are cached, for whom, and for how long."""

import asyncio
import gzip

import brotli
import pytest
from starlette.types import Receive, Scope, Send

from kernel.calls import deadline
from kernel.errors import Unavailable
from kernel.http import problems
from kernel.http.conditional.response_cache import ResponseCache
from tests.unit.kernel.http.cached import Answer, Instance, no_body

LONG = b'[{"id":1,"text":"Is the water warm enough?"}]' * 40
HUGE = LONG * 100


def constant(body: bytes) -> Instance:
    return Instance(lambda _: body)


async def test_second_request_is_served_from_memory() -> None:
    instance = constant(b"[]")
    first, second = await instance.get("/shared/1"), await instance.get("/shared/1")
    assert instance.app.calls == 1
    assert (first.status, first.headers, first.body) == (second.status, second.headers, b"[]")
    assert first.headers[b"cache-control"] == b"no-cache"
    assert first.headers[b"vary"] == b"Accept-Encoding"


async def test_cache_key_includes_the_query() -> None:
    instance = constant(b"[]")
    await instance.get("/shared/1", b"limit=1")
    await instance.get("/shared/1", b"limit=2")
    assert instance.app.calls == 2


async def test_answer_of_an_operation_that_is_not_shared_is_never_stored() -> None:
    instance = constant(b"[]")
    for who in ("Bearer one", "Bearer two", "Bearer one"):
        answer = await instance.get("/me", authorization=who)
        assert answer.body == who.encode()
        assert b"vary" not in answer.headers
    assert instance.app.calls == 3


@pytest.mark.parametrize("field", [b"set-cookie", b"cache-control", b"vary"])
async def test_answer_with_its_own_cache_field_is_never_stored(field: bytes) -> None:
    instance = constant(b"[]")
    instance.app.fields = [(field, b"private")]
    for _ in range(2):
        answer = await instance.get("/shared/1")
        assert answer.headers[field] == b"private"
    assert instance.app.calls == 2


async def test_a_change_drops_the_answers_that_depend_on_it() -> None:
    instance = constant(b"[]")
    await instance.get("/shared/1")
    await instance.get("/shared/2")
    instance.changes.notify("thread/1")
    await instance.get("/shared/2")
    assert instance.app.calls == 2
    await instance.get("/shared/1")
    assert instance.app.calls == 3


async def test_nothing_is_served_or_stored_while_changes_do_not_arrive() -> None:
    instance = constant(b"[]")
    await instance.get("/shared/1")
    instance.feed.current = False
    for _ in range(3):
        await instance.get("/shared/1")
    assert instance.app.calls == 4
    instance.feed.current = True
    await instance.get("/shared/1")
    assert instance.app.calls == 5


async def test_answer_begun_before_a_change_is_sent_and_not_stored() -> None:
    instance = constant(b"[]")
    instance.app.release.clear()
    begun = asyncio.create_task(instance.get("/shared/1"))
    await asyncio.sleep(0)
    instance.changes.notify("thread/1")
    instance.app.release.set()
    assert (await begun).body == b"[]"
    await instance.get("/shared/1")
    assert instance.app.calls == 2


async def test_simultaneous_requests_are_computed_once() -> None:
    instance = constant(b"[]")
    instance.app.release.clear()
    tasks = [asyncio.create_task(instance.get("/shared/1")) for _ in range(50)]
    await asyncio.sleep(0)
    instance.app.release.set()
    assert {(await task).body for task in tasks} == {b"[]"}
    assert instance.app.calls == 1


async def test_request_after_a_change_does_not_wait_for_an_answer_begun_before() -> None:
    instance = constant(b"[]")
    instance.app.release.clear()
    before = asyncio.create_task(instance.get("/shared/1"))
    await asyncio.sleep(0)
    instance.changes.notify("thread/2")
    after = asyncio.create_task(instance.get("/shared/1"))
    await asyncio.sleep(0)
    instance.app.release.set()
    await asyncio.gather(before, after)
    assert instance.app.calls == 2


async def test_waiters_of_a_failed_request_send_their_own() -> None:
    def fail_once(_path: str) -> bytes:
        if instance.app.calls == 1:
            raise ConnectionError
        return b"[]"

    instance = Instance(fail_once)
    tasks = [asyncio.create_task(instance.get("/shared/1")) for _ in range(3)]
    failed, *answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(failed, ConnectionError)
    assert all(not isinstance(answer, BaseException) for answer in answers)


async def test_waiters_of_an_unavailable_response_do_not_wait_for_another_service_again() -> None:
    hanging = asyncio.Event()
    waited = 0

    async def call_another_service(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal waited
        if deadline.shortened(1.0) > 0:
            waited += 1
            await hanging.wait()
        await problems.response(Unavailable("Down."), scope["path"])(scope, receive, send)

    instance = constant(b"[]")
    cache = ResponseCache(call_another_service, [instance.changes], lambda _: True, 8_000_000)
    scope = {"type": "http", "method": "GET", "path": "/x", "query_string": b"", "headers": []}
    answers = [Answer() for _ in range(5)]
    tasks = [asyncio.create_task(cache({**scope}, no_body, each.send)) for each in answers]
    await asyncio.sleep(0)
    hanging.set()
    await asyncio.gather(*tasks)
    assert [answer.status for answer in answers] == [503] * 5
    assert waited == 1


@pytest.mark.parametrize("body", [LONG, HUGE])
async def test_each_encoding_has_a_tag_of_its_own_and_is_compressed_once(body: bytes) -> None:
    instance = constant(body)
    plain = await instance.get("/shared/1")
    zipped = await instance.get("/shared/1", accept_encoding="gzip")
    both = [instance.get("/shared/1", accept_encoding="gzip, br") for _ in range(2)]
    browser, again = await asyncio.gather(*both)
    assert (plain.body, gzip.decompress(zipped.body)) == (body, body)
    assert brotli.decompress(browser.body) == body
    assert again.body is browser.body
    assert b"content-encoding" not in plain.headers
    assert zipped.headers[b"content-encoding"] == b"gzip"
    assert browser.headers[b"content-encoding"] == b"br"
    tags = {answer.headers[b"etag"] for answer in (plain, zipped, browser)}
    assert len(tags) == 3
    for answer in (plain, zipped, browser):
        assert answer.headers[b"content-length"] == str(len(answer.body)).encode()
    assert instance.app.calls == 1


@pytest.mark.parametrize("encoding", ["gzip", "br", "identity"])
async def test_client_with_any_current_encoding_gets_a_304(encoding: str) -> None:
    instance = constant(LONG)
    tag = (await instance.get("/shared/1", accept_encoding=encoding)).headers[b"etag"].decode()
    for field in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        again = await instance.get("/shared/1", accept_encoding=encoding, if_none_match=field)
        assert (again.status, again.body) == (304, b"")
        assert again.headers[b"etag"].decode() == tag
        assert not {b"content-type", b"content-length"} & set(again.headers)
    other = await instance.get("/shared/1", accept_encoding=encoding, if_none_match='"x"')
    assert other.status == 200


async def test_capacity_of_zero_stores_nothing() -> None:
    instance = Instance(lambda _: b"[]", capacity=0)
    for _ in range(2):
        answer = await instance.get("/shared/1")
        assert (answer.body, answer.status) == (b"[]", 200)
    assert instance.app.calls == 2
