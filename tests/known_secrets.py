"""The secrets that the tests of a board have sent and received, to search its logs for."""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

import httpx

_SHORTEST = 12
"""Characters. Shorter secrets, such as wrong passwords in tests, may be ordinary words of log
lines."""

_FEWEST_CHARACTERS = 5
"""Different ones. The board refuses passwords like "xxxxxxxxxxxx", which tests also send as long
values of other fields."""

_FIELDS = {"password", "current", "new", "token", "link"}

_MAY_HAVE_FIELDS = re.compile(rb"\\u00|" + b"|".join(name.encode() for name in sorted(_FIELDS)))
"""What a JSON object with one of these fields contains: parsing every body takes much longer."""


class KnownSecrets:
    """Passwords and tokens: those of the configuration, and those that clients use."""

    def __init__(self, configured: Collection[str] = ()) -> None:
        self._values: set[str] = set()
        for value in configured:
            self._add(value)

    def __len__(self) -> int:
        return len(self._values)

    async def sent(self, request: httpx.Request) -> None:
        """An event hook for httpx: note the secrets of a request."""
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        self._add(credentials if scheme.lower() == "bearer" else "")
        self._add_cookies(request.headers.get("cookie", ""))
        try:
            self._add_fields(request.content)
        except httpx.RequestNotRead:
            pass  # a streamed body: no test signs in with one

    async def received(self, response: httpx.Response) -> None:
        """An event hook for httpx: note the secrets of a response whose body has been read."""
        for cookie in response.headers.get_list("set-cookie"):
            self._add_cookies(cookie)
        self._add_fields(response.content)

    def found_in(self, text: str) -> set[str]:
        """The secrets that the text contains, also escaped as in JSON, in Python or in a URL."""
        return {value for value in self._values if any(form in text for form in _forms(value))}

    def _add(self, value: str) -> None:
        if len(value) >= _SHORTEST and len({*value}) >= _FEWEST_CHARACTERS:
            self._values.add(value)

    def _add_cookies(self, field: str) -> None:
        for cookie in SimpleCookie(field).values():
            self._add(cookie.value)

    def _add_fields(self, content: bytes) -> None:
        if not _MAY_HAVE_FIELDS.search(content):
            return
        try:
            body = json.loads(content)
        except (ValueError, RecursionError):
            return
        if isinstance(body, dict):
            for value in _secret_fields(body):
                self._add(value)


def _secret_fields(body: Mapping[str, Any]) -> Iterator[str]:
    for name in _FIELDS & body.keys():
        value = body[name]
        if isinstance(value, str):
            yield urlsplit(value).fragment if name == "link" else value


def _forms(value: str) -> set[str]:
    # Fuzzing sends passwords with lone surrogates, too.
    quoted = {how(value, errors="surrogatepass") for how in (quote, quote_plus)}
    return {value, *quoted, json.dumps(value)[1:-1], repr(value)[1:-1]}
