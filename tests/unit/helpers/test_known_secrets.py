"""The secrets of requests and responses are noted, and found in a log in any spelling."""

import json

import httpx
import pytest

from tests.known_secrets import KnownSecrets

TOKEN = "zS3Zl4hJqVbG1rPn8nYxT0cWfKd5uEoAsm7Bv6QkXyI"


async def answered(known: KnownSecrets, request: httpx.Request, response: httpx.Response) -> None:
    """What a client does around a request."""
    await known.sent(request)
    await known.received(response)


@pytest.mark.parametrize(
    ("request_", "response"),
    [
        (httpx.Request("GET", "/", headers={"Authorization": f"Bearer {TOKEN}"}), {}),
        (httpx.Request("GET", "/", headers={"Cookie": f"a=b; session={TOKEN}"}), {}),
        (httpx.Request("POST", "/", json={"token": TOKEN}), {}),
        (httpx.Request("POST", "/", json={"password": TOKEN}), {}),
        (httpx.Request("POST", "/", content=rf'{{"p\u0061ssword": "{TOKEN}"}}'), {}),
        (httpx.Request("PUT", "/", json={"current": TOKEN, "new": "x"}), {}),
        (httpx.Request("PUT", "/", json={"current": "x", "new": TOKEN}), {}),
        (httpx.Request("GET", "/"), {"json": {"token": TOKEN}}),
        (httpx.Request("GET", "/"), {"json": {"link": f"http://a.example/b#{TOKEN}"}}),
        (httpx.Request("GET", "/"), {"headers": {"Set-Cookie": f"session={TOKEN}; Path=/"}}),
    ],
)
async def test_secrets_of_requests_and_responses_are_known(
    request_: httpx.Request, response: dict[str, object]
) -> None:
    known = KnownSecrets()
    await answered(known, request_, httpx.Response(200, **response))  # type: ignore[arg-type]  # its fields
    assert known.found_in(f"POST /api/x/{TOKEN} 404") == {TOKEN}
    assert known.found_in("POST /api/x/*** 404") == set()


@pytest.mark.parametrize(
    "secret", ['a "quoted" one', "mit Umläuten", "one line\nand another", "a b c d e f g"]
)
def test_secret_is_found_in_every_form(secret: str) -> None:
    known = KnownSecrets([secret])
    for form in (
        secret,
        json.dumps(secret),
        repr(secret),
        str(httpx.URL("/", params={"a": secret})),
    ):
        assert known.found_in(f"said {form} here") == {secret}


def test_configured_secrets_are_known_and_short_words_are_not() -> None:
    known = KnownSecrets(["a configured password", "wrong"])
    assert known.found_in("a wrong word and a configured password") == {"a configured password"}
