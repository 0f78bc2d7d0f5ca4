"""The closed set of failures, and the one table between them and HTTP.

A service raises one of these; `kernel.http.problems` writes it as an RFC 9457 problem;
`kernel.clients` reads that problem back into the same class. So a caller sees the same failure
whether the other context runs in its own process or behind HTTP.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

_ERRORS_SHOWN = 20


class Failure(Exception):
    """A request that the board refuses or cannot serve. `detail` is a sentence for the user."""

    status: ClassVar[int]
    slug: ClassVar[str]
    title: ClassVar[str]

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail

    @property
    def headers(self) -> Mapping[str, str]:
        """Header fields that the answer must carry."""
        return {}


@dataclass(frozen=True, slots=True)
class Policy:
    """A limit: at most `quota` requests in `window` seconds."""

    name: str
    quota: int
    window: int

    def field(self) -> str:
        """The value of the field `RateLimit-Policy`."""
        return f'"{self.name}";q={self.quota};w={self.window}'

    def state(self, remaining: int, reset: int) -> str:
        """The value of the field `RateLimit`: the remaining requests, and the seconds until it
        resets."""
        return f'"{self.name}";r={remaining};t={reset}'


class MalformedRequest(Failure):
    """The request cannot be read: malformed JSON, or an invalid cursor."""

    status = 400
    slug = "malformed-request"
    title = "The request cannot be read"


class Unauthenticated(Failure):
    """The session token is missing or invalid."""

    status = 401
    slug = "unauthenticated"
    title = "Sign in first"

    @property
    def headers(self) -> Mapping[str, str]:
        """`WWW-Authenticate`, which a 401 must have (RFC 9110 section 11.6.1)."""
        return {"WWW-Authenticate": "Bearer"}


class Forbidden(Failure):
    """The user is signed in, but may not do this."""

    status = 403
    slug = "forbidden"
    title = "Not allowed"


class Banned(Forbidden):
    """The user is banned, and may only read their own data. `detail` has the reason. Distinct from
    `Forbidden`, which between services means a wrong service token."""

    slug = "banned"
    title = "You are banned"


class NotFound(Failure):
    """The resource does not exist. If that could not be determined, it is `Unavailable`."""

    status = 404
    slug = "not-found"
    title = "Not found"


class NoSuchPath(Failure):
    """No operation has this path. Distinct from `NotFound`, so that a misdirected call between
    services is not mistaken for a missing resource."""

    status = 404
    slug = "no-such-path"
    title = "No such path"


class MethodNotAllowed(Failure):
    """The path exists, but not with this method. `allow` lists the methods that it has."""

    status = 405
    slug = "method-not-allowed"
    title = "Method not allowed"

    def __init__(self, detail: str, allow: Sequence[str]) -> None:
        super().__init__(detail)
        self.allow = tuple(allow)

    @property
    def headers(self) -> Mapping[str, str]:
        """`Allow` (RFC 9110 section 15.5.6)."""
        return {"Allow": ", ".join(self.allow)}


class Conflict(Failure):
    """The request is valid, but conflicts with the current state of the board."""

    status = 409
    slug = "conflict"
    title = "Conflict with the current state"


class Gone(Failure):
    """The operation has moved permanently to another path."""

    status = 410
    slug = "gone"
    title = "No longer here"


class Stale(Failure):
    """The resource has changed since the caller read it."""

    status = 412
    slug = "stale"
    title = "It has changed in the meantime"


class TooLarge(Failure):
    """The body is larger than the operation allows."""

    status = 413
    slug = "too-large"
    title = "The body is too large"


class UnsupportedMediaType(Failure):
    """The body is not JSON."""

    status = 415
    slug = "unsupported-media-type"
    title = "The body must be JSON"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field that is wrong. `pointer` is a JSON pointer (RFC 6901) into the body, such as
    `/title`, or `?limit` for a query parameter."""

    pointer: str
    detail: str


class Invalid(Failure):
    """The request is readable, but fields are invalid."""

    status = 422
    slug = "invalid"
    title = "Some fields are wrong"

    def __init__(self, *errors: FieldError, more: int = 0) -> None:
        """At most 20 errors are shown; `more` counts errors in addition to the given ones."""
        shown = errors[:_ERRORS_SHOWN]
        more += len(errors) - len(shown)
        sentences = [f"{error.pointer}: {error.detail}" for error in shown]
        super().__init__("; ".join([*sentences, f"and {more:,} more"] if more else sentences))
        self.errors = shown


class PreconditionRequired(Failure):
    """The operation requires `If-Match` with the version that the caller read (RFC 6585 section
    3)."""

    status = 428
    slug = "precondition-required"
    title = "If-Match is missing"


class TooManyRequests(Failure):
    """The limit `policy` is exceeded. The caller may try again after `retry_after` seconds."""

    status = 429
    slug = "too-many-requests"
    title = "Too many requests"

    def __init__(self, detail: str, policy: Policy, retry_after: int) -> None:
        super().__init__(detail)
        self.policy = policy
        self.retry_after = max(1, retry_after)

    @property
    def headers(self) -> Mapping[str, str]:
        """`Retry-After` (RFC 6585 section 4), and the fields of
        draft-ietf-httpapi-ratelimit-headers."""
        return {
            "Retry-After": str(self.retry_after),
            "RateLimit-Policy": self.policy.field(),
            "RateLimit": self.policy.state(0, self.retry_after),
        }


class InternalError(Failure):
    """A defect of the board. The log has the details, with the same request id."""

    status = 500
    slug = "internal-error"
    title = "Internal error"


class Unavailable(Failure):
    """A part of the board that this request needs is down. Nothing is known about the resource."""

    status = 503
    slug = "unavailable"
    title = "A part of the board is down"

    def __init__(self, detail: str, retry_after: int = 2) -> None:
        super().__init__(detail)
        self.retry_after = retry_after

    @property
    def headers(self) -> Mapping[str, str]:
        """`Retry-After`, in seconds (RFC 9110 section 10.2.3)."""
        return {"Retry-After": str(self.retry_after)}


FAILURES: Mapping[str, type[Failure]] = {
    failure.slug: failure
    for failure in (
        MalformedRequest,
        Unauthenticated,
        Forbidden,
        Banned,
        NotFound,
        NoSuchPath,
        MethodNotAllowed,
        Conflict,
        Gone,
        Stale,
        TooLarge,
        UnsupportedMediaType,
        Invalid,
        PreconditionRequired,
        TooManyRequests,
        InternalError,
        Unavailable,
    )
}
"""Every failure by its slug, the last segment of a problem's `type`."""
