"""Everything that a play records: requests, acknowledged writes, what readers and streams got."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

GONE = 1_000_000_000
"""The version of an object that has been removed: newer than every other."""


class Sample(NamedTuple):
    """One request. Times are in seconds on a monotonic clock; `due` is when it had to be sent, and
    its latency counts from then. `service` is the service for whose paths it was, and `server` the
    one that answered; `problem` is None if the response was as expected; `retry_after` says whether
    the response had that field."""

    due: float
    sent: float
    ended: float
    service: str
    server: str
    what: str
    status: int
    problem: str | None
    retry_after: bool = False


class Observation(NamedTuple):
    """A version of an object in a response to a request sent and answered at those times."""

    sent: float
    ended: float
    version: int
    server: str


@dataclass
class WrittenPost:
    """A post that was acknowledged. `key` is a text that no other post has, `text` the last text
    that was acknowledged. The board may also have one of the texts in `attempted`, which were sent
    later and whose requests failed: nobody knows how far they got."""

    key: str
    thread: int
    id: int
    at: float
    text: str
    attempted: set[str] = field(default_factory=set)


@dataclass
class Stream:
    """What one client of a thread's event stream received: the `ids` of the events in order, the
    `posts`, and how often the stream ended and was resumed."""

    thread: int
    opened: float
    ids: list[int] = field(default_factory=list)
    posts: set[int] = field(default_factory=set)
    first: int | None = None
    resumed: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass
class History:
    """All records of a play. `repeated` has, for each request that was sent again with its
    Idempotency-Key, the id of the first response and that of the second. `perhaps_removed` are
    posts whose removal failed without saying whether it took place."""

    samples: list[Sample] = field(default_factory=list)
    posts: dict[str, WrittenPost] = field(default_factory=dict)
    threads: dict[str, int] = field(default_factory=dict)
    removed: dict[int, float] = field(default_factory=dict)
    perhaps_removed: set[int] = field(default_factory=set)
    repeated: list[tuple[str, int, int]] = field(default_factory=list)
    observations: defaultdict[str, list[Observation]] = field(
        default_factory=lambda: defaultdict(list)
    )
    streams: list[Stream] = field(default_factory=list)

    def observe(self, what: str, observation: Observation) -> None:
        """Record the version of an object that a response showed, or a write acknowledged."""
        self.observations[what].append(observation)
