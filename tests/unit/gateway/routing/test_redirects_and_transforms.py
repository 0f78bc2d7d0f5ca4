"""Redirects, and rewriting the request for a target."""

import pytest

from gateway.routing.redirect import Redirect
from gateway.routing.settings import Routing
from gateway.template.reader import RefusedTemplateError, read_routing
from tests.unit.gateway.fake_request import FakeRequest
from tests.unit.gateway.support import TEMPLATE, Bench

FIXED = TEMPLATE[TEMPLATE.index("        - Type: fixed-response") :]


def with_action(action: str, *, transforms: str = "") -> Routing:
    """The template, whose rule for /fixed applies to every path and has this action."""
    text = TEMPLATE.replace(FIXED, f"        - {action}\n")
    text = text.replace("Values: [/fixed]", "Values: ['/*']")
    if transforms:
        text += f"      Transforms: [{transforms}]\n"
    return read_routing(text, {}, "t.yml")


def refusal(action: str, *, transforms: str = "") -> str:
    with pytest.raises(RefusedTemplateError) as caught:
        with_action(action, transforms=transforms)
    return "\n".join(caught.value.lines)


def redirect(config: str) -> str:
    return f"{{Type: redirect, RedirectConfig: {{{config}}}}}"


REQUEST = FakeRequest(b"/a/b?c=d#e", routing_host=b"web.example")


@pytest.mark.parametrize(
    ("action", "location"),
    [
        (Redirect(301, protocol="HTTPS", port="443"), b"https://web.example:443/a/b?c=d"),
        (Redirect(301, host="new.#{host}"), b"http://new.web.example:8080/a/b?c=d"),
        (Redirect(301, path="/x/#{path}"), b"http://web.example:8080/x/a/b?c=d"),
        (
            Redirect(302, path="/#{host}/#{port}", query="p=#{protocol}&q=#{query}&r=#{path}"),
            b"http://web.example:8080/web.example/8080?p=http&q=c=d&r=a/b",
        ),
        (Redirect(302, path="/", query="x"), b"http://web.example:8080/?x"),
        (Redirect(302, port="80"), b"http://web.example:80/a/b?c=d"),
    ],
)
def test_redirect_keeps_unchanged_parts_and_always_includes_the_port(
    action: Redirect, location: bytes
) -> None:
    assert action.location(REQUEST, "HTTP", 8080) == location


def test_location_contains_no_blanks_or_control_characters() -> None:
    request = FakeRequest(b"/a b\rSet-Cookie:x=1\x01?c\td")
    location = Redirect(302, port="80").location(request, "HTTP", 8080)
    assert location == b"http://test.example:80/a%20b%0DSet-Cookie:x=1%01?c%09d"


