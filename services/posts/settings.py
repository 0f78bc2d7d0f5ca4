"""The settings of the posts context."""

from pydantic import Field
from pydantic_settings import BaseSettings

from kernel.process.settings import DatabasePassword, DatabaseUrl


class PostSettings(BaseSettings):
    """The database, and limits. A user may write one post each `post_interval` seconds; 0 is no
    limit."""

    posts_database_password: DatabasePassword = None
    posts_database_url: DatabaseUrl
    post_interval: int = Field(default=5, ge=0)
