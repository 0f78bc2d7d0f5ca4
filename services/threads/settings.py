"""The settings of the threads context."""

from pydantic import Field
from pydantic_settings import BaseSettings

from kernel.process.settings import DatabasePassword, DatabaseUrl


class ThreadSettings(BaseSettings):
    """The database, and limits. A user may start one thread each `thread_interval` seconds; 0 is no
    limit."""

    threads_database_password: DatabasePassword = None
    threads_database_url: DatabaseUrl
    thread_interval: int = Field(default=15, ge=0)
