"""The test cases of http-desync-guardian, the library that the AWS guide names, as facts.

For each case of its ten suites (github.com/aws/http-desync-guardian, ``tests/``, in the order
there): the request as it is on the wire, and the tier and the reason that the library returns.
Headers that play no part in a case are left out or replaced.
"""

from dataclasses import dataclass

from gateway.http1.desync import DesyncReason as R
from gateway.http1.desync import Tier


@dataclass(frozen=True)
class Case:
    """``reason`` is None for a compliant request."""

    name: str
    head: bytes
    tier: Tier = Tier.Compliant
    reason: R | None = None


TE, CL = b"Transfer-Encoding", b"Content-Length"
CHUNKED = TE + b": chunked"
BROWSER = (
    b"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    b"Accept: text/html,*/*;q=0.8",
    b"Accept-Language: en",
    b"Accept-Encoding: gzip, br",
    b"Connection: keep-alive",
    b"Upgrade-Insecure-Requests: 1",
)
PLAIN = b"X-Plain: some text"

_Line = bytes | str


def _head(line: _Line, *headers: _Line) -> bytes:
    written = [part.encode() if isinstance(part, str) else part for part in (line, *headers)]
    return b"\r\n".join((*written, b"", b""))


def _suite(name: str, *cases: tuple[Tier, R | None, bytes]) -> list[Case]:
    return [
        Case(f"{name} {number}", head, tier, reason)
        for number, (tier, reason, head) in enumerate(cases, 1)
    ]


def _compliant(line: _Line, *headers: _Line) -> tuple[Tier, R | None, bytes]:
    return Tier.Compliant, None, _head(line, *headers)


def _acceptable(reason: R, line: _Line, *headers: _Line) -> tuple[Tier, R | None, bytes]:
    return Tier.Acceptable, reason, _head(line, *headers)


def _ambiguous(reason: R, line: _Line, *headers: _Line) -> tuple[Tier, R | None, bytes]:
    return Tier.Ambiguous, reason, _head(line, *headers)


def _severe(reason: R, line: _Line, *headers: _Line) -> tuple[Tier, R | None, bytes]:
    return Tier.Severe, reason, _head(line, *headers)


GET, HEAD, PUT, POST = (
    f"{method} /foo/bar HTTP/1.1".encode() for method in ("GET", "HEAD", "PUT", "POST")
)

CASES = [
    *_suite(
        "single-case",
        _ambiguous(R.BOTH_FRAMINGS, POST, CHUNKED, CL + b": 100"),
    ),
    *_suite(
        "acceptable",
        _acceptable(R.NON_COMPLIANT_HEADER, PUT, b"X-Own : a", PLAIN),
        _acceptable(R.NON_COMPLIANT_HEADER, PUT, b"X-Own : a", CHUNKED),
        _acceptable(R.NON_COMPLIANT_HEADER, PUT, b"\x01X-Own: a", CHUNKED),
        _acceptable(R.NON_COMPLIANT_HEADER, PUT, b"X-Own : a", CL + b": 10000"),
        _acceptable(R.ZERO_CONTENT_LENGTH, GET, CL + b": 0"),
        _acceptable(R.ZERO_CONTENT_LENGTH, HEAD, CL + b": 0"),
        _acceptable(R.NON_COMPLIANT_VERSION, b"GET /foo/bar HTTP/0.9", PLAIN),
        _acceptable(R.NON_COMPLIANT_VERSION, b"GET /foo/bar", PLAIN),
        _acceptable(R.NON_COMPLIANT_VERSION, b"GET /foo/bar HTTP/1.2", PLAIN),
    ),
    *_suite(
        "ambiguous",
        _ambiguous(R.SUSPICIOUS_HEADER, POST, TE + b" : chunked"),
        _ambiguous(R.SUSPICIOUS_HEADER, POST, TE + b"\t: chunked"),
        _ambiguous(R.SUSPICIOUS_HEADER, POST, b"\x01" + CHUNKED),
        _ambiguous(R.SUSPICIOUS_HEADER, POST, b"\x01\x01" + CHUNKED),
        _ambiguous(R.SUSPICIOUS_HEADER, POST, b"\x01\x01" + CL + b": 1"),
        _ambiguous(R.SUSPICIOUS_HEADER, POST, b"\x01" + CL + b": 1"),
        _ambiguous(R.SUSPICIOUS_HEADER, POST, b"Transfer- Encoding: chunked"),
        _ambiguous(R.SUSPICIOUS_HEADER, POST, b"Transfer_Encoding: chunked"),
        _ambiguous(R.SUSPICIOUS_HEADER, POST, b"Content_Length: 1000"),
        _ambiguous(R.DUPLICATE_CONTENT_LENGTH, PUT, CL + b": 1000", CL + b": 1000"),
        _ambiguous(R.BOTH_FRAMINGS, POST, CHUNKED, CL + b": 100"),
        _ambiguous(R.BOTH_FRAMINGS, POST, TE + b": gzip", CL + b": 100"),
        _ambiguous(R.UNDEFINED_CONTENT_LENGTH, GET, CL + b": 1000"),
        _ambiguous(R.UNDEFINED_TRANSFER_ENCODING, GET, CHUNKED),
        _ambiguous(R.UNDEFINED_CONTENT_LENGTH, HEAD, CL + b": 1000"),
        _ambiguous(R.UNDEFINED_TRANSFER_ENCODING, HEAD, CHUNKED),
        _ambiguous(R.SUSPICIOUS_HEADER, POST, TE + b" : chunked", CL + b": 1000"),
        _ambiguous(R.SUSPICIOUS_HEADER, POST, b" " + CHUNKED, CL + b": 1000"),
        _ambiguous(R.SUSPICIOUS_HEADER, POST, b" " + CHUNKED, b" " + CL + b": 1000"),
        _ambiguous(R.SUSPICIOUS_HEADER, POST, TE + b" : chunked", CL + b" : 1000"),
        _ambiguous(R.SUSPICIOUS_HEADER, POST, TE + b" x: chunked"),
        _ambiguous(R.SUSPICIOUS_HEADER, POST, TE.lower() + b" XY: chunked"),
        _ambiguous(R.SUSPICIOUS_HEADER, POST, TE + b" \x01: chunked"),
        _ambiguous(R.EMPTY_HEADER, POST, b": chunked", CL + b": 1000"),
        _ambiguous(R.EMPTY_HEADER, POST, b":Some:" + TE + b":: chunked", CL + b": 1000"),
        _ambiguous(R.EMPTY_HEADER, POST, b"   \t\t  : chunked", CL + b": 1000"),
        _ambiguous(R.UNDEFINED_TRANSFER_ENCODING, b"POST /foo/bar HTTP/1.0", CHUNKED),
        _ambiguous(R.UNDEFINED_TRANSFER_ENCODING, b"POST /foo/bar HTTP/0.9", CHUNKED),
        _ambiguous(R.UNDEFINED_CONTENT_LENGTH, b"POST /foo/bar HTTP/0.9", CL + b": 100"),
        _ambiguous(R.UNDEFINED_TRANSFER_ENCODING, b"POST /foo/bar", CHUNKED),
        _ambiguous(R.UNDEFINED_CONTENT_LENGTH, b"POST /foo/bar", CL + b": 100"),
        _ambiguous(R.SUSPICIOUS_HEADER, POST, "Tran\u017ffer-Encoding: chunked"),
        _ambiguous(R.SUSPICIOUS_HEADER, POST, "Transfer-Encod\u0131ng: chunked"),
        _ambiguous(R.SUSPICIOUS_HEADER, POST, b"Transfer---Encoding: chunked"),
        _ambiguous(R.SUSPICIOUS_HEADER, POST, b"Transfer___Encoding: chunked"),
        _ambiguous(R.SUSPICIOUS_HEADER, POST, "\u2003Transfer-Encoding: chunked"),
        _ambiguous(R.SUSPICIOUS_HEADER, POST, "Content-Length\u2003: 1000"),
        _ambiguous(R.SUSPICIOUS_HEADER, POST, "Transfer\u2015Encoding: chunked"),
        _ambiguous(R.SUSPICIOUS_HEADER, POST, "Transfer-Encoding\x88: chunked"),
        _ambiguous(R.SUSPICIOUS_HEADER, POST, "\xa0Content-Length: 100"),
    ),
    *_suite(
        "bad-header-characters",
        _ambiguous(R.SUSPICIOUS_HEADER, POST, PLAIN, b"\x01" + CHUNKED),
        _severe(R.BAD_TRANSFER_ENCODING, POST, TE + b": \x01chunked"),
        _severe(R.BAD_TRANSFER_ENCODING, POST, CHUNKED + b"\x01"),
        _severe(R.BAD_TRANSFER_ENCODING, POST, "Transfer-Encoding: \xa0chunked"),
        _severe(R.BAD_TRANSFER_ENCODING, POST, "Transfer-Encoding: chunked\xa0"),
        _ambiguous(R.SUSPICIOUS_HEADER, POST, PLAIN, TE + b"\x01: chunked"),
        _ambiguous(R.SUSPICIOUS_HEADER, POST, PLAIN, b"\x01" + CL + b": 1000"),
        _ambiguous(R.SUSPICIOUS_HEADER, POST, PLAIN, CL + b"\x01: 1000"),
        _severe(R.BAD_CONTENT_LENGTH, POST, CL + b": \x011000"),
        _severe(R.BAD_CONTENT_LENGTH, POST, CL + b": 1000\x01"),
        _severe(R.BAD_CONTENT_LENGTH, POST, "Content-Length: 1000\xa0"),
        _acceptable(R.NON_COMPLIANT_HEADER, POST, b"X-Own\x01: a", CHUNKED),
        _acceptable(R.NON_COMPLIANT_HEADER, POST, b"\x01X-Own: a", CHUNKED),
        _acceptable(R.NON_COMPLIANT_HEADER, POST, b"X-Own: \x01a", CHUNKED),
        _acceptable(R.NON_COMPLIANT_HEADER, POST, b"X-Own: a\x01", CHUNKED),
    ),
    *_suite(
        "edge-cases",
        _severe(R.BAD_CONTENT_LENGTH, POST, b"X-Own: a\x12", CL + b": 1000\x11"),
        _severe(R.BAD_TRANSFER_ENCODING, POST, b"X-Own: a\x11", CHUNKED + b"\x7f"),
        _severe(R.BAD_HEADER, PUT, b"X-Own\t: \x11\x12 a \x00 b", TE + b"\t: chunked"),
        _ambiguous(R.UNDEFINED_TRANSFER_ENCODING, GET, b"X-Own: a\x01", CHUNKED),
        _ambiguous(R.UNDEFINED_CONTENT_LENGTH, HEAD, b"X-Own: a\x01", CL + b": 9000"),
        _severe(
            R.BAD_TRANSFER_ENCODING,
            POST,
            *(b"X-Own: \x11a", "Transfer-Encoding: chunked\x80", CL + b": $9000"),
        ),
        _severe(
            R.BAD_TRANSFER_ENCODING,
            rb"POST /foo/bar\t/baz HTTP/1.1",
            *(b"X-Own: \x11a", "Transfer-Encoding: chunked\x80", CL + b": $9000"),
        ),
        _ambiguous(
            R.UNDEFINED_CONTENT_LENGTH,
            rb"GET /foo/bar\t/baz HTTP/1.1",
            *(b"X-Own: a\x01", CL + b": 9000"),
        ),
    ),
    *_suite(
        "more-compliant",
        _compliant(PUT, *BROWSER, CL + b":  22220  "),
        _compliant(PUT, *BROWSER, *(b"X-Own-%d: a" % number for number in range(29))),
        _compliant(PUT, *BROWSER, CHUNKED),
        _compliant(b"POST /test.html?a=b&b=c&%dd=%ee HTTP/1.1", *BROWSER, CHUNKED),
        _compliant(POST, *BROWSER, CL + b": 5"),
        _compliant(POST, *BROWSER, TE + b": gzip, chunked"),
        _compliant(POST, *BROWSER, CL + b": 4000000", b"X-Own: " + CHUNKED),
        _compliant(POST, *BROWSER, TE + b": deflate, identity, chunked"),
        _compliant(
            POST,
            *BROWSER,
            *(
                TE + b": " + coding
                for coding in (b"gzip", b"deflate", b"identity", b"compress", b"chunked")
            ),
        ),
        _compliant(POST, *BROWSER, TE + b": \t\t\t\tchunked;custom_param;\t\t\t\t"),
    ),
    *_suite(
        "real-life",
        _ambiguous(R.UNDEFINED_CONTENT_LENGTH, GET, *BROWSER, CL + b": 22"),
        _ambiguous(R.UNDEFINED_TRANSFER_ENCODING, GET, *BROWSER, CHUNKED),
        _ambiguous(R.UNDEFINED_TRANSFER_ENCODING, b"POST /foo/bar HTTP/1.0", *BROWSER, CHUNKED),
        _ambiguous(R.DUPLICATE_CONTENT_LENGTH, POST, *BROWSER, CL + b": 5", CL + b": 5"),
        _severe(R.MULTIPLE_CHUNKED, POST, *BROWSER, CHUNKED, CHUNKED, CL + b": 4"),
        _ambiguous(R.BOTH_FRAMINGS, POST, *BROWSER, CL + b": 4", CHUNKED),
        _severe(R.BAD_HEADER, POST, *BROWSER, b"X-Own: gzip, \x00br", CHUNKED, CL + b": 4"),
        _severe(R.BAD_HEADER, POST, *BROWSER, CL + b": 4", b"\x00" + CHUNKED),
        _severe(R.BAD_HEADER, POST, *BROWSER, CL + b": 4", b"X-Own: x\r" + CHUNKED),
        _ambiguous(R.SUSPICIOUS_HEADER, POST, *BROWSER, TE + b"\t: chunked", CL + b": 4"),
        _severe(R.BAD_HEADER, POST, *BROWSER, b"\r" + CHUNKED, CL + b": 4"),
        _severe(R.BAD_HEADER, POST, *BROWSER, b"\r" + CHUNKED),
        _severe(R.BAD_HEADER, POST, *BROWSER, b"\r" + CL + b": 1000", CL + b": 100"),
        _severe(R.BAD_TRANSFER_ENCODING, POST, *BROWSER, TE + b": chunk", CL + b": 4"),
        _ambiguous(R.BOTH_FRAMINGS, POST, *BROWSER, TE + b": deflate", CL + b": 4"),
        _severe(R.BAD_TRANSFER_ENCODING, POST, *BROWSER, TE + b": xchunked", CL + b": 4"),
        _ambiguous(
            R.BOTH_FRAMINGS,
            POST,
            *(*BROWSER, TE + b": gzip", TE + b": deflate", TE + b": identity"),
            *(TE + b": compress", CHUNKED, CL + b": 4"),
        ),
        _ambiguous(
            R.BOTH_FRAMINGS,
            POST,
            *(*BROWSER, TE + b":  \t\t\t\tchunked;custom_param;\t\t\t\t", CL + b": 4"),
        ),
        _severe(R.MULTIPLE_CHUNKED, POST, *BROWSER, CHUNKED + b",chunked", CL + b": 4"),
        _ambiguous(R.BOTH_FRAMINGS, POST, *BROWSER, b"TrAnSfEr-EnCoDiNg: ChUnKeD", CL + b": 4"),
        _severe(R.BAD_TRANSFER_ENCODING, POST, *BROWSER, CHUNKED, TE + b": cow", CL + b": 6"),
        _severe(R.BAD_HEADER, POST, *BROWSER, CL + b": 6", b"\x00" + CHUNKED),
        _severe(R.BAD_HEADER, POST, *BROWSER, TE + b": \x00chunked", CL + b": 6"),
        _ambiguous(R.BOTH_FRAMINGS, POST, *BROWSER, b"TrAnSfEr-EnCoDiNg: ChUnKeD", CL + b": 6"),
    ),
    *_suite(
        "rfc-compliant",
        _compliant(GET),
        _compliant(POST, CHUNKED),
        _compliant(PUT, CL + b": 1000"),
        _compliant(POST, CHUNKED, "X-Own: \t\t\ta;`\x85\x93\xa0"),
        _compliant(POST, "X-Own.!#$%&'*+^_`|~0123456789: \t\t\ta;`\x85\x93\xa0"),
        _compliant(POST, "X_Own: \t\t\ta;`\x85\x93\xa0"),
        _compliant(POST, "X.Own: \t\t\ta;`\x85\x93\xa0"),
        _compliant(POST, "X-Own-0987654321: \t\t\ta;`\x85\x93\xa0"),
        _compliant(
            POST,
            *(
                TE + b": " + coding
                for coding in (b"gzip", b"deflate", b"identity", b"compress", b"chunked")
            ),
        ),
        _compliant(POST, TE + b": gzip , deflate , \tidentity\t, compress\t, chunked"),
        _compliant(
            POST,
            *(TE + b":    gzip   ;   ", TE + b": deflate\t\t;\t\t"),
            TE + b": \t\t\t\tchunked;custom_param;\t\t\t\t",
        ),
        _compliant(
            b"POST /user:pass123@www.example.com:8080/site/index.php?action=login%20"
            b"++~!@#$%^&*()_+:<>?,./;'[]{}`~\\\"|&prev=index#form HTTP/1.1",
            b"Accept: */*",
        ),
        _compliant("GET /\u0441\u0442\u0440\u0430\u043d\u043d\u044b\u0435 HTTP/1.1", PLAIN),
        _compliant(b"GET  HTTP/1.1", PLAIN),
    ),
    *_suite(
        "severe",
        _severe(R.MULTIPLE_CONTENT_LENGTH, POST, CL + b": 1000", CL + b": 100"),
        _severe(R.BAD_CONTENT_LENGTH, POST, CL + b": 1000,1000"),
        _severe(R.BAD_CONTENT_LENGTH, POST, CL + b": 1000 1000"),
        _severe(R.BAD_CONTENT_LENGTH, POST, CL + b": 1000.1000"),
        _severe(R.BAD_CONTENT_LENGTH, POST, CL + b": 18446744073709551616"),
        _severe(R.BAD_TRANSFER_ENCODING, POST, TE + b": xchunked"),
        _severe(R.BAD_TRANSFER_ENCODING, POST, CHUNKED + b"\x11"),
        _severe(R.BAD_CONTENT_LENGTH, POST, CL + b": 1000\x11"),
        _severe(R.MULTIPLE_CHUNKED, POST, CHUNKED, CHUNKED),
        _severe(R.MULTIPLE_CHUNKED, POST, CHUNKED + b",chunked"),
        _severe(R.BAD_HEADER, POST, CL + b": 1000", b"X-Own: a\r\n b \n c \n " + CHUNKED),
        _severe(R.BAD_HEADER, POST, CL + b": 1000", b"X-Own: a\n b \n c \n " + CHUNKED),
        _severe(R.BAD_HEADER, POST, CL + b": 1000", b"X-Own: a\r b\r c"),
        _severe(R.BAD_HEADER, POST, CL + b": 1000", b"X-Own: a\n b\n c"),
        _severe(R.BAD_HEADER, POST, b"X-Own\r: 1000"),
        _severe(
            R.BAD_HEADER,
            POST,
            *(b"X-Own\n: " + CL + b":1000\r\n " + CHUNKED, CL + b": 100"),
        ),
        _severe(R.BAD_HEADER, POST, b"X-Own\x00: 1000"),
        _severe(R.BAD_HEADER, POST, b"X-Own: a\rcontent-length: 1000", CL + b": 100"),
        _severe(R.BAD_HEADER, POST, b"X-Own: a\n content-length: 1000", CL + b": 100"),
        _severe(R.BAD_HEADER, POST, b"X-Own: a\x00content-length: 1000", CL + b": 100"),
        _severe(R.BAD_HEADER, POST, b"\x00X-Own: a", CL + b": 100"),
        _severe(R.BAD_HEADER, POST, b"X-Own: \x00a", CL + b": 100"),
        _severe(R.BAD_HEADER, POST, b"X-Own: a\x00", CL + b": 100"),
        _severe(R.MULTIPLE_CONTENT_LENGTH, POST, CL + b" : 100", CL + b": 1000"),
        _severe(R.MULTIPLE_CONTENT_LENGTH, POST, b" " + CL + b": 100", CL + b": 1000"),
        _severe(R.MULTIPLE_CHUNKED, POST, TE + b" : chunked", CHUNKED),
        _severe(R.BAD_METHOD, b"bad_method\x01 /foo/bar HTTP/1.1", b"Host: localhost"),
    ),
    *_suite(
        "uri",
        _ambiguous(R.AMBIGUOUS_URI, b"GET /a\tHTTP/1.1 HTTP/1.1", PLAIN),
        _acceptable(R.NON_COMPLIANT_VERSION, b"GET /a HTTP/1.1 ", PLAIN),
        _ambiguous(R.AMBIGUOUS_URI, b"GET /a\x01HTTP/1.1 HTTP/1.1", PLAIN),
        _acceptable(R.SPACE_IN_URI, b"GET /a?b=some more words HTTP/1.1", PLAIN),
        _severe(R.BAD_VERSION, b"GET /a HTTP/1.1 HTTP/1.1", PLAIN),
        _severe(R.BAD_URI, b"GET /a\rHTTP/1.1 HTTP/1.1", PLAIN),
        _severe(R.BAD_URI, b"GET /a\nHTTP/1.1 HTTP/1.1", PLAIN),
        _severe(
            R.BAD_URI,
            b"GET /a\tHTTP/1.1\r\nHost:localhost\r\n\r\nGET\t/b\t HTTP/1.1",
            PLAIN,
        ),
        _severe(R.BAD_URI, b"GET /a\x00HTTP/1.1 HTTP/1.1", PLAIN),
        _severe(R.BAD_URI, b"GET \x00/aHTTP/1.1 HTTP/1.1", PLAIN),
        _compliant(b"GET /a-%09-b HTTP/1.1", PLAIN),
        _compliant(b"GET /a-%20-b HTTP/1.1", PLAIN),
        _compliant(b"GET /a-%0D-b HTTP/1.1", PLAIN),
        _compliant(b"GET /a-%0A-b HTTP/1.1", PLAIN),
    ),
]
