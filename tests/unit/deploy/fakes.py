"""An AWS of a few lines, as far as the tests of `deploy` go."""

from collections.abc import Callable, Iterable
from typing import Any

from botocore.exceptions import ClientError

from deploy.poller import Poller


def refusal(code: str, message: str, operation: str = "Operation") -> ClientError:
    """What boto3 raises when a service refuses."""
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


class Pages:
    """A paginator with these pages."""

    def __init__(self, *pages: Any) -> None:
        self._pages = pages

    def paginate(self, **_: object) -> Iterable[Any]:
        """All of them."""
        return self._pages


class FakeClock:
    """A clock that moves when somebody sleeps, and what happens meanwhile."""

    def __init__(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        self.now = 0.0
        self._meanwhile = meanwhile

    def sleep(self, seconds: float) -> None:
        """Time passes, and things happen."""
        self.now += seconds
        self._meanwhile()

    @property
    def poller(self) -> Poller:
        """The poller that it sets."""
        return Poller(lambda: self.now, self.sleep)
