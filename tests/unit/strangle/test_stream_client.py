"""A client of a stream records what arrives, and resumes after the last event."""

import asyncio
import socket

from strangle.history import History
from strangle.load.streams import StreamClient
from tests.eventually import eventually

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(text: str) -> bytes:
    data = text.encode()
    return b"%x\r\n%s\r\n" % (len(data), data)


class Server:
    """Answers each connection with the next of these responses, and then ends it."""

    def __init__(self, *responses: bytes) -> None:
        self._responses = [*responses]
        self.requests: list[str] = []

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
        if self._responses:
            writer.write(self._responses.pop(0))
        else:
            await reader.read()  # until the client closes the connection
        writer.close()


async def received(*responses: bytes) -> tuple[History, Server]:
    """What a client records of these responses."""
    server = Server(*responses)
    listener = socket.create_server(("127.0.0.1", 0))
    listening = await asyncio.start_server(server.answer, sock=listener)
    history = History()
    client = StreamClient(listener.getsockname()[1], 7, history)
    following = asyncio.create_task(client.run())

    async def all_requested() -> bool:
        return len(server.requests) > len(responses)

    try:
        await eventually(all_requested)
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        listening.close()
        await listening.wait_closed()
    return history, server


async def test_stream_is_resumed_after_its_last_event() -> None:
    first = chunk("retry: 1000\nid: 4\n\n") + chunk('id: 5\nevent: post\ndata: {"id":50}\n\nid: 6')
    second = chunk("retry: 1000\nid: 6\n\n") + chunk(": still here\n\nid: 7\nevent: remove\n")
    history, server = await received(
        HEAD + first + chunk('\nevent: edit\ndata: {"id":50}\n\n') + b"0\r\n\r\n",
        HEAD + second + chunk('data: {"id":50}\n\n') + b"0\r\n\r\n",
    )
    [stream] = history.streams
    assert (stream.first, stream.ids, stream.posts) == (4, [5, 6, 7], {50})
    assert stream.problems == []
    assert "Last-Event-ID" not in server.requests[0]
    assert "Last-Event-ID: 6\r\n" in server.requests[1]
    assert "Last-Event-ID: 7\r\n" in server.requests[2]


async def test_event_of_a_post_that_was_removed_has_an_id_and_is_no_gap() -> None:
    text = 'retry: 1000\nid: 0\n\nid: 1\n\nid: 2\nevent: remove\ndata: {"id":9}\n\n'
    history, _ = await received(HEAD + chunk(text) + b"0\r\n\r\n")
    assert (history.streams[0].ids, history.streams[0].posts) == ([1, 2], set())


async def test_stream_that_breaks_off_or_cannot_be_opened_is_a_problem() -> None:
    broken = HEAD + chunk("retry: 1000\nid: 0\n\n")
    refused = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
    history, _ = await received(broken, refused)
    problems = history.streams[0].problems
    assert "the stream broke off" in problems[0]
    assert problems[1] == "the stream could not be opened: 503"
