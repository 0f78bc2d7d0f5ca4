"""Creates reports and cases over HTTP."""

from typing import Any

import httpx

from tests.eventually import eventually
from tests.people import Person


async def reported(author: Person, reporter: Person, reason: str = "spam") -> dict[str, Any]:
    """Report a new post of the author. Returns the case as the reporter sees it."""
    thread = await author.start_thread()
    post = await author.write(thread["id"], "Buy copper kettles.")
    answer = await report(reporter, post["id"], reason=reason)
    assert answer.status_code == 201, answer.text
    case: dict[str, Any] = answer.json()
    return case


async def report(who: Person, post: int, reason: str = "spam", **fields: Any) -> httpx.Response:
    """Report a post."""
    body = {"post": post, "reason": reason, **fields}
    return await who.http.post("/api/cases", json=body)


async def shown(who: Person, case: int) -> tuple[dict[str, Any], str]:
    """The case as this person sees it, and its ETag."""
    answer = await who.http.get(f"/api/cases/{case}")
    assert answer.status_code == 200, answer.text
    return answer.json(), answer.headers["ETag"]


async def in_state(who: Person, case: int, state: str) -> tuple[dict[str, Any], str]:
    """The case and its ETag once it is in this state."""

    async def reached() -> tuple[dict[str, Any], str] | None:
        found, tag = await shown(who, case)
        return (found, tag) if found["state"] == state else None

    return await eventually(reached, what=f"case {case} is {state}")


async def decide(
    who: Person, case: int, tag: str, action: str = "none", *, resolved: bool = True, **more: Any
) -> httpx.Response:
    """Decide the case whose version has this ETag."""
    body = {"resolved": resolved, "action": action, **more}
    return await who.http.put(f"/api/cases/{case}/decision", json=body, headers={"If-Match": tag})


async def closed(moderator: Person, case: int, action: str = "none") -> dict[str, Any]:
    """The closed case, after a moderator has decided it."""
    _, tag = await in_state(moderator, case, "working")
    answer = await decide(moderator, case, tag, action)
    assert answer.status_code == 200, answer.text
    found, _ = await in_state(moderator, case, "closed")
    return found
