"""The settings of the posts context."""

from collections.abc import Sequence
from datetime import timedelta

from pydantic import Field

from kernel.data.retention import IDEMPOTENCY_KEYS, Rule
from kernel.data.settings import DatabaseSettings
from kernel.errors import Policy
from kernel.process.settings import DatabasePassword, DatabaseUrl


class PostSettings(DatabaseSettings):
    """The database, processes and limits. Posts are rendered in `render_processes` processes. A
    user may write one post every `post_interval` seconds, request `preview_limit` previews in
    `preview_window` seconds, and edit posts `edit_limit` times in `edit_window` seconds, and
    record what they have read `reading_limit` times in `reading_window` seconds; 0 means no
    limit. Earlier texts of posts are deleted after `revision_days` days, and the events of
    threads, from which streams resume, after `event_days`."""

    posts_database_password: DatabasePassword = None
    posts_database_url: DatabaseUrl
    render_processes: int = Field(default=2, ge=1, le=8)
    post_interval: int = Field(default=5, ge=0)
    preview_limit: int = Field(default=30, ge=0)
    preview_window: int = Field(default=60, ge=1)
    edit_limit: int = Field(default=200, ge=0)
    edit_window: int = Field(default=24 * 60 * 60, ge=1)
    reading_limit: int = Field(default=30, ge=0)
    reading_window: int = Field(default=60, ge=1)
    revision_days: int = Field(default=365, ge=1)
    event_days: int = Field(default=7, ge=1)

    @property
    def for_posts(self) -> Policy:
        """The limit of new posts."""
        return Policy("post", 1, self.post_interval)

    @property
    def for_previews(self) -> Policy:
        """The limit of previews."""
        return Policy("preview", self.preview_limit, self.preview_window)

    @property
    def for_edits(self) -> Policy:
        """The limit of edits."""
        return Policy("edit", self.edit_limit, self.edit_window)

    @property
    def for_reading(self) -> Policy:
        """The limit of recording what was read."""
        return Policy("reading", self.reading_limit, self.reading_window)

    @property
    def retention(self) -> Sequence[Rule]:
        """After which time rows are deleted."""
        return [
            IDEMPOTENCY_KEYS,
            Rule("revisions", timedelta(days=self.revision_days)),
            Rule("thread_events", timedelta(days=self.event_days)),
        ]
