"""The limits of posts."""

from pydantic import Field
from pydantic_settings import BaseSettings


class PostLimits(BaseSettings):
    """A user may write one post each `post_interval` seconds; 0 is no limit."""

    post_interval: int = Field(default=5, ge=0)
