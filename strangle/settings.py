"""The settings of a play, from the environment that `make NAME=value` sets."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from strangle.errors import CannotPlayError


@dataclass(frozen=True)
class Settings:
    """`rate` is the number of requests that arrive in a second, on average; `pause` the seconds
    between two steps; `streams` the number of open event streams. With `step`, the play waits for
    Enter between steps instead. With `report_times`, a p99 beyond its limit is shown, and does not
    fail the play: for machines that others use as well. The board uses `data_folder`, and `port`
    for its gateway, or a free port if it is 0. `report` is the HTML file that is written at the
    end."""

    rate: float = 500.0
    pause: float = 7.0
    streams: int = 20
    step: bool = False
    report_times: bool = False
    port: int = 0
    data_folder: Path = Path(".data/strangle")
    report: Path = Path("build/strangle.html")


def read(environment: Mapping[str, str]) -> Settings:
    """Read the settings. An empty variable counts as unset. Raises CannotPlayError."""

    def number(name: str, default: float, least: float, most: float) -> float:
        text = environment.get(name) or f"{default:g}"
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not least <= value <= most:
            raise CannotPlayError(f"{name}={text}: it must be a number from {least:g} to {most:g}")
        return value

    step = environment.get("STEP") or "0"
    if step not in ("0", "1"):
        raise CannotPlayError(f"STEP={step}: it must be 1, or not set")
    times = environment.get("TIMES") or "check"
    if times not in ("check", "report"):
        raise CannotPlayError(f"TIMES={times}: it must be check or report")
    return Settings(
        rate=number("RATE", Settings.rate, 1, 5000),
        pause=number("PAUSE", Settings.pause, 0.5, 600),
        streams=int(number("STREAMS", Settings.streams, 0, 1000)),
        step=step == "1",
        report_times=times == "report",
        port=int(number("PORT", Settings.port, 0, 65_535)),
        data_folder=Path(environment.get("DATA_DIR") or Settings.data_folder).absolute(),
        report=Path(environment.get("REPORT") or Settings.report).absolute(),
    )
