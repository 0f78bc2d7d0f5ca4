"""Gives the users of browsers a role."""

from typing import Final

from tests.browser.visitors import Visitor
from tests.eventually import eventually
from tests.people import set_role

_OF_MODERATORS: Final = "/api/posts/moderation-log", "/api/cases/moderation-log"


async def appoint(visitor: Visitor, role: str) -> None:
    """Give the user who is signed in this role, and wait until the services know it: they store for
    two seconds who holds a session."""
    board = visitor.board
    await set_role(board, visitor.username, role)

    async def known() -> bool:
        pages = [
            await visitor.page.request.get(board.public_origin + path) for path in _OF_MODERATORS
        ]
        return all(page.ok for page in pages)

    await eventually(known, what=f"the services know the {role}")
