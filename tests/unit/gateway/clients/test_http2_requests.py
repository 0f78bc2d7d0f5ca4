"""Which parts of an HTTP/2 request reach a target."""

import asyncio

import pytest
from h2.errors import ErrorCodes

from tests.unit.gateway.browser import Browser, Front, Reply
from tests.unit.gateway.certificates import NAME
from tests.unit.gateway.support import OK, Visit, until


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
async def test_http_2_request_without_its_announced_body_reaches_no_target(
    front: Front, method: str
) -> None:
    target = await front.bench.target()
    browser = await front.browser()
    number = browser.ask("/attack", ("content-length", "70"), method=method)
    assert (await browser.reply(number)).reset == ErrorCodes.PROTOCOL_ERROR
    assert (await browser.reply(browser.ask("/next"))).body == b"ok"
    assert [visit.request_line for visit in target.visits] == [b"GET /next HTTP/1.1"]


@pytest.mark.parametrize("sent", [b"", b"ab"])
async def test_http_2_body_shorter_than_its_content_length_closes_the_target_connection(
    front: Front, sent: bytes
) -> None:
    async def script(visit: Visit) -> None:
        if b"/attack" in visit.request_line:
            await visit.reader.readexactly(len(sent))
            # A target that answers before it has read the body.
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
async def test_http_2_body_that_contradicts_its_content_length_resets_only_its_stream(
    front: Front, sent: bytes
) -> None:
    async def hang(visit: Visit) -> None:
        if b"/attack" not in visit.request_line:
            visit.send(OK)
            return
        await visit.reader.read()
        visit.close()

    target = await front.bench.target(hang)
    browser = await front.browser()
    number = browser.ask("/attack", ("content-length", "3"), method="POST", end=False)
    await until(lambda: target.visits)
    browser.h2.send_data(number, sent, end_stream=True)
    browser.flush()
    assert (await browser.reply(number)).reset == ErrorCodes.PROTOCOL_ERROR
    await until(target.visits[0].reader.at_eof)
    assert (await browser.reply(browser.ask("/next"))).body == b"ok"
    assert browser.terminated is None


async def test_http_2_body_of_its_announced_length_may_have_trailers(front: Front) -> None:
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


async def test_http_2_header_names_with_other_characters_are_dropped(
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
async def test_http_2_headers_that_resemble_framing_headers_are_dropped(
    front: Front, name: str
) -> None:
    target = await front.bench.target()
    await asks_with(await front.browser(), name, "x-y")
    sent = target.visits[0].head.lower()
    assert b"x-y: 1" in sent
    assert b"encoding" not in sent
    assert b"length" not in sent


MALFORMED: dict[str, list[tuple[str, str]]] = {
    "a name in upper case": [("X-Upper", "1")],
    "connection": [("connection", "close")],
    "keep-alive": [("keep-alive", "timeout=5")],
    "upgrade": [("upgrade", "h2c")],
    "transfer-encoding": [("transfer-encoding", "chunked")],
    "te other than trailers": [("te", "gzip")],
    "a NUL": [("x", "a\0b")],
    "a line feed": [("x", "a\nb: c")],
    "a blank in a name": [("x y", "1")],
    "an empty name": [("", "1")],
    "a second path": [(":path", "/other")],
    "a pseudo header after others": [("x", "1"), (":scheme", "https")],
    "an unknown pseudo header": [(":status", "200")],
    "another host": [("host", "other.example")],
    "another port": [("host", f"{NAME}:444")],
    "two hosts": [("host", NAME), ("host", NAME)],
    "a content-length that is none": [("content-length", "x")],
    "two content-lengths": [("content-length", "0"), ("content-length", "0")],
}


@pytest.mark.parametrize("fields", MALFORMED.values(), ids=MALFORMED.keys())
async def test_malformed_http_2_request_resets_only_its_stream(
    front: Front, fields: list[tuple[str, str]]
) -> None:
    gate = asyncio.Event()

    async def script(visit: Visit) -> None:
        await gate.wait()
        visit.send(OK)

    target = await front.bench.target(script)
    browser = await front.browser()
    before = browser.ask("/before")
    malformed = browser.ask("/malformed", *fields)
    after = browser.ask("/after")
    assert (await browser.reply(malformed)).reset == ErrorCodes.PROTOCOL_ERROR
    gate.set()
    for number in (before, after):
        assert (await browser.reply(number)).body == b"ok"
    assert browser.terminated is None
    assert {visit.request_line.split()[1] for visit in target.visits} == {b"/before", b"/after"}
    front.log.flush()
    assert [line.split()[8] for line in front.lines.lines] == ["200", "200"]


@pytest.mark.parametrize(
    ("authority", "host"),
    [
        (NAME, NAME),
        (f"{NAME}:443", NAME),
        (NAME, f"{NAME}:443"),
        (NAME.upper(), NAME),
        (None, NAME),
    ],
)
async def test_host_may_repeat_the_authority_without_its_default_port(
    front: Front, authority: str | None, host: str
) -> None:
    target = await front.bench.target()
    browser = await front.browser()
    number = browser.h2.get_next_available_stream_id()
    browser.replies[number] = Reply()
    fields = [(":method", "GET"), (":path", "/"), (":scheme", "https")]
    if authority is not None:
        fields.append((":authority", authority))
    browser.h2.send_headers(number, [*fields, ("host", host)], end_stream=True)
    browser.flush()
    assert (await browser.reply(number)).body == b"ok"
    sent = target.visits[0].header(b"Host")
    assert sent is not None
    assert sent.rpartition(b":")[0].decode() == NAME


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ([(f"x-{number}", "a" * 4_000) for number in range(17)], 400),
        ([(f"x-{number}", "a") for number in range(6_300)], 400),
        ([("x", "a" * 17_000)], 400),
        ([(":path", "/" + "a" * 17_000)], 414),
    ],
)
async def test_too_long_http_2_header_list_gets_the_same_status_as_over_http_1(
    front: Front, fields: list[tuple[str, str]], status: int
) -> None:
    target = await front.bench.target()
    browser = await front.browser()
    number = browser.h2.get_next_available_stream_id()
    browser.replies[number] = Reply()
    pseudo = {":method": "GET", ":path": "/", ":scheme": "https", ":authority": NAME}
    browser.h2.send_headers(number, list((pseudo | dict(fields)).items()), end_stream=True)
    browser.flush()
    assert (await browser.reply(number)).status == status
    assert (await browser.reply(browser.ask())).body == b"ok"
    assert len(target.visits) == 1


async def test_oversized_http_2_header_list_ends_the_connection(front: Front) -> None:
    await front.bench.target()
    browser = await front.browser()
    browser.ask("/", *((f"x-{number}", "a" * 4_000) for number in range(100)))
    await until(lambda: browser.closed)


@pytest.mark.parametrize("path", ["http://other/", "x", "?q"])
async def test_invalid_http_2_path_is_malformed(front: Front, path: str) -> None:
    target = await front.bench.target()
    browser = await front.browser()
    assert (await browser.reply(browser.ask(path))).reset == ErrorCodes.PROTOCOL_ERROR
    assert target.visits == []
