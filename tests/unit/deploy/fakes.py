"""A small fake of AWS for the tests of `deploy`."""

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
        """All pages."""
        return self._pages


class FakeClock:
    """A clock that moves during sleeps, and calls `meanwhile` in each."""

    def __init__(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        self.now = 0.0
        self._meanwhile = meanwhile

    def sleep(self, seconds: float) -> None:
        """Let time pass, and call `meanwhile`."""
        self.now += seconds
        self._meanwhile()

    @property
    def poller(self) -> Poller:
        """A poller with this clock."""
        return Poller(lambda: self.now, self.sleep)
