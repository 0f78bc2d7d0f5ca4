"""The steps of the migration, in order: what is done, why, and how the same is done on AWS."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from strangle.board import PlayedBoard
from topology.contexts import CALLED, CONTEXT_NAMES
from topology.deployments import MONOLITH, PAGE

SHARES: Final = (1, 10, 50, 100)
"""The percentages of its requests that each service gets one after another."""


@dataclass(frozen=True)
class Step:
    """One step: `sentence` says to a class what happens, `aws` is the command that does the same
    there, `run` does it here. `kind` is start, shift or stop, or empty if nothing is done."""

    kind: str
    name: str
    sentence: str
    aws: str
    run: Callable[[PlayedBoard], Awaitable[None]]


def migration() -> list[Step]:
    """From the monolith to the services, one context after another; then one of them back and
    forward again."""
    order = [*reversed(CONTEXT_NAMES), PAGE]
    steps = [
        Step(
            "",
            "the monolith answers everything",
            "Every request goes to one process. This is what the rest is compared with.",
            "make deploy-ecs DEPLOYMENT=monolith",
            _nothing,
        )
    ]
    steps += [
        Step(
            "start",
            f"start {name}",
            f"The service {name} starts on the same data, and gets no request yet.",
            "make deploy-ecs DEPLOYMENT=strangler",
            _start(name),
        )
        for name in (*CONTEXT_NAMES, PAGE)
    ]
    steps += [_shift_step(name, share) for name in order for share in SHARES]
    steps.append(_stop_monolith())
    # The last one that others call: services go on calling the service, clients the monolith.
    back = CALLED[-1]
    steps += [
        Step(
            "start",
            "start the monolith again",
            "Nothing has been decided for good: the monolith still works on the same data.",
            "make deploy-ecs DEPLOYMENT=strangler",
            _start(MONOLITH),
        ),
        _shift_step(back, 0),
        _shift_step(back, 100),
        _stop_monolith(),
    ]
    return steps


def _shift_step(name: str, share: int) -> Step:
    sentences = {
        0: f"{name} goes back: the monolith answers all requests about it.",
        1: f"One request about {name} in a hundred goes to its service.",
        100: f"The service answers all requests about {name}.",
    }
    return Step(
        "shift",
        f"{name} {share} %",
        sentences.get(share, f"{share} % of the requests about {name} go to its service."),
        f"make shift ON=aws CONTEXT={name} SHARE={share}",
        _shift(name, share),
    )


def _stop_monolith() -> Step:
    return Step(
        "stop",
        "stop the monolith",
        "It gets no more requests, finishes those that it has, and ends. Its streams are resumed.",
        "make deploy-ecs DEPLOYMENT=microservices",
        _stop(MONOLITH),
    )


def _start(name: str) -> Callable[[PlayedBoard], Awaitable[None]]:
    async def run(board: PlayedBoard) -> None:
        await board.start(name)

    return run


def _stop(name: str) -> Callable[[PlayedBoard], Awaitable[None]]:
    async def run(board: PlayedBoard) -> None:
        await board.stop(name)

    return run


def _shift(name: str, share: int) -> Callable[[PlayedBoard], Awaitable[None]]:
    async def run(board: PlayedBoard) -> None:
        await board.shift(name, share)

    return run


async def _nothing(_: PlayedBoard) -> None:
    """The board runs already."""
