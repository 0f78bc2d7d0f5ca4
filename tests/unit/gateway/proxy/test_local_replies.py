"""The gateway's own answers, byte for byte."""

import pytest

from gateway.proxy.heads import ResponseHead, http1_head
from gateway.proxy.local_replies import DateHeader, LocalReply, fixed_response, status_reply
from gateway.routing.rules import FixedResponse
from tests.unit.gateway.support import Bench

DATE = b"Date: Mon, 23 Nov 2026 08:00:00 GMT\r\n"


def written(reply: LocalReply, *, keep_alive: bool = True, with_body: bool = True) -> bytes:
    head = ResponseHead(reply.status, reply.status_line, reply.lines, keep_alive=keep_alive)
    return http1_head(head) + (reply.body if with_body else b"")


def test_502_has_the_bytes_of_an_alb() -> None:
    assert written(status_reply(502, DATE)) == (
        b"HTTP/1.1 502 Bad Gateway\r\n"
        b"Server: awselb/2.0\r\n"
        b"Date: Mon, 23 Nov 2026 08:00:00 GMT\r\n"
        b"Content-Type: text/html\r\n"
        b"Content-Length: 122\r\n"
        b"Connection: keep-alive\r\n"
        b"\r\n"
        b"<html>\r\n"
        b"<head><title>502 Bad Gateway</title></head>\r\n"
        b"<body>\r\n"
        b"<center><h1>502 Bad Gateway</h1></center>\r\n"
        b"</body>\r\n"
        b"</html>\r\n"
    )


@pytest.mark.parametrize(
    ("status", "line", "length"),
    [
        (400, b"400 Bad Request", 122),
        (405, b"405 Not Allowed", 122),
        (408, b"408 Request Time-out", 132),
        (414, b"414 Request-URI Too Large", 142),
        (463, b"463 ", 0),
        (501, b"501 Not Implemented", 130),
        (502, b"502 Bad Gateway", 122),
        (503, b"503 Service Temporarily Unavailable", 162),
        (504, b"504 Gateway Time-out", 132),
        (505, b"505 HTTP Version Not Supported", 152),
        (507, b"507 ", 0),
    ],
)
def test_each_answer_has_its_status_line_and_length(status: int, line: bytes, length: int) -> None:
    head, _, body = written(status_reply(status, DATE), keep_alive=False).partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[0] == b"HTTP/1.1 " + line
    assert len(body) == length
    assert b"Content-Length: %d" % length in head.split(b"\r\n")
    assert head.endswith(b"\r\nConnection: close")


def test_sizes_of_own_answers_match_an_albs_access_log() -> None:
    """Sizes of 502 answers that ALBs logged: with a body 277 and 272, to HEAD 155."""
    sizes = [
        len(written(status_reply(502, DATE), keep_alive=keep_alive, with_body=not head))
        for keep_alive, head in ((True, False), (False, False), (True, True))
    ]
    assert sizes == [277, 272, 155]


def test_fixed_response_has_a_content_type_with_charset() -> None:
    action = FixedResponse(404, "application/json", '{"é": 1}'.encode())
    head, _, body = written(fixed_response(action, DATE)).partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"HTTP/1.1 404 Not Found",
        b"Server: awselb/2.0",
        DATE.strip(),
        b"Content-Type: application/json; charset=utf-8",
        b"Content-Length: 9",
        b"Connection: keep-alive",
    ]
    assert body == action.body


def test_the_date_follows_the_clock() -> None:
    class Clock:
        now = 1795420800.9

        def wall(self) -> float:
            return self.now

        def monotonic(self) -> float:
            return self.now

    clock = Clock()
    date = DateHeader(clock)
    assert date.line() == b"Date: Mon, 23 Nov 2026 08:00:00 GMT\r\n"
    clock.now += 0.2
    assert date.line() == b"Date: Mon, 23 Nov 2026 08:00:01 GMT\r\n"


async def test_head_gets_the_length_of_the_body_that_get_would_get(bench: Bench) -> None:
    client = await bench.client(await bench.gateway())
    for path, length in ((b"/fixed", b"5"), (b"/", b"162")):
        client.send(b"HEAD " + path + b" HTTP/1.1\r\nHost: a\r\n\r\n")
        reply = await client.answer(head=True)
        assert reply.header(b"Content-Length") == length
    assert (await client.get("/fixed")).body == b"fixed"


async def test_trace_is_405(bench: Bench) -> None:
    client = await bench.client(await bench.gateway())
    client.send(b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert (await client.answer()).status_line == b"HTTP/1.1 405 Not Allowed"
    assert (await client.get("/fixed")).body == b"fixed"


def test_a_fixed_response_of_204_has_no_body_and_no_length() -> None:
    reply = fixed_response(FixedResponse(204, "text/plain", b"something"), DATE)
    assert written(reply) == (
        b"HTTP/1.1 204 No Content\r\nServer: awselb/2.0\r\n"
        + DATE
        + b"Connection: keep-alive\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("status", "line"),
    [(200, b"200 OK"), (418, b"418 I'm a Teapot"), (422, b"422 Unp"), (502, b"502 Bad Gateway")],
)
def test_fixed_response_has_the_reason_of_its_status(status: int, line: bytes) -> None:
    reply = fixed_response(FixedResponse(status, "text/plain", b""), DATE)
    assert reply.status_line.startswith(b"HTTP/1.1 " + line)


def test_fixed_response_with_an_unknown_status_has_no_reason() -> None:
    reply = fixed_response(FixedResponse(299, "text/plain", b""), DATE)
    assert reply.status_line == b"HTTP/1.1 299 \r\n"
