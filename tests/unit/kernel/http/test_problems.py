"""Failures as problems, and back."""

import json

import pytest

from kernel.errors import (
    FAILURES,
    Failure,
    FieldError,
    Invalid,
    MethodNotAllowed,
    Policy,
    TooManyRequests,
)
from kernel.http import problems
from kernel.process.tracing import Trace, current_trace

POLICY = Policy("post", 1, 5)
MADE_SPECIALLY: dict[type[Failure], Failure] = {
    Invalid: Invalid(FieldError("/title", "Too short."), FieldError("?limit", "Too large.")),
    MethodNotAllowed: MethodNotAllowed("This path has GET.", ["GET", "HEAD"]),
    TooManyRequests: TooManyRequests("Wait a little.", POLICY, 3),
}


def instance_of(kind: type[Failure]) -> Failure:
    """A failure of that kind."""
    return MADE_SPECIALLY.get(kind) or kind("It says so.")


@pytest.mark.parametrize("kind", FAILURES.values(), ids=FAILURES.keys())
def test_every_failure_is_a_complete_problem(kind: type[Failure]) -> None:
    failure = instance_of(kind)
    restore = current_trace.set(Trace("request-1", None))
    try:
        response = problems.response(failure, "/api/threads/7")
    finally:
        current_trace.reset(restore)
    problem = json.loads(bytes(response.body))
    errors = problem.pop("errors", None)
    assert response.status_code == failure.status
    assert response.headers["content-type"] == "application/problem+json"
    assert problem == {
        "type": f"/problems/{kind.slug}",
        "title": kind.title,
        "status": kind.status,
        "detail": failure.detail,
        "instance": "/api/threads/7",
        "requestId": "request-1",
    }
    assert (errors is not None) == isinstance(failure, Invalid)
    for name, value in failure.headers.items():
        assert response.headers[name] == value


@pytest.mark.parametrize(
    "kind",
    [kind for kind in FAILURES.values() if kind not in {MethodNotAllowed, TooManyRequests}],
    ids=lambda kind: kind.slug,
)
def test_failure_is_parsed_as_the_class_that_was_raised(kind: type[Failure]) -> None:
    failure = instance_of(kind)
    read = problems.read(failure.status, bytes(problems.response(failure, "/internal/x").body))
    assert type(read) is kind
    assert read.detail == failure.detail
    if isinstance(failure, Invalid) and isinstance(read, Invalid):
        assert read.errors == failure.errors


@pytest.mark.parametrize("kind", [MethodNotAllowed, TooManyRequests])
def test_failures_not_sent_between_services_are_not_parsed(kind: type[Failure]) -> None:
    failure = instance_of(kind)
    body = bytes(problems.response(failure, "/internal/x").body)
    assert problems.read(failure.status, body) is None


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, b""),
        (404, b"Not Found"),
        (404, b"[]"),
        (404, b"null"),
        (404, b"{}"),
        (404, b'{"type": "/problems/not-found"}'),
        (404, b'{"type": "/problems/unheard-of", "detail": "x"}'),
        (500, b'{"type": "/problems/not-found", "detail": "x"}'),
        (422, b'{"type": "/problems/invalid", "detail": "x", "errors": [{}]}'),
        (422, b'{"type": "/problems/invalid", "detail": "x", "errors": 7}'),
        (404, b"\xff\xfe"),
    ],
)
def test_foreign_problem_documents_are_not_parsed(status: int, body: bytes) -> None:
    assert problems.read(status, body) is None


def test_slugs_and_types_are_one_to_one() -> None:
    assert len(FAILURES) == len(set(FAILURES.values()))
    for slug, kind in FAILURES.items():
        assert slug == kind.slug


def test_lone_surrogate_in_a_field_name_does_not_break_the_response() -> None:
    response = problems.response(Invalid(FieldError("/\ud800", "Unknown.")), "/api/threads")
    assert json.loads(bytes(response.body))["errors"] == [{"pointer": "/?", "detail": "Unknown."}]


def test_429_has_retry_after() -> None:
    assert dict(instance_of(TooManyRequests).headers) == {
        "Retry-After": "3",
        "RateLimit-Policy": '"post";q=1;w=5',
        "RateLimit": '"post";r=0;t=3',
    }
