"""The settings of every database."""

from pydantic import Field
from pydantic_settings import BaseSettings

from kernel.data.database import ACQUIRE_TIMEOUT


class DatabaseSettings(BaseSettings):
    """`acquire_timeout` is how many seconds a request or task waits for a connection. Clients must
    have an answer within a second; a command that nobody waits for can be more patient."""

    acquire_timeout: float = Field(default=ACQUIRE_TIMEOUT, gt=0)
