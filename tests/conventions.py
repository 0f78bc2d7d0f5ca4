"""What holds for every answer of the board: checked on each one that a test gets to see."""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

import httpx

from kernel.http.problems import MEDIA_TYPE, TYPE_PREFIX
from topology.contexts import CONTEXT_NAMES

DOCUMENTS = tuple(f"/api/{context}/openapi.json" for context in CONTEXT_NAMES)
"""Where the API documents of a board are."""

_PROBLEM = {"type", "title", "status", "detail", "instance", "requestId"}
_OF_NO_OPERATION = {f"{TYPE_PREFIX}no-such-path", f"{TYPE_PREFIX}method-not-allowed"}
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Conventions:
    """The rules that all answers follow, and the statuses that the API documents allow.

    `carried_out` are the operations that some answer seen so far says were carried out, such as
    `GET /api/users/{id}`.
    """

    def __init__(self, documents: Iterable[Mapping[str, Any]]) -> None:
        rows = [
            (template, method, {int(status) for status in operation["responses"]})
            for document in documents
            for template, operations in document["paths"].items()
            for method, operation in operations.items()
        ]
        # A path without parameters comes before one with: /api/users/me is no {id}.
        rows.sort(key=lambda row: row[0].count("{"))
        self._operations = [
            (re.compile(re.sub(r"\{[^}]*\}", "[^/]+", template)), method, template, statuses)
            for template, method, statuses in rows
        ]
        self.carried_out: set[str] = set()

    def statuses(self, method: str, path: str) -> set[int] | None:
        """What the documents say that this operation answers; None when they know no such one."""
        operation = self._operation(method, path)
        return None if operation is None else operation[1]

    def saw(self, method: str, path: str, status: int) -> None:
        """Take note of an answer."""
        operation = self._operation(method, path)
        if operation is not None and status < 300:
            self.carried_out.add(f"{method} {operation[0]}")

    def _operation(self, method: str, path: str) -> tuple[str, set[int]] | None:
        asked = "get" if method == "HEAD" else method.lower()
        for pattern, has, template, statuses in self._operations:
            if has == asked and pattern.fullmatch(path):
                return template, statuses
        return None

    async def check(self, response: httpx.Response) -> None:
        """Fail unless the answer follows every rule. The load balancer's own answers, which carry
        no request id, pass. An event hook for httpx."""
        await response.aread()
        headers = response.headers
        if "x-request-id" not in headers:
            assert "x-served-by" not in headers, "an answer of the board without a request id"
            return
        what = f"{response.request.method} {response.request.url}: {response.status_code}"
        assert _REQUEST_ID.fullmatch(headers["x-request-id"]), what
        assert headers["x-content-type-options"] == "nosniff", what
        assert "default-src 'none'" in headers["content-security-policy"], what
        assert headers["cache-control"] in {"no-cache", "private, no-store", "no-store"}, what
        assert re.fullmatch(
            r"(monolith|users|threads|posts|web)/[\w.-]+", headers["x-served-by"]
        ), what
        assert response.status_code != 500, f"{what}: {response.text}"
        if response.request.method == "HEAD" or response.status_code == 304:
            assert response.content == b"", what
        self._check_content(response, what)
        self._check_status(response, what)

    def _check_content(self, response: httpx.Response, what: str) -> None:
        headers = response.headers
        if response.status_code in {204, 304}:
            assert "content-type" not in headers, what
        elif response.status_code < 400:
            known = {
                "application/json; charset=utf-8",
                "text/plain; charset=utf-8",
                "text/event-stream",
            }
            assert headers["content-type"] in known, f"{what}: {headers['content-type']}"
        else:
            assert headers["content-type"] == MEDIA_TYPE, what
            assert headers["cache-control"] in {"no-store", "private, no-store"}, what
            if response.content:
                self._check_problem(response, what)

    def _check_problem(self, response: httpx.Response, what: str) -> None:
        problem = response.json()
        wanted = _PROBLEM | ({"errors"} if response.status_code == 422 else set())
        assert set(problem) == wanted, what
        assert problem["type"].startswith(TYPE_PREFIX), what
        assert problem["status"] == response.status_code, what
        assert problem["requestId"] == response.headers["x-request-id"], what
        assert problem["title"], what
        assert problem["detail"], what
        asked = unquote(response.request.url.raw_path.partition(b"?")[0].decode("ascii"))
        assert unquote(problem["instance"]).rstrip("/") == asked.rstrip("/"), what
        assert problem["instance"].isascii(), what

    def _check_status(self, response: httpx.Response, what: str) -> None:
        may_be_nobodys = response.content and response.status_code in {404, 405}
        if may_be_nobodys and response.json()["type"] in _OF_NO_OPERATION:
            return
        path = response.request.url.path
        self.saw(response.request.method, path.rstrip("/"), response.status_code)
        allowed = self.statuses(response.request.method, path.rstrip("/") or "/")
        assert allowed is None or response.status_code in allowed, f"{what} is not documented"
