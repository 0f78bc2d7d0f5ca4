"""Records of plays that never took place."""

from strangle.board import PlayedBoard
from strangle.history import History, Observation, Sample
from strangle.play import Mark, Result
from strangle.steps import Step


def sample(due: float, latency: float = 0.002, **changes: object) -> Sample:
    """A request about posts that the monolith answered."""
    plain = Sample(due, due, due + latency, "posts", "monolith", "GET /api/posts", 200, None)
    return plain._replace(**changes)  # type: ignore[arg-type]  # fields of any type


def seen(sent: float, version: int, server: str = "monolith") -> Observation:
    """A version that was read at that time."""
    return Observation(sent, sent + 0.01, version, server)


async def do_nothing(_: PlayedBoard) -> None:
    """The action of a step."""


def step(name: str = "posts 10 %", kind: str = "shift") -> Step:
    """A step."""
    return Step(
        kind, name, "One <request> in ten.", "make shift ON=aws CONTEXT=posts SHARE=10", do_nothing
    )


def result(*samples: Sample) -> Result:
    """A play of ten seconds from 100, with a step at 103."""
    return Result(History(samples=[*samples]), 100.0, 110.0, [Mark(step(), 103.0, 103.5)])
