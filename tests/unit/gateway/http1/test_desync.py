"""Desync mitigation: the classes of requests, the effect of each mode, and what a target gets of an
ambiguous request."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.http1.desync import DesyncMode, DesyncReason, Tier, Verdict, verdict
from gateway.http1.lenient_head import read_leniently
from gateway.http1.request import Request
from gateway.http1.request_head import HeadReader
from gateway.http1.strict_head import StrictHead
from tests.unit.gateway.support import OK, Bench, Visit, routing_with, until

GET = b"GET / HTTP/1.1\r\nHost: a\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"

CLASSES: list[tuple[Tier, DesyncReason, bytes]] = [
    (Tier.Severe, DesyncReason.BAD_HEADER, GET + b"X: a\0b\r\n"),
    (Tier.Severe, DesyncReason.BAD_HEADER, GET + b"X: a\rb\r\n"),
    (Tier.Severe, DesyncReason.BAD_HEADER, GET + b"X\0: a\r\n"),
    (Tier.Severe, DesyncReason.BAD_URI, b"GET /\0 HTTP/1.1\r\nHost: a\r\n"),
    (Tier.Severe, DesyncReason.BAD_URI, b"GET /a\rb HTTP/1.1\r\nHost: a\r\n"),
    (Tier.Severe, DesyncReason.BAD_METHOD, b"G(T / HTTP/1.1\r\nHost: a\r\n"),
    (Tier.Severe, DesyncReason.BAD_VERSION, b"GET / HTTP/1.x\r\nHost: a\r\n"),
    (Tier.Severe, DesyncReason.BAD_VERSION, b"GET / HTTP/1.10\r\nHost: a\r\n"),
    (Tier.Severe, DesyncReason.BAD_VERSION, b"GET / RTSP/1.0\r\nHost: a\r\n"),
    (Tier.Severe, DesyncReason.BAD_VERSION, b"GET / HTTP/1.1 \xd0\xb0 \xd0\xb1\r\nHost: a\r\n"),
    (Tier.Severe, DesyncReason.BAD_VERSION, b"GET / HTTP/1.1 (\r\nHost: a\r\n"),
    (Tier.Severe, DesyncReason.BAD_CONTENT_LENGTH, POST + b"Content-Length: 1000,1000\r\n"),
    (
        Tier.Severe,
        DesyncReason.BAD_CONTENT_LENGTH,
        POST + b"Content-Length: 18446744073709551616\r\n",
    ),
    (Tier.Severe, DesyncReason.BAD_CONTENT_LENGTH, POST + b"Content-Length: abc\r\n"),
    (
        Tier.Severe,
        DesyncReason.MULTIPLE_CONTENT_LENGTH,
        POST + b"Content-Length: 1\r\nContent-Length: 2\r\n",
    ),
    (
        Tier.Severe,
        DesyncReason.MULTIPLE_CONTENT_LENGTH,
        POST + b"Content-Length: 1\r\nContent_Length: 2\r\n",
    ),
    (Tier.Severe, DesyncReason.BAD_TRANSFER_ENCODING, POST + b"Transfer-Encoding: xchunked\r\n"),
    (Tier.Severe, DesyncReason.BAD_TRANSFER_ENCODING, POST + b"Transfer-Encoding: \r\n"),
    (Tier.Severe, DesyncReason.MULTIPLE_CHUNKED, POST + b"Transfer-Encoding: chunked, chunked\r\n"),
    (
        Tier.Severe,
        DesyncReason.MULTIPLE_CHUNKED,
        POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    ),
    (
        Tier.Ambiguous,
        DesyncReason.DUPLICATE_CONTENT_LENGTH,
        POST + b"Content-Length: 3\r\nContent-Length: 3\r\n",
    ),
    (
        Tier.Ambiguous,
        DesyncReason.BOTH_FRAMINGS,
        POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
    ),
    (Tier.Ambiguous, DesyncReason.SUSPICIOUS_HEADER, POST + b"Transfer_Encoding: chunked\r\n"),
    (Tier.Ambiguous, DesyncReason.SUSPICIOUS_HEADER, POST + b"Transfer-Encoding : chunked\r\n"),
    (Tier.Ambiguous, DesyncReason.SUSPICIOUS_HEADER, POST + b"\x01Content-Length: 3\r\n"),
    (Tier.Ambiguous, DesyncReason.SUSPICIOUS_HEADER, POST + b"Content--Length: 3\r\n"),
    (
        Tier.Ambiguous,
        DesyncReason.SUSPICIOUS_HEADER,
        POST + b"Tran\xc5\xbffer-Encoding: chunked\r\n",
    ),
    (Tier.Ambiguous, DesyncReason.EMPTY_HEADER, GET + b": a\r\n"),
    (Tier.Ambiguous, DesyncReason.AMBIGUOUS_URI, b"GET /\x01 HTTP/1.1\r\nHost: a\r\n"),
    (Tier.Ambiguous, DesyncReason.AMBIGUOUS_URI, b"GET /\x7f HTTP/1.1\r\nHost: a\r\n"),
    (Tier.Ambiguous, DesyncReason.UNDEFINED_CONTENT_LENGTH, GET + b"Content-Length: 3\r\n"),
    (
        Tier.Ambiguous,
        DesyncReason.UNDEFINED_TRANSFER_ENCODING,
        GET + b"Transfer-Encoding: chunked\r\n",
    ),
    (
        Tier.Ambiguous,
        DesyncReason.UNDEFINED_TRANSFER_ENCODING,
        b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n",
    ),
    (
        Tier.Severe,
        DesyncReason.MULTIPLE_CONTENT_LENGTH,
        POST + b"Content-Length: 3\r\n 4\r\n",
    ),
    (
        Tier.Severe,
        DesyncReason.BAD_TRANSFER_ENCODING,
        POST + b"Transfer-Encoding: chunked\r\n , identity\r\n",
    ),
    (
        Tier.Ambiguous,
        DesyncReason.UNDEFINED_CONTENT_LENGTH,
        b"GET / HTTP/0.9\r\nContent-Length: 3\r\n",
    ),
    (Tier.Ambiguous, DesyncReason.MULTILINE_HEADER, GET + b"X: a\r\n b\r\n"),
    (Tier.Ambiguous, DesyncReason.MULTILINE_HEADER, GET + b"X: a\r\n Content-Length: 3\r\n"),
    (Tier.Ambiguous, DesyncReason.MISSING_HEADER_COLON, GET + b"X\r\n"),
    (Tier.Ambiguous, DesyncReason.MISSING_URI, b"GET HTTP/1.1\r\nHost: a\r\n"),
    (Tier.Acceptable, DesyncReason.ZERO_CONTENT_LENGTH, GET + b"Content-Length: 0\r\n"),
    (Tier.Acceptable, DesyncReason.NON_COMPLIANT_HEADER, GET + b"X: a\x01\r\n"),
    (Tier.Acceptable, DesyncReason.NON_COMPLIANT_HEADER, GET + b"X y: a\r\n"),
    (Tier.Acceptable, DesyncReason.NON_COMPLIANT_VERSION, b"GET / HTTP/1.2\r\nHost: a\r\n"),
    (Tier.Acceptable, DesyncReason.NON_COMPLIANT_VERSION, b"GET / HTTP/1.1\t\r\nHost: a\r\n"),
    (Tier.Acceptable, DesyncReason.NON_COMPLIANT_VERSION, b"GET / HTTP/1.1 \r\nHost: a\r\n"),
    (
        Tier.Acceptable,
        DesyncReason.NON_COMPLIANT_VERSION,
        b"GET / HTTP/1.1 \t \r\nHost: a\r\n",
    ),
    (Tier.Acceptable, DesyncReason.NON_COMPLIANT_VERSION, b"GET /\r\n"),
    (Tier.Acceptable, DesyncReason.SPACE_IN_URI, b"GET /a b HTTP/1.1\r\nHost: a\r\n"),
    (Tier.Acceptable, DesyncReason.BARE_LINE_FEED, b"GET / HTTP/1.1\nHost: a\r\n"),
]


@pytest.mark.parametrize(("tier", "reason", "head"), CLASSES)
def test_head_has_the_desync_class_and_reason_of_aws(
    tier: Tier, reason: DesyncReason, head: bytes
) -> None:
    finding = HeadReader(DesyncMode.MONITOR).read(head + b"\r\n").finding
    assert finding is not None
    assert (finding.tier, finding.reason) == (tier, reason)


@pytest.mark.parametrize(
    "head",
    [
        GET,
        POST + b"Content-Length: 3\r\n",
        POST + b"Transfer-Encoding: CHUNKED\r\n",
        b"DELETE / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n",
        b"SPOON / HTTP/1.1\r\nHost: a\r\n",
        b"get / HTTP/1.1\r\nHost: a\r\n",
        b"GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n",
        GET + b"X: \xe9\r\nX_y: 1\r\nEmpty:\r\n",
        GET + b"Content-Lengthy: 3\r\nMy-Transfer-Encoding: x\r\n",
        b"GET / HTTP/1.0\r\n",
    ],
)
def test_well_formed_head_has_no_desync_class(head: bytes) -> None:
    assert HeadReader().read(head + b"\r\n").finding is None
    assert read_leniently(head + b"\r\n").finding is None


def test_the_first_reason_of_the_highest_class_counts() -> None:
    head = GET + b"X: a\x01\r\n: a\r\nContent-Length: 3\r\nY: \0\r\nZ: \r \r\n\r\n"
    finding = read_leniently(head).finding
    assert finding is not None
    assert finding.reason is DesyncReason.BAD_HEADER


def test_each_desync_mode_acts_as_documented_by_aws() -> None:
    allow, close, refuse = Verdict.ALLOW, Verdict.ALLOW_AND_CLOSE, Verdict.REFUSE
    expected = {
        DesyncMode.MONITOR: [allow, allow, allow, allow],
        DesyncMode.DEFENSIVE: [allow, allow, close, refuse],
        DesyncMode.STRICTEST: [allow, refuse, refuse, refuse],
    }
    assert {mode: [verdict(mode, tier) for tier in Tier] for mode in DesyncMode} == expected


@pytest.mark.parametrize("mode", DesyncMode)
@pytest.mark.parametrize(("tier", "reason", "head"), CLASSES)
async def test_a_mode_forwards_and_closes_by_the_class(
    bench: Bench, mode: DesyncMode, tier: Tier, reason: DesyncReason, head: bytes
) -> None:
    target = await bench.target()
    gateway = await bench.gateway(target, with_routing=routing_with(desync_mode=mode))
    client = await bench.client(gateway)
    body = b"0\r\n\r\n" if b"chunked" in head else b"abc"
    client.send(head + b"\r\n" + body + b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
    answer = await client.answer()
    decided = verdict(mode, tier)
    if decided is Verdict.REFUSE:
        assert answer.status == (505 if head in HTTP_0_9 else 400)
        assert target.visits == []
    if decided is not Verdict.ALLOW:
        assert answer.header(b"Connection") == b"close"
        assert await client.closed() == b""
        assert all(b"/smuggled" not in visit.request_line for visit in target.visits)
    if decided is Verdict.ALLOW_AND_CLOSE and target.visits:
        await until(target.visits[0].reader.at_eof)
    if reason not in NEVER_FORWARDED and decided is not Verdict.REFUSE:
        assert answer.status == 200
        assert len(target.visits) >= 1


HTTP_0_9 = {b"GET /\r\n", b"GET / HTTP/0.9\r\nContent-Length: 3\r\n"}

NEVER_FORWARDED = {
    DesyncReason.UNDEFINED_CONTENT_LENGTH,
    DesyncReason.BAD_CONTENT_LENGTH,
    DesyncReason.MULTIPLE_CONTENT_LENGTH,
    DesyncReason.BAD_TRANSFER_ENCODING,
    DesyncReason.BAD_VERSION,
    DesyncReason.MISSING_URI,
    DesyncReason.NON_COMPLIANT_VERSION,
}
"""Some of these cannot be sent in any mode."""


@pytest.mark.parametrize(
    ("sent", "framing", "body"),
    [
        (
            b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
            (b"Transfer-Encoding", b"chunked"),
            b"ab",
        ),
        (
            b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
            (b"Content-Length", b"3"),
            b"abc",
        ),
        (
            b"Transfer-Encoding: identity\r\nContent-Length: 3\r\n\r\nabc",
            (b"Content-Length", b"3"),
            b"abc",
        ),
    ],
)
async def test_a_target_gets_one_framing_only(
    bench: Bench, sent: bytes, framing: tuple[bytes, bytes], body: bytes
) -> None:
    got: list[bytes] = []

    async def script(visit: Visit) -> None:
        got.append(await visit.body())
        visit.send(OK)

    target = await bench.target(script)
    client = await bench.client(await bench.gateway(target))
    client.send(POST + sent)
    assert (await client.answer()).status == 200
    names = (b"content-length", b"transfer-encoding")
    framings = [(name, value) for name, value in target.visits[0].headers if name.lower() in names]
    assert framings == [framing]
    assert got == [body]


@pytest.mark.parametrize("end", [b" ", b" \t ", b"\t"])
async def test_a_request_line_may_end_in_blanks(bench: Bench, end: bytes) -> None:
    target = await bench.target()
    client = await bench.client(await bench.gateway(target))
    client.send(b"GET /a?b HTTP/1.1" + end + b"\r\nHost: a\r\n\r\n")
    assert (await client.answer()).status == 200
    assert target.visits[0].request_line == b"GET /a?b HTTP/1.1"


@pytest.mark.parametrize("line", [b"PRI * HTTP/2.0", b"GET / HTTP/2.0", b"GET / HTTP/3.1 "])
def test_a_later_version_of_http_has_no_class_and_is_505(line: bytes) -> None:
    request = HeadReader().read(line + b"\r\nContent-Length: x\r\n\r\n")
    assert request.finding is None
    assert request.refusal == 505


async def test_a_line_without_colon_gets_one(bench: Bench) -> None:
    target = await bench.target()
    client = await bench.client(await bench.gateway(target))
    client.send(GET + b"X: a\r\n folded\r\nbare\r\n\r\n")
    assert (await client.answer()).status == 200
    assert b"\r\nX: a\r\n folded:\r\nbare: \r\n" in target.visits[0].head


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nX: 1\r\nHost: a\r\n folded\r\nY: 2\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: 1\r\nHost: a\r\n folded\r\n\tagain: 1\r\nY: 2\r\n\r\n",
        b"GET / HTTP/1.1\r\n folded\r\nX: 1\r\nHost: a\r\nY: 2\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: 1\r\nContent-Length: 0\r\n 5\r\nHost: a\r\nY: 2\r\n\r\n",
    ],
)
async def test_continuation_of_a_dropped_header_continues_no_other(
    bench: Bench, head: bytes
) -> None:
    made = routing_with(desync_mode=DesyncMode.MONITOR)
    target = await bench.target()
    client = await bench.client(await bench.gateway(target, with_routing=made))
    client.send(head)
    assert (await client.answer()).status == 200
    assert not [
        line for line in target.visits[0].head.split(b"\r\n") if line[:1] in b" \t" and line
    ]


@pytest.mark.parametrize(
    "dropped",
    [
        b"X-A: 1\r\n ,root\r\n",
        b"X-A: 1\r\n ,root\r\n\t,admin\r\n",
        b"X-A: 1\r\n X-User: root\r\n",
        b"X-A : 1\r\n ,root\r\n",
        b"Content-Type: 1\r\n ,root\r\n",
    ],
)
@pytest.mark.parametrize("mode", DesyncMode)
@pytest.mark.parametrize("position", [0, 1, 2, 3])
def test_a_header_that_connection_names_is_dropped_with_its_continuation(
    mode: DesyncMode, dropped: bytes, position: int
) -> None:
    headers = [b"X-User: bob\r\n", b"Host: a\r\n", b"Connection: close, X-A, Content-Type\r\n"]
    headers.insert(position, dropped)
    head = b"GET / HTTP/1.1\r\n" + b"".join(headers) + b"\r\n"
    assert HeadReader(mode).read(head).lines == [b"X-User: bob\r\n"]


def test_continuation_counts_as_an_invalid_header_name() -> None:
    head = GET + b"X-A: 1\r\n ,root\r\nX_B: 2\r\n ,x\r\n y: z\r\nX-C: 3\r\n\r\n"
    request = HeadReader(DesyncMode.MONITOR, drop_invalid=True).read(head)
    assert request.lines == [b"X-A: 1\r\n", b"X-C: 3\r\n"]
    assert request.invalid_names


_PASSED_ON = [b"X-A: 1", b"X_B: 2", b"X-C : 3", b"Content-Type: d", b"bare"]
_ENDS_HERE = [b"Te: a", b"Host: b", b"Content-Length: 0", b"X-Named: c", b": e"]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(_PASSED_ON + _ENDS_HERE),
            st.lists(st.sampled_from([b" a", b"\tb: c", b" ,d", b" Host: e"]), max_size=2),
        ),
        max_size=6,
    ),
    st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_continuation_stays_with_its_header(
    headers: list[tuple[bytes, list[bytes]]], drop_invalid: bool
) -> None:
    written = [line for header, folds in headers for line in (header, *folds)]
    head = b"\r\n".join([b"GET / HTTP/1.1", b"Connection: x-named", *written, b"", b""])
    sent = b"".join(HeadReader(DesyncMode.MONITOR, drop_invalid=drop_invalid).read(head).lines)
    folds_of_passed_on = [
        fold for header, folds in headers if header in _PASSED_ON for fold in folds
    ]
    folds_sent = [line for line in sent.split(b"\r\n") if line[:1] in (b" ", b"\t")]
    expected = [] if drop_invalid else folds_of_passed_on
    assert [line.rstrip(b":") for line in folds_sent] == expected
    assert sent[:1] not in (b" ", b"\t")


def facts(request: Request) -> dict[str, object]:
    return {name: getattr(request, name) for name in Request.__slots__ if name != "version"}


_HEADS = st.lists(
    st.sampled_from(
        [
            *(b"GET ", b"POST ", b"/ ", b"/a?b ", b" ", b"HTTP/1.1", b"HTTP/1.0", b"\r\n", b"\n"),
            *(b"Host: a\r\n", b"X:  b \r\n", b"Content-Length: 3\r\n", b"Content-Length: 03\r\n"),
            *(
                b"Transfer-Encoding: chunked\r\n",
                b"content_length: 4\r\n",
                b"Connection: close\r\n",
            ),
            *(b"Expect: 100-continue\r\n", b"Upgrade: websocket\r\n", b"Connection: upgrade\r\n"),
            *(b"X-Forwarded-For: 1.2.3.4\r\n", b"\xe9", b"\0", b"\t", b":", b"a", b"=", b"\x0b"),
        ]
    ),
    max_size=12,
).map(b"".join)


@given(_HEADS, st.booleans())
@example(GET + b"X:  two words \t\r\nEmpty:\r\nTransfer--Encoding: x\r\n", False)
@settings(max_examples=600, deadline=None)
def test_both_readers_agree_on_well_formed_heads(rest: bytes, with_line: bool) -> None:
    head = (POST if with_line else b"") + rest
    if b"\n\r\n" in head or b"\n\n" in head:
        return
    head = head.rstrip(b"\r\n") + b"\r\n\r\n"
    reader = StrictHead()
    quick = reader.read(head)
    again = reader.read(head)
    if quick is None:
        assert again is None
        return
    careful = read_leniently(head)
    assert again is not None
    assert facts(again) == facts(quick)
    assert careful.finding is None
    assert not careful.refusal
    assert facts(careful) == facts(quick)
