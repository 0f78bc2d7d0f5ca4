"""The limits of threads."""

from pydantic import Field
from pydantic_settings import BaseSettings


class ThreadLimits(BaseSettings):
    """A user may start one thread each `thread_interval` seconds; 0 is no limit."""

    thread_interval: int = Field(default=15, ge=0)
