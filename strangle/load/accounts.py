"""The accounts of a play: they register, sign in again, and show their profiles."""

import asyncio
from dataclasses import dataclass, field
from typing import Final

from strangle.load.recorder import Recorder

_PASSWORD: Final = "nine patient otters"  # noqa: S105 - of users who exist for a play only


@dataclass
class Writer:
    """A signed-in user. `edited` is the post that this user edits again and again, `revision` how
    often that was acknowledged."""

    name: str
    id: int
    token: str
    edited: int = 0
    revision: int = 0
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)


async def join(recorder: Recorder, name: str) -> Writer:
    """Register a user, and sign in. Raises CannotPlayError if the board does not allow it."""
    credentials = {"username": name, "password": _PASSWORD}
    user = await recorder.required("POST", "/api/users", credentials)
    session = await recorder.required("POST", "/api/sessions", credentials)
    return Writer(name, user["id"], session["token"])


async def read_profile(recorder: Recorder, due: float, writer: Writer) -> None:
    """Read a user's profile."""
    await recorder.send(due, "GET", f"/api/users/{writer.id}")


async def sign_in(recorder: Recorder, due: float, writer: Writer) -> None:
    """Start another session, and use it from now on: every server must accept it at once."""
    credentials = {"username": writer.name, "password": _PASSWORD}
    response = await recorder.send(due, "POST", "/api/sessions", body=credentials, expected=(201,))
    if response is not None:
        writer.token = response.json()["token"]
        await recorder.send(None, "GET", "/api/users/me", token=writer.token)
