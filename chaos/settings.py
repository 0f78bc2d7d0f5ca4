"""The settings of `make chaos`, from the environment that `make NAME=value` sets."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from strangle.errors import CannotPlayError


@dataclass(frozen=True)
class Settings:
    """`rate` is the number of requests that arrive in a second, on average. `short` leaves out most
    faults, `only` all whose names do not contain it. With `report_times`, a time beyond its limit
    is shown, and does not fail the run: for machines that others use as well, and for containers,
    of which a load balancer notices only by health checks that they have ended. `in_compose`: the
    board runs in containers, and not on this machine in `data_folder`. `report` is the file that is
    written at the end."""

    in_compose: bool = False
    rate: float = 80.0
    short: bool = False
    only: str = ""
    report_times: bool = False
    data_folder: Path = Path(".data/chaos")
    report: Path = Path("build/chaos.md")


def read(environment: Mapping[str, str]) -> Settings:
    """Read the settings. An empty variable counts as unset. Raises CannotPlayError."""
    rate = environment.get("RATE") or f"{Settings.rate:g}"
    if not (rate.isascii() and rate.isdigit() and 10 <= int(rate) <= 1000):
        raise CannotPlayError(f"RATE={rate}: it must be a whole number from 10 to 1000")
    on = environment.get("ON") or "laptop"
    if on not in ("laptop", "compose"):
        raise CannotPlayError(f"ON={on}: it must be laptop or compose")
    in_compose = on == "compose"
    times = environment.get("TIMES") or ("report" if in_compose else "check")
    if times not in ("check", "report"):
        raise CannotPlayError(f"TIMES={times}: it must be check or report")
    short = environment.get("SHORT") or "0"
    if short not in ("0", "1"):
        raise CannotPlayError(f"SHORT={short}: it must be 1, or not set")
    default_report = Path("build/chaos-compose.md") if in_compose else Settings.report
    return Settings(
        in_compose=in_compose,
        rate=float(rate),
        short=short == "1",
        only=environment.get("ONLY") or "",
        report_times=times == "report",
        data_folder=Path(environment.get("DATA_DIR") or Settings.data_folder).absolute(),
        report=Path(environment.get("REPORT") or default_report).absolute(),
    )
