"""The settings of the threads context."""

from pydantic import Field

from kernel.data.settings import DatabaseSettings
from kernel.errors import Policy
from kernel.process.settings import DatabasePassword, DatabaseUrl


class ThreadSettings(DatabaseSettings):
    """The database, and limits. A user may start one thread each `thread_interval` seconds, and
    change titles `edit_limit` times in `edit_window` seconds; 0 is no limit."""

    threads_database_password: DatabasePassword = None
    threads_database_url: DatabaseUrl
    thread_interval: int = Field(default=15, ge=0)
    edit_limit: int = Field(default=200, ge=0)
    edit_window: int = Field(default=24 * 60 * 60, ge=1)

    @property
    def for_threads(self) -> Policy:
        """The limit of new threads."""
        return Policy("thread", 1, self.thread_interval)

    @property
    def for_edits(self) -> Policy:
        """The limit of changes of titles."""
        return Policy("edit", self.edit_limit, self.edit_window)
