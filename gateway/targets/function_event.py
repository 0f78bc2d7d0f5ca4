"""Converts requests to events for Lambda functions, and their answers to responses.

Source: "Use Lambda functions as targets of an Application Load Balancer" of the AWS guide.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from http import HTTPStatus
from typing import Final

from gateway.http1.hop_by_hop import HOP_BY_HOP
from gateway.routing.settings import FunctionSettings

MAX_BODY: Final = 1024 * 1024
"""The most bytes of a request (else 413) and of a function's answer (else 502)."""
_TEXT: Final = re.compile(r"text/.*|application/(?:json|javascript|xml)")
_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\uffff]*")
_DESCRIPTION: Final = re.compile(r"(\d{3})(?: ([ -~]*))?")
_OWN: Final = HOP_BY_HOP | {b"content-length", b"date", b"server"}

Headers = Iterable[tuple[bytes, bytes]]


class FunctionFailure(StrEnum):
    """Why a function did not serve a request: the access log's error_reason codes ("Access logs for
    your Application Load Balancer" of the AWS guide)."""

    CONNECTION = "LambdaConnectionError"
    INVALID_RESPONSE = "LambdaInvalidResponse"
    REQUEST_TOO_LARGE = "LambdaRequestTooLarge"
    RESPONSE_TOO_LARGE = "LambdaResponseTooLarge"
    UNHANDLED = "LambdaUnhandled"


class InvalidAnswerError(ValueError):
    """A function's answer is not valid for a load balancer."""

    def __init__(
        self, message: str, failure: FunctionFailure = FunctionFailure.INVALID_RESPONSE
    ) -> None:
        super().__init__(message)
        self.failure = failure


def too_large() -> InvalidAnswerError:
    """The answer is larger than a load balancer accepts."""
    return InvalidAnswerError("the answer has more than 1 MB", FunctionFailure.RESPONSE_TOO_LARGE)


def event(
    settings: FunctionSettings, method: str, target: str, headers: Headers, body: bytes
) -> bytes:
    """The event for one request, as JSON. Query parameters stay percent-encoded."""
    path, _, query = target.partition("?")
    parts = (part.partition("=") for part in query.split("&"))
    pairs = [(name, value) for name, _, value in parts if name]
    received = [
        (name.decode("latin-1").lower(), value.decode("latin-1"))
        for name, value in headers
        if name.lower() not in HOP_BY_HOP
    ]
    is_text = _is_text(received, body)
    made: dict[str, object] = {
        "requestContext": {"elb": {"targetGroupArn": settings.group_arn}},
        "httpMethod": method,
        "path": path,
    }
    if settings.multi_value:
        made["multiValueQueryStringParameters"] = _grouped(pairs)
        made["multiValueHeaders"] = _grouped(received)
    else:
        # Of several values the last one counts.
        made["queryStringParameters"] = dict(pairs)
        made["headers"] = dict(received)
    made["body"] = body.decode() if is_text else base64.b64encode(body).decode()
    made["isBase64Encoded"] = not is_text
    return json.dumps(made).encode()


def health_check_event(settings: FunctionSettings, path: str) -> bytes:
    """The event of one health check."""
    return event(settings, "GET", path, [(b"user-agent", b"ELB-HealthChecker/2.0")], b"")


def status_of(answer: bytes) -> int:
    """The status in a function's answer. Raises InvalidAnswerError."""
    return _status(_parsed(answer))


def response(settings: FunctionSettings, answer: bytes, *, head_request: bool) -> bytes:
    """Converts the answer to a response in HTTP/1.1. Raises InvalidAnswerError."""
    parsed = _parsed(answer)
    status = _status(parsed)
    body = _body(parsed)
    lines = [f"HTTP/1.1 {status} {_reason(parsed, status)}\r\n".encode("latin-1")]
    lines += [f"{name}: {value}\r\n".encode() for name, value in _headers(settings, parsed)]
    lines.append(b"Server: awselb/2.0\r\n")
    if status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
        body = b""
    else:
        lines.append(b"Content-Length: %d\r\n" % len(body))
    lines += [b"\r\n", b"" if head_request else body]
    return b"".join(lines)


def _is_text(headers: Sequence[tuple[str, str]], body: bytes) -> bool:
    """Whether the body is sent as it is, and not as Base64."""
    if not body:
        return True
    given = dict(headers)
    content_type = given.get("content-type", "").partition(";")[0].strip().lower()
    if "content-encoding" in given or not _TEXT.fullmatch(content_type):
        return False
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _grouped(pairs: Iterable[tuple[str, str]]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def _parsed(answer: bytes) -> Mapping[str, object]:
    if len(answer) > MAX_BODY:
        raise too_large()
    try:
        parsed = json.loads(answer)
    except (ValueError, RecursionError) as error:
        raise InvalidAnswerError(f"the answer is not JSON: {error}") from error
    if not isinstance(parsed, dict):
        raise InvalidAnswerError("the answer is not a JSON object")
    if "errorType" in parsed and "statusCode" not in parsed:
        raise InvalidAnswerError(
            f"the function failed: {parsed['errorType']}: {parsed.get('errorMessage')}",
            FunctionFailure.UNHANDLED,
        )
    return parsed


def _status(answer: Mapping[str, object]) -> int:
    status = answer.get("statusCode")
    if isinstance(status, str) and re.fullmatch(r"\d{3}", status):
        status = int(status)
    if not isinstance(status, int) or isinstance(status, bool) or not 200 <= status <= 599:
        raise InvalidAnswerError(f"statusCode is not a status: {status!r}")
    return status


def _reason(answer: Mapping[str, object], status: int) -> str:
    description = answer.get("statusDescription")
    if description is None:
        try:
            return HTTPStatus(status).phrase
        except ValueError:
            return ""
    found = _DESCRIPTION.fullmatch(description) if isinstance(description, str) else None
    if found is None or int(found[1]) != status:
        raise InvalidAnswerError(f"statusDescription is not one of {status}: {description!r}")
    return found[2] or ""


def _headers(settings: FunctionSettings, answer: Mapping[str, object]) -> Iterable[tuple[str, str]]:
    name = "multiValueHeaders" if settings.multi_value else "headers"
    given = answer.get(name) or {}
    if not isinstance(given, dict):
        raise InvalidAnswerError(f"{name} is not an object")
    for header, value in given.items():
        values = value if settings.multi_value else [value]
        if not isinstance(values, list) or not _TOKEN.fullmatch(header):
            raise InvalidAnswerError(f"{name}: {header!r} is not a header")
        for each in values:
            if not isinstance(each, str) or not _VALUE.fullmatch(each):
                raise InvalidAnswerError(f"{name}: the value of {header} is not a text")
            if header.lower().encode() not in _OWN:
                yield header, each


def _body(answer: Mapping[str, object]) -> bytes:
    body = answer.get("body")
    if body is None:
        return b""
    encoded = answer.get("isBase64Encoded", False)
    if not isinstance(body, str) or not isinstance(encoded, bool):
        raise InvalidAnswerError("body is not a text, or isBase64Encoded is not a boolean")
    try:
        return base64.b64decode(body, validate=True) if encoded else body.encode()
    except (binascii.Error, UnicodeEncodeError) as error:
        raise InvalidAnswerError(f"body: {error}") from error
