"""Which board a command is for: the one that runs, or the one that ON names."""

from collections.abc import Callable, Mapping
from typing import Final

from rollout.board import Board
from rollout.errors import CannotRollOutError

LAPTOP: Final = "laptop"
COMPOSE: Final = "compose"
AWS: Final = "aws"
_HELP: Final = {LAPTOP: "make run", COMPOSE: "make up", AWS: "make deploy-ecs"}
# With any of these, the AWS CLI and boto3 know which region or account is meant.
_AWS_SETTINGS: Final = ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE")


def choose(
    environment: Mapping[str, str], finders: Mapping[str, Callable[[], Board | None]]
) -> Board | None:
    """The board that a command is for; None is the one on AWS.

    `finders` look for a running board, by the value of ON that names it. AWS counts as a place if
    the environment has one of its settings; whether a board runs there is not asked.

    Raises:
        CannotRollOutError: nothing runs, or several boards do and ON does not say which.
    """
    on = environment.get("ON", "")
    places = (*finders, AWS)
    if on and on not in places:
        raise CannotRollOutError(f"ON={on}: it must be one of {', '.join(places)}")
    if on == AWS:
        return None
    wanted = {on: finders[on]} if on else finders
    running = {name: board for name, find in wanted.items() if (board := find()) is not None}
    settings = [name for name in _AWS_SETTINGS if environment.get(name)]
    if len(running) > 1 or (running and settings and not on):
        candidates = [*running, *([AWS] if settings and not on else ())]
        because = f" ({', '.join(settings)} is set)" if settings else ""
        raise CannotRollOutError(
            f"several boards may be meant{because}: add one of "
            f"{', '.join(f'ON={name}' for name in candidates)}"
        )
    if running:
        return next(iter(running.values()))
    if settings and not on:
        return None
    starts = ", ".join(f"{_HELP[name]} ({name})" for name in wanted)
    raise CannotRollOutError(f"no board runs here: start one with {starts}")
