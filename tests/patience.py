"""Time-outs of boards that share two cores with their tests, and with other boards."""

from collections.abc import Mapping
from typing import Final

PATIENT: Final[Mapping[str, str]] = {"ACQUIRE_TIMEOUT": "10", "CALL_TIMEOUT": "10"}
"""Settings with which a service that is only busy does not count as down."""
