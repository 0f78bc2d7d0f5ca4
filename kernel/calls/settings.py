"""The setting of the calls between services."""

from typing import Final

from pydantic import Field
from pydantic_settings import BaseSettings

CALL_TIMEOUT: Final = 0.9
"""Seconds for a call, from connecting to the last byte, with all its attempts: a client must have
its answer within a second. An attempt is not cut short for the sake of the next one, because a
service that is only busy would then have to do the same work twice."""


class CallSettings(BaseSettings):
    """`call_timeout` is how many seconds a call to another service may take."""

    call_timeout: float = Field(default=CALL_TIMEOUT, gt=0)
