"""The settings of a process that serves the page."""

from pathlib import Path

from pydantic_settings import BaseSettings


class PageSettings(BaseSettings):
    """`shares_file` is a JSON file with the load balancer's current shares, by service. The page
    shows them where `SHOW_INSTANCE=1`."""

    shares_file: Path | None = None
