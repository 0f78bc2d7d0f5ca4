"""What of an HTTP/2 client's request reaches a target, and what never does."""

import asyncio

import pytest
from h2.errors import ErrorCodes

from tests.unit.gateway.browser import Browser, Front
from tests.unit.gateway.support import OK, Visit, until


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
async def test_a_content_length_without_a_body_reaches_no_target(front: Front, method: str) -> None:
    target = await front.bench.target()
    browser = await front.browser()
    number = browser.ask("/attack", ("content-length", "70"), method=method)
    assert (await browser.reply(number)).reset == ErrorCodes.PROTOCOL_ERROR
    assert (await browser.reply(browser.ask("/next"))).body == b"ok"
    assert [visit.request_line for visit in target.visits] == [b"GET /next HTTP/1.1"]


@pytest.mark.parametrize("sent", [b"", b"ab"])
async def test_a_body_shorter_than_its_content_length_ends_the_targets_connection(
    front: Front, sent: bytes
) -> None:
    async def script(visit: Visit) -> None:
        if b"/attack" in visit.request_line:
            await visit.reader.readexactly(len(sent))
            # A target that answers before it has the body, and then still reads it.
            asyncio.get_running_loop().call_later(0.05, visit.send, OK)
            await visit.body()
        visit.send(OK)

    target = await front.bench.target(script)
    browser = await front.browser()
    number = browser.ask("/attack", ("content-length", "300"), method="POST", end=False)
    if sent:
        browser.h2.send_data(number, sent)
    browser.h2.send_headers(number, [("x-trailer", "1")], end_stream=True)
    browser.flush()
    reply = await browser.reply(number)
    assert (reply.headers, reply.reset) == ([], ErrorCodes.PROTOCOL_ERROR)
    await until(lambda: all(visit.reader.at_eof() for visit in target.visits))
    victim = await front.browser()
    assert (await victim.reply(victim.ask("/victim"))).body == b"ok"
    assert target.visits[-1].request_line == b"GET /victim HTTP/1.1"
    front.log.flush()
    assert [line.split()[8] for line in front.lines.lines] == ["400", "200"]


@pytest.mark.parametrize("sent", [b"ab", b"abcd"])
async def test_frames_that_contradict_the_content_length_end_the_connection(
    front: Front, sent: bytes
) -> None:
    async def hang(visit: Visit) -> None:
        await visit.reader.read()
        visit.close()

    target = await front.bench.target(hang)
    browser = await front.browser()
    number = browser.ask("/attack", ("content-length", "3"), method="POST", end=False)
    await until(lambda: target.visits)
    browser.h2.send_data(number, sent, end_stream=True)
    browser.flush()
    await until(lambda: browser.terminated == ErrorCodes.PROTOCOL_ERROR and browser.closed)
    await until(target.visits[0].reader.at_eof)


async def test_a_body_as_long_as_its_content_length_may_have_trailers(front: Front) -> None:
    async def echo(visit: Visit) -> None:
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + await visit.body())

    target = await front.bench.target(echo)
    browser = await front.browser()
    for length in [("content-length", "2")], []:
        number = browser.ask("/", *length, method="POST", end=False)
        browser.h2.send_data(number, b"ab")
        browser.h2.send_headers(number, [("x-trailer", "1")], end_stream=True)
        browser.flush()
        assert (await browser.reply(number)).body == b"ab"
    assert target.connections == 1


async def asks_with(browser: Browser, *names: str) -> None:
    number = browser.ask("/", *((name, "1") for name in names))
    assert (await browser.reply(number)).body == b"ok"


async def test_header_names_of_other_than_letters_digits_and_hyphens_are_dropped(
    front: Front,
) -> None:
    target = await front.bench.target()
    await asks_with(await front.browser(), "x_y", "x.y", "+agent", "x-y", "x1")
    names = {name for name, _ in target.visits[0].headers}
    assert names & {b"x_y", b"x.y", b"+agent", b"x-y", b"x1"} == {b"x-y", b"x1"}


@pytest.mark.parametrize(
    "name",
    [
        "transfer_encoding",
        "content_length",
        "transferencoding",
        "content-length-",
        "con-tentlength",
    ],
)
async def test_what_looks_like_a_framing_header_reaches_no_target(front: Front, name: str) -> None:
    target = await front.bench.target()
    await asks_with(await front.browser(), name, "x-y")
    sent = target.visits[0].head.lower()
    assert b"x-y: 1" in sent
    assert b"encoding" not in sent
    assert b"length" not in sent


@pytest.mark.parametrize("path", ["http://other/", "x", "?q"])
async def test_a_path_that_is_none_is_malformed(front: Front, path: str) -> None:
    target = await front.bench.target()
    browser = await front.browser()
    assert (await browser.reply(browser.ask(path))).reset == ErrorCodes.PROTOCOL_ERROR
    assert target.visits == []
