"""The version of the board, which a backup names."""

from typing import Final

VERSION: Final = "0.1.0"
"""That of `pyproject.toml`, which the operator's image does not have."""
