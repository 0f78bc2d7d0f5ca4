"""The attributes of load balancer and listener about headers."""

import dataclasses

import pytest

from gateway.routing.settings import Routing
from tests.unit.gateway.support import Bench, routing, routing_with, says


def with_listener(**changes: object) -> Routing:
    made = routing()
    first = dataclasses.replace(made.listeners[0], **changes)  # type: ignore[arg-type]  # names are given by the test
    return dataclasses.replace(made, listeners=(first, *made.listeners[1:]))


async def test_listener_headers_replace_those_of_every_response(bench: Bench) -> None:
    target = await bench.target(
        says(
            b"HTTP/1.1 200 OK\r\nx-frame-options: ALLOW\r\nX-Frame-Options: x\r\nServer: mine\r\n"
            b"Content-Length: 2\r\n\r\nok"
        )
    )
    headers = (("X-Frame-Options", "DENY"), ("Access-Control-Max-Age", "5"))
    gateway = await bench.gateway(target, with_routing=with_listener(response_headers=headers))
    client = await bench.client(gateway)
    for path, server in (("/", b"mine"), ("/fixed", b"awselb/2.0")):
        answer = await client.get(path)
        assert answer.header(b"X-Frame-Options") == b"DENY"
        assert answer.header(b"Access-Control-Max-Age") == b"5"
        assert answer.header(b"Server") == server
    client.send(b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert (await client.answer()).header(b"X-Frame-Options") == b"DENY"


async def test_a_listener_without_server_header_removes_it(bench: Bench) -> None:
    target = await bench.target(
        says(b"HTTP/1.1 200 OK\r\nServer: mine\r\nContent-Length: 2\r\n\r\nok")
    )
    gateway = await bench.gateway(target, with_routing=with_listener(server_header=False))
    client = await bench.client(gateway)
    for path in ("/", "/fixed"):
        answer = await client.get(path)
        assert answer.status == 200
        assert answer.header(b"Server") is None


async def test_a_preserved_host_reaches_the_target_as_it_was_written(bench: Bench) -> None:
    target = await bench.target()
    gateway = await bench.gateway(target, with_routing=routing_with(preserve_host_header=True))
    client = await bench.client(gateway)
    client.send(b"GET / HTTP/1.1\r\nHost: Example.COM:99\r\nHost: other\r\n\r\n")
    assert (await client.answer()).status == 200
    hosts = [value for name, value in target.visits[0].headers if name == b"Host"]
    assert hosts == [b"Example.COM:99", b"other"]


async def test_target_gets_the_first_of_several_hosts(bench: Bench) -> None:
    target = await bench.target()
    gateway = await bench.gateway(target)
    client = await bench.client(gateway)
    client.send(b"GET / HTTP/1.1\r\nHost: one\r\nHost: two\r\n\r\n")
    assert (await client.answer()).status == 200
    assert target.visits[0].header(b"Host") == b"one:%d" % gateway.port


NAMES = (b"X_y", b"X.y", b"X!", b"X y")


@pytest.mark.parametrize("drop", [False, True])
async def test_invalid_header_names_are_dropped_when_the_attribute_says_so(
    bench: Bench, drop: bool
) -> None:
    target = await bench.target()
    made = routing_with(drop_invalid_header_fields=drop)
    client = await bench.client(await bench.gateway(target, with_routing=made))
    lines = b"".join(name + b": 1\r\n" for name in (*NAMES, b"X-y", b"Xy2"))
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n" + lines + b"\r\n")
    assert (await client.answer()).status == 200
    got = [line.partition(b":")[0] for line in target.visits[0].head.split(b"\r\n")[1:]]
    assert [name for name in got if name.startswith(b"X") and len(name) <= 3] == (
        [b"X-y", b"Xy2"] if drop else [*NAMES, b"X-y", b"Xy2"]
    )


async def test_tls_headers_come_only_from_the_load_balancer(bench: Bench) -> None:
    target = await bench.target()
    gateway = await bench.gateway(target, with_routing=routing_with(tls_headers=True))
    client = await bench.client(gateway)
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\nX-Amzn-Tls-Version: TLSv9\r\n\r\n")
    assert (await client.answer()).status == 200
    assert target.visits[0].header(b"X-Amzn-Tls-Version") is None
