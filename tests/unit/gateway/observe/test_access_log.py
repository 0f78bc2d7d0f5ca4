"""The access log."""

import os
import re
import shlex
from pathlib import Path
from random import Random

import pytest

from gateway.gateway import Gateway, start_gateway
from gateway.observe.access_log import AccessLog, AlbFormat, target_text
from gateway.observe.log_file import LogFile
from tests.unit.gateway.support import Bench, Lines, routing, until


@pytest.fixture
async def lines() -> Lines:
    return Lines()


async def alb_gateway(bench: Bench, lines: Lines) -> tuple[Gateway, AccessLog]:
    target = await bench.target()
    log = AccessLog(AlbFormat("Balancer"), lines)
    gateway = await start_gateway(
        routing(), {"Web": [target.url]}, port=0, access_log=log, random=Random(1)
    )
    await gateway.first_checks()
    return gateway, log


def fields(line: str) -> list[str]:
    return shlex.split(line)


async def test_an_alb_line_has_33_fields_in_the_albs_order(bench: Bench, lines: Lines) -> None:
    gateway, log = await alb_gateway(bench, lines)
    try:
        client = await bench.client(gateway)
        client.send(
            b'POST /a"b?c=d HTTP/1.1\r\nHost: Example.com:9\r\nUser-Agent: say "hi"\r\n'
            b"Content-Length: 3\r\n\r\nabc"
        )
        answer = await client.answer()
        log.flush()
    finally:
        await gateway.close()
    [line] = lines.lines
    got = fields(line)
    assert len(got) == 33
    moment = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
    target = got[4]
    expected = {
        0: "http",
        1: moment,
        2: r"app/Balancer/[0-9a-f]{16}",
        3: r"127\.0\.0\.1:\d+",
        4: r"127\.0\.0\.1:\d+",
        **dict.fromkeys((5, 6, 7), r"\d\.\d{3}"),
        8: "200",
        9: "200",
        10: r"\d+",
        11: r"\d+",
        12: rf"POST http://Example\.com:{gateway.port}/a\\x22b\?c=d HTTP/1\.1",
        13: r"say \\x22hi\\x22",
        14: "-",
        15: "-",
        16: r"arn:aws:elasticloadbalancing:us-east-1:0{12}:targetgroup/Web/[0-9a-f]{16}",
        17: r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}",
        18: "-",
        19: "-",
        20: "0",
        21: moment,
        22: "forward",
        23: "-",
        24: "-",
        25: re.escape(target),
        26: "200",
        27: "-",
        28: "-",
        29: r"TID_[0-9a-f]{32}",
        30: "-",
        31: "-",
        32: "-",
    }
    for position, pattern in expected.items():
        assert re.fullmatch(pattern, got[position]), (position, got[position])
    assert answer.status == 200


async def test_sizes_in_the_log_are_those_on_the_wire(bench: Bench, lines: Lines) -> None:
    gateway, log = await alb_gateway(bench, lines)
    request = b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc"
    try:
        client = await bench.client(gateway)
        client.send(request)
        sent = await client.closed()
        log.flush()
    finally:
        await gateway.close()
    got = fields(lines.lines[0])
    assert got[10:12] == [str(len(request)), str(len(sent))]


async def test_a_request_is_logged_in_its_own_version(bench: Bench, lines: Lines) -> None:
    gateway, log = await alb_gateway(bench, lines)
    requests = [
        b"GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"GET /b HTTP/1.0\r\nHost: a\r\n\r\n",
        b"GET /c HTTP/1.2\r\nHost: a\r\nConnection: close\r\n\r\n",
    ]
    try:
        for request in requests:
            client = await bench.client(gateway)
            client.send(request)
            await client.closed()
        log.flush()
    finally:
        await gateway.close()
    versions = [line.split('"')[1].split(" ")[2] for line in lines.lines]
    assert versions == ["HTTP/1.1", "HTTP/1.0", "HTTP/1.2"]


