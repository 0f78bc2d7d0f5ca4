"""Rules for every response of the board, checked on each response that a test receives."""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

import httpx
import schemathesis
from schemathesis.schemas import APIOperation

from kernel.http.problems import MEDIA_TYPE, TYPE_PREFIX
from topology.contexts import CONTEXT_NAMES

DOCUMENTS = tuple(f"/api/{context}/openapi.json" for context in CONTEXT_NAMES)
"""The paths of a board's API documents."""

_DOCUMENTS_OF_THE_PAGE = {
    "text/html; charset=utf-8",
    "application/xml; charset=utf-8",
    "application/atom+xml; charset=utf-8",
}
"""What the page answers outside of the API."""

_PROBLEM = {"type", "title", "status", "detail", "instance", "requestId"}
_OF_NO_OPERATION = {f"{TYPE_PREFIX}no-such-path", f"{TYPE_PREFIX}method-not-allowed"}
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Conventions:
    """The rules for all responses, and the statuses and bodies that the API documents allow.

    `carried_out` has the operations for which a successful response was received so far, such as
    `GET /api/users/{id}`.
    """

    def __init__(self, documents: Iterable[Mapping[str, Any]]) -> None:
        self._schemas = [schemathesis.openapi.from_dict(dict(document)) for document in documents]
        self.carried_out: set[str] = set()

    def operation(self, method: str, path: str) -> APIOperation[Any, Any, Any, Any] | None:
        """The documented operation that a request of this method and path reaches."""
        if path in DOCUMENTS:  # looks like /api/users/{id}, but no document describes itself
            return None
        documented_as = "GET" if method == "HEAD" else method
        for schema in self._schemas:
            found = schema.find_operation_by_path(documented_as, path.rstrip("/"))
            if found is not None:
                return found
        return None

    def record(self, method: str, path: str, status: int) -> None:
        """Add the operation that sent this response to `carried_out`."""
        operation = self.operation(method, path)
        if operation is not None:
            self._record(operation, method, status)

    def _record(
        self, operation: APIOperation[Any, Any, Any, Any], method: str, status: int
    ) -> None:
        if status < 300:
            self.carried_out.add(f"{method} {operation.path}")

    async def check(self, response: httpx.Response) -> None:
        """An event hook for httpx: fail unless the response follows every rule. The load balancer's
        own responses, which have no request id, pass."""
        await response.aread()
        headers = response.headers
        if "x-request-id" not in headers:
            assert "x-served-by" not in headers, "a response of the board without a request id"
            return
        what = f"{response.request.method} {response.request.url}: {response.status_code}"
        assert _REQUEST_ID.fullmatch(headers["x-request-id"]), what
        assert headers["x-content-type-options"] == "nosniff", what
        assert "default-src 'none'" in headers["content-security-policy"], what
        assert headers["cache-control"] in {"no-cache", "private, no-store", "no-store"}, what
        assert re.fullmatch(
            r"(monolith|users|threads|posts|cases|web)/[\w.-]+", headers["x-served-by"]
        ), what
        assert response.status_code != 500, f"{what}: {response.text}"
        if response.request.method == "HEAD" or response.status_code == 304:
            assert response.content == b"", what
        self._check_content(response, what)
        self._check_documented(response, what)

    def _check_content(self, response: httpx.Response, what: str) -> None:
        headers = response.headers
        if response.status_code in {204, 304}:
            assert "content-type" not in headers, what
        elif headers["content-type"] in _DOCUMENTS_OF_THE_PAGE:
            assert not response.request.url.path.startswith("/api"), what
            assert response.status_code < 400 or headers["cache-control"] == "no-store", what
        elif response.status_code < 400:
            known = {
                "application/json; charset=utf-8",
                "text/plain; charset=utf-8",
                "text/event-stream",
                "application/manifest+json",
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

    def _check_documented(self, response: httpx.Response, what: str) -> None:
        if response.headers.get("content-type") in _DOCUMENTS_OF_THE_PAGE:
            return
        may_be_nobodys = response.content and response.status_code in {404, 405}
        if may_be_nobodys and response.json()["type"] in _OF_NO_OPERATION:
            return
        method, path = response.request.method, response.request.url.path
        operation = self.operation(method, path)
        if operation is None:
            return
        self._record(operation, method, response.status_code)
        documented = operation.responses.find_by_status_code(response.status_code)
        assert documented is not None, f"{what} is not documented"
        if method != "HEAD":
            operation.validate_response(_with_plain_request(response))


def _with_plain_request(response: httpx.Response) -> httpx.Response:
    """A copy whose request has no body: schemathesis reads it, and a streamed body has been
    consumed."""
    request = httpx.Request(response.request.method, response.request.url)
    same = httpx.Response(
        response.status_code,
        headers=[(n, v) for n, v in response.headers.items() if n != "content-encoding"],
        content=response.content,
        request=request,
    )
    same.elapsed = response.elapsed
    return same
