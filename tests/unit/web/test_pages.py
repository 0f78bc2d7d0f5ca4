"""Serving the page over HTTP."""

import gzip
import json
import re
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from tests.unit.web.readers import FakeBoard
from topology.contexts import CONTEXT_NAMES
from web.site import STATIC, build

BROWSER = {"Accept": "text/html,application/xhtml+xml", "Accept-Encoding": "gzip, br"}
SITE = build()
ASSET = next(name for name in SITE.assets if name.startswith("app."))


@pytest_asyncio.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with FakeBoard().page() as client:
        yield client


@pytest.mark.parametrize(
    "path",
    [
        "/", "/threads/1", "/threads/1/", "/users/1", "/search", "/signin", "/register",
        "/settings", "/moderation", "/docs", "/problems/conflict", "/password-resets",
    ],
)  # fmt: skip
async def test_each_address_of_the_page_can_be_opened_directly(
    http: httpx.AsyncClient, path: str
) -> None:
    answer = await http.get(path, headers=BROWSER)
    assert answer.status_code == 200
    assert b'<script type="module" src="/assets/app.' in answer.content
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    policy = answer.headers["content-security-policy"]
    assert policy == SITE.policy
    assert "frame-ancestors 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"


@pytest.mark.parametrize(
    "path", ["/nowhere", "/threads/x", "/threads/0", "/problems/x", "/assets/app.js", "/Signin"]
)
async def test_browser_gets_the_page_with_404_for_an_unknown_address(
    http: httpx.AsyncClient, path: str
) -> None:
    answer = await http.get(path, headers=BROWSER)
    assert answer.status_code == 404
    assert b"Page not found" in answer.content
    assert answer.headers["content-security-policy"] == SITE.policy
    assert answer.headers["cache-control"] == "no-store"
    head = await http.head(path, headers=BROWSER)
    assert (head.status_code, head.content) == (404, b"")


@pytest.mark.parametrize(
    ("path", "headers"), [("/nowhere", {}), ("/api/nowhere", BROWSER), ("/api", BROWSER)]
)
async def test_programs_get_a_problem_in_place_of_the_page(
    http: httpx.AsyncClient, path: str, headers: dict[str, str]
) -> None:
    answer = await http.get(path, headers=headers)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


async def test_address_that_sent_too_many_requests_gets_a_page_that_says_so() -> None:
    async with FakeBoard().page(address_limit=2) as http:
        assert (await http.get("/", headers=BROWSER)).status_code == 200
        for _ in range(3):
            assert (await http.get(f"/assets/{ASSET}")).status_code == 200
            assert (await http.get("/manifest.webmanifest")).status_code == 200
        assert (await http.get("/threads/1", headers=BROWSER)).status_code == 200
        refused = await http.get("/threads/1", headers=BROWSER)
        feed = await http.get("/feed")
    assert refused.status_code == 429
    assert b'<h1 dir="auto">Too many requests</h1>' in refused.content
    assert refused.headers["cache-control"] == "no-store"
    assert refused.headers["content-security-policy"] == SITE.policy
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["ratelimit"].startswith('"address";r=0;')
    assert feed.status_code == 429
    assert feed.headers["content-type"] == "application/problem+json"


async def test_page_cannot_be_embedded_at_the_expense_of_its_readers() -> None:
    async with FakeBoard().page(address_limit=1) as http:
        for destination in ("image", "iframe", "script"):
            refused = await http.get("/threads/1", headers={"Sec-Fetch-Dest": destination})
            assert refused.status_code == 403
        assert (await http.get("/threads/1")).status_code == 200


async def test_hashed_file_is_cached_permanently(http: httpx.AsyncClient) -> None:
    answer = await http.get(f"/assets/{ASSET}")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.content == SITE.assets[ASSET].body


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [("gzip", "gzip"), ("br, GZIP;q=0.5", "gzip"), ("br", None), ("gzip;q=0", None), ("", None)],
)
async def test_file_is_compressed_if_the_client_accepts_gzip(
    http: httpx.AsyncClient, accepted: str, encoding: str | None
) -> None:
    async with http.stream(
        "GET", f"/assets/{ASSET}", headers={"Accept-Encoding": accepted}
    ) as answer:
        sent = b"".join([part async for part in answer.aiter_raw()])
    assert answer.headers.get("content-encoding") == encoding
    assert answer.headers["vary"] == "Accept-Encoding"
    assert (gzip.decompress(sent) if encoding else sent) == SITE.assets[ASSET].body


async def test_unchanged_document_returns_304_and_each_encoding_has_its_own_tag(
    http: httpx.AsyncClient,
) -> None:
    compressed = await http.get("/", headers={"Accept-Encoding": "gzip"})
    plain = await http.get("/", headers={"Accept-Encoding": "identity"})
    assert compressed.headers["etag"] != plain.headers["etag"]
    again = await http.get(
        "/", headers={"Accept-Encoding": "gzip", "If-None-Match": compressed.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")


async def test_server_timing_of_a_document_names_the_process(http: httpx.AsyncClient) -> None:
    assert (await http.get("/")).headers["server-timing"] == 'served-by;desc="web/web-7"'


async def test_health_operations_are_served(http: httpx.AsyncClient) -> None:
    for path in ("/livez", "/readyz", "/metrics"):
        assert (await http.get(path)).status_code == 200
        forwarded = await http.get(path, headers={"X-Forwarded-For": "192.0.2.1"})
        assert forwarded.status_code == 404


def test_page_knows_every_context() -> None:
    source = (STATIC / "contexts.js").read_text("utf-8")
    found = re.search(r"CONTEXTS = (\[.*?\]);", source)
    assert found is not None
    assert json.loads(found[1]) == [*CONTEXT_NAMES]
