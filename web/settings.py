"""The settings of a process that serves the page."""

from pathlib import Path

from pydantic_settings import BaseSettings


class PageSettings(BaseSettings):
    """`rules_file` is what the gateway's `--rules-file` writes. The page shows the shares in it
    where `SHOW_INSTANCE=1`."""

    rules_file: Path | None = None
