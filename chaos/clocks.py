"""Clocks of services that are wrong, by libfaketime: each reads a file with its offset."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from laptop.programs import CLOCK_LIBRARY, CLOCKS
from strangle.errors import CannotPlayError
from topology.deployments import SERVICES

CACHED_SECONDS: Final = 1.0
"""A process reads its file again after this time."""

_LIBRARIES: Final = ("/usr/lib", "/usr/lib64", "/lib")
_NAME: Final = "faketime/libfaketime.so.1"


class Clocks:
    """The clocks of the services of a run, in a folder."""

    def __init__(self, folder: Path, library: Path) -> None:
        self._folder = folder
        self._library = library
        self.set(SERVICES, 0)

    def set(self, names: tuple[str, ...], seconds: int) -> None:
        """Put the clocks of these services forward, or back if `seconds` is negative, from the
        right time."""
        for name in names:
            # Replaced at once: a process must not read half of it.
            new = self._folder / f"{name}.new"
            new.write_text(f"{seconds:+d}\n")
            new.chmod(0o644)
            new.replace(self._folder / name)

    @property
    def variables(self) -> Mapping[str, str]:
        """What a run must have in its environment."""
        return {CLOCKS: str(self._folder), CLOCK_LIBRARY: str(self._library)}


@contextmanager
def clocks() -> Iterator[Clocks]:
    """Clocks that are right, until the block ends. Raises CannotPlayError without libfaketime."""
    library = find_library()
    with TemporaryDirectory(prefix="board-clocks-") as name:
        yield Clocks(Path(name), library)


def find_library(roots: tuple[str, ...] = _LIBRARIES) -> Path:
    """The file of libfaketime. Raises CannotPlayError if it is not installed."""
    for root in roots:
        # Debian has a folder for each processor's architecture.
        for pattern in (_NAME, f"*/{_NAME}"):
            for found in Path(root).glob(pattern):
                return found
    raise CannotPlayError(
        "steps of the clock need libfaketime, which is not installed: apt install libfaketime. "
        "ONLY=name selects other faults"
    )