async def test_missing_values_are_logged_as_dash_or_minus_one(bench: Bench, lines: Lines) -> None:
    gateway, log = await alb_gateway(bench, lines)
    try:
        client = await bench.client(gateway)
        await client.get("/fixed")
        client.send(b"\x16\x03\x01")
        await client.closed()
        log.flush()
    finally:
        await gateway.close()
    fixed, refused = (fields(line) for line in lines.lines)
    assert fixed[4:10] == ["-", "-1", "-1", "-1", "200", "-"]
    assert (fixed[16], fixed[20], fixed[22]) == ("-", "7", "fixed-response")
    assert refused[4:10] == ["-", "-1", "-1", "-1", "400", "-"]
    assert refused[12] == f"- http://localhost:{gateway.port}- -"
    assert refused[20] == "-"


async def test_short_line_has_the_essential_fields(bench: Bench) -> None:
    target = await bench.target()
    client = await bench.client(await bench.gateway(target))
    await client.get("/some?q=1")
    await client.get("/fixed")
    one, two = await bench.logged(2)
    pattern = rf"GET /some\?q=1 200 \d+\.\dms Web 127\.0\.0\.1:{target.port} rule default"
    assert re.fullmatch(pattern, one)
    assert re.fullmatch(r"GET /fixed 200 \d+\.\dms - - rule 7", two)


async def test_a_client_cannot_write_lines_or_terminal_codes_into_the_log(
    bench: Bench, lines: Lines
) -> None:
    gateway, log = await alb_gateway(bench, lines)
    try:
        client = await bench.client(gateway)
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: \xc3\xa9\t\xff\r\n\r\n")
        await client.answer()
        log.flush()
    finally:
        await gateway.close()
    assert fields(lines.lines[0])[13] == r"\xC3\xA9\x09\xFF"


async def test_lines_are_written_within_about_a_second_without_more_traffic(
    bench: Bench,
) -> None:
    client = await bench.client(await bench.gateway(await bench.target()))
    await client.get()
    await until(lambda: bench.log.lines)


async def test_closing_writes_what_is_pending(bench: Bench) -> None:
    gateway = await bench.gateway(await bench.target())
    client = await bench.client(gateway)
    await client.get()
    await gateway.close()
    assert len(bench.log.lines) == 1


def test_a_log_file_gets_every_line_in_order(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    log = LogFile(descriptor)
    for number in range(2000):
        log.write(b"%d\n" % number)
    log.close()
    os.close(descriptor)
    assert path.read_text().split() == [str(number) for number in range(2000)]


def test_stalled_log_reader_loses_lines_but_delays_nothing() -> None:
    reading, writing = os.pipe()
    log = LogFile(writing)
    line = b"x" * 1_000_000 + b"\n"
    for _ in range(20):
        log.write(line)
    received = b""
    while received.count(line) + dropped_in(received) < 20:
        received += os.read(reading, 1 << 20)
    log.close()
    os.close(reading)
    os.close(writing)
    assert 8 <= received.count(line) < 20


def dropped_in(received: bytes) -> int:
    return sum(map(int, re.findall(rb"access log: (\d+) lines dropped\n", received)))


@pytest.mark.parametrize(
    ("target", "logged"),
    [
        (b"/api/threads/7?after=" + b"a" * 60, "/api/threads/7?after=" + "a" * 60),
        (b"/api/users/password-resets/" + b"A-z_09" * 7, "/api/users/password-resets/***"),
        (b"/" + b"a" * 32 + b"/b/" + b"c" * 40 + b"?d", "/***/b/***?d"),
        (b"/static/board." + b"a" * 40 + b".js", "/static/board." + "a" * 40 + ".js"),
        (b"/" + b"a" * 31, "/" + "a" * 31),
    ],
)
def test_target_is_logged_without_what_looks_like_a_secret(target: bytes, logged: str) -> None:
    assert target_text(target) == logged