@pytest.mark.parametrize(
    "action",
    [
        redirect("StatusCode: HTTP_302, Port: '81'"),
        "{Type: fixed-response, FixedResponseConfig: {StatusCode: '200'}}",
        "{Type: forward, TargetGroupArn: !Ref Web}",
    ],
)
async def test_invalid_host_is_400_for_every_rule(bench: Bench, action: str) -> None:
    gateway = await bench.gateway(await bench.target(), with_routing=with_action(action))
    for host in (b"", b'a"b', b"a b", b"a/?", b"u@a", b"a<"):
        client = await bench.client(gateway)
        client.send(b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
        answer = await client.answer()
        assert (answer.status, answer.header(b"Location")) == (400, None), host


def test_a_redirect_without_query_writes_no_question_mark() -> None:
    action = Redirect(301, port="443")
    assert action.location(FakeRequest(b"/"), "HTTP", 80) == b"http://test.example:443/"


TO_81 = redirect("StatusCode: HTTP_302, Port: '81'")


@pytest.mark.parametrize(
    ("config", "line"),
    [
        ("StatusCode: HTTP_303, Port: '443'", "StatusCode is HTTP_301 or HTTP_302"),
        ("StatusCode: HTTP_301", "or it is a loop"),
        ("StatusCode: HTTP_301, Query: x", "or it is a loop"),
        ("StatusCode: HTTP_301, Protocol: ftp", "Protocol 'ftp' cannot be redirected to"),
        ("StatusCode: HTTP_301, Port: '0'", "Port '0' cannot be redirected to"),
        ("StatusCode: HTTP_301, Port: '65536'", "Port 65536 is over 65535"),
        ("StatusCode: HTTP_301, Path: x", "Path 'x' cannot be redirected to"),
        (f"StatusCode: HTTP_301, Path: /{'x' * 128}", "cannot be redirected to"),
        ("StatusCode: HTTP_301, Host: '#{path}'", "Host cannot contain the keyword 'path'"),
        ("StatusCode: HTTP_301, Host: '#{made}'", "Host cannot contain the keyword 'made'"),
        ("StatusCode: HTTP_301, Path: '/#{query}'", "Path cannot contain the keyword 'query'"),
        ("StatusCode: HTTP_301, Port: '443', More: x", "property More is not implemented"),
    ],
)
def test_redirect_that_aws_rejects_is_refused(config: str, line: str) -> None:
    assert line in refusal(redirect(config))


def test_https_is_not_redirected_to_http() -> None:
    text = TEMPLATE.replace(FIXED, f"        - {redirect('StatusCode: HTTP_301, Protocol: HTTP')}")
    https = "Protocol: HTTPS\n      Certificates: [{CertificateArn: 'arn:x'}]\n      Port: 8080"
    text = text.replace("Protocol: HTTP\n      Port: 8080", https)
    with pytest.raises(RefusedTemplateError, match="HTTPS is not redirected to HTTP"):
        read_routing(text, {}, "t.yml")


async def test_redirect_has_the_bytes_of_an_alb(bench: Bench) -> None:
    routing = with_action(redirect("StatusCode: HTTP_301, Protocol: HTTPS, Port: '443'"))
    gateway = await bench.gateway(with_routing=routing)
    client = await bench.client(gateway)
    client.send(b"GET /packages?a=b HTTP/1.1\r\nHost: Abc.example:81\r\n\r\n")
    answer = await client.answer()
    assert answer.status_line == b"HTTP/1.1 301 Moved Permanently"
    assert answer.header(b"Location") == b"https://Abc.example:443/packages?a=b"
    assert [name for name, _ in answer.headers if name != b"Location"] == [
        b"Server",
        b"Date",
        b"Content-Type",
        b"Content-Length",
        b"Connection",
    ]
    assert answer.header(b"Content-Length") == b"134"
    assert b"<center><h1>301 Moved Permanently</h1></center>" in answer.body


async def test_a_302_has_a_status_line_that_differs_from_its_title(bench: Bench) -> None:
    gateway = await bench.gateway(
        with_routing=with_action(redirect("StatusCode: HTTP_302, Port: '81'"))
    )
    client = await bench.client(gateway)
    answer = await client.get("/x")
    assert answer.status_line == b"HTTP/1.1 302 Moved Temporarily"
    assert (answer.header(b"Content-Length"), answer.body[14:30]) == (b"110", b"<title>302 Found")


async def test_a_redirect_over_8_kilobytes_is_507(bench: Bench) -> None:
    gateway = await bench.gateway(
        with_routing=with_action(redirect("StatusCode: HTTP_302, Port: '81'"))
    )
    client = await bench.client(gateway)
    prefix = len(b"http://test:81/")
    assert (await client.get("/" + "x" * (8192 - prefix))).status == 302
    assert (await client.get("/" + "x" * (8193 - prefix))).status == 507


FORWARD = "{Type: forward, TargetGroupArn: !Ref Web}"


def url(pattern: str, replacement: str) -> str:
    return _transform("url-rewrite", "UrlRewriteConfig", pattern, replacement)


def host(pattern: str, replacement: str) -> str:
    return _transform("host-header-rewrite", "HostHeaderRewriteConfig", pattern, replacement)


def _transform(kind: str, config: str, pattern: str, replacement: str) -> str:
    rewrite = f"{{Regex: '{pattern}', Replace: '{replacement}'}}"
    return f"{{Type: {kind}, {config}: {{Rewrites: [{rewrite}]}}}}"


async def sent(bench: Bench, transforms: str, target: str, name: str = "a.example") -> list[bytes]:
    """The target's request line and host, or only the status if nothing is sent to it."""
    web = await bench.target()
    gateway = await bench.gateway(web, with_routing=with_action(FORWARD, transforms=transforms))
    client = await bench.client(gateway)
    client.send(f"GET {target} HTTP/1.1\r\nHost: {name}\r\n\r\n".encode())
    answer = await client.answer()
    if not web.visits:
        return [str(answer.status).encode()]
    visit = web.visits[-1]
    port = f":{gateway.port}".encode()
    return [visit.request_line.split()[1], (visit.header(b"Host") or b"").removesuffix(port)]


@pytest.mark.parametrize(
    ("pattern", "replacement", "target", "expected"),
    [
        ("^/dp/([A-Za-z0-9]+)/?$", "/product.php?id=$1", "/dp/B09", b"/product.php?id=B09"),
        ("^/dp/([A-Za-z0-9]+)/?$", "/product.php?id=$1", "/dp/B-09", b"/dp/B-09"),
        ("^/api(/.*)$", "$1", "/api/v1/x?y=z", b"/v1/x?y=z"),
        ("a", "b", "/aa", b"/ba"),
        ("(x)?y", "[$1$2]", "/y", b"/[]"),
    ],
)
async def test_path_and_query_are_rewritten_for_the_target(
    bench: Bench, pattern: str, replacement: str, target: str, expected: bytes
) -> None:
    assert await sent(bench, url(pattern, replacement), target) == [expected, b"a.example"]


async def test_the_host_is_rewritten_for_the_target(bench: Bench) -> None:
    rewrite = host("^mywebsite-(.+).com$", "internal.dev.$1.myweb.com")
    assert await sent(bench, rewrite, "/x", "mywebsite-beta.com:81") == [
        b"/x",
        b"internal.dev.beta.myweb.com",
    ]
    both = f"{rewrite}, {url('^/x', '/y')}"
    assert await sent(bench, both, "/x", "other.com") == [b"/y", b"other.com"]


@pytest.mark.parametrize("transform", [url("^/", ""), host(".+", "_"), host(".+", "")])
async def test_transform_with_an_invalid_result_is_500(bench: Bench, transform: str) -> None:
    assert await sent(bench, transform, "/x") == [b"500"]


@pytest.mark.parametrize(
    ("transforms", "line"),
    [
        (url("(?=a)", "x"), "regular expression '(?=a)'"),
        (url("a", "b c"), "no spaces"),
        (url("^/a b", "/x"), "Regex has no white space"),
        (url("^/a\tb", "/x"), "Regex has no white space"),
        (url("", "x"), "Regex has 1 to 1024 characters"),
        (f"{url('a', 'b')}, {url('c', 'd')}", "at most one transform of type 'url-rewrite'"),
        ("{Type: header-rewrite}", "transform 'header-rewrite' is not implemented"),
        ("{Type: url-rewrite}", "needs UrlRewriteConfig"),
        ("{Type: url-rewrite, UrlRewriteConfig: {Rewrites: []}}", "exactly one rewrite"),
    ],
)
def test_transform_that_aws_rejects_is_refused(transforms: str, line: str) -> None:
    assert line in refusal(FORWARD, transforms=transforms)


def test_transforms_require_a_forward_action() -> None:
    action = redirect("StatusCode: HTTP_302, Port: '81'")
    assert "Transforms with another action than forward" in refusal(
        action, transforms=url("a", "b")
    )
