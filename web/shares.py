"""Reads the file with the shares of traffic, which the process that sets them writes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, TypeAdapter, ValidationError

_SHARES: Final = TypeAdapter(dict[str, Annotated[int, Field(ge=0, le=100, strict=True)]])


def read_shares(file: Path | None) -> Mapping[str, int]:
    """The percentage of its requests that each service gets, by the service's name.

    Empty if there is no file, or none that can be understood: the page then shows no shares.
    """
    if file is None:
        return {}
    try:
        return _SHARES.validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return {}
