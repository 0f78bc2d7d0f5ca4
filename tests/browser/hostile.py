"""A board on which every text is as long, as wide or as odd as the board accepts."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from tests.browser.visitors import Visitor
from tests.deployments import Board
from tests.people import PASSWORD, Person, joining, moderating

WORD = "W" * 200
RIGHT_TO_LEFT = "خبز" * 60
POSTS = (
    "W" * 5_000,
    f"{'👩‍👩‍👧‍👦' * 300}\n\n{RIGHT_TO_LEFT}",
    f"# {WORD}\n\n**{WORD}** `{WORD}` ~~{WORD}~~",
    f"```\n{WORD * 5}\n```\n\n    {WORD * 5}",
    f"| {WORD} | {WORD} |\n| --- | --- |\n| {WORD} | {RIGHT_TO_LEFT} |",
    f"https://example.com/{WORD * 3}?{WORD}=1 and [{WORD}](https://example.com/)",
    f"![{WORD}](http://127.0.0.1:1/{WORD}.png)",
    f"{'> ' * 12}{WORD}\n\n{WORD}",
    "".join(f"{'  ' * depth}- {WORD}\n" for depth in range(12)),
    f"- {RIGHT_TO_LEFT}\n- {RIGHT_TO_LEFT}\n\n> {RIGHT_TO_LEFT}",
    f"1. {WORD}\n{'9' * 9}. {WORD}\n",
    f"{'Z̷̛̮͙̦̳͛̋͆͌' * 100} {'‮' * 50}{WORD}",
)  # fmt: skip
"""What its thread consists of, beside the replies."""


@dataclass(frozen=True)
class Hostile:
    """Its `author` has written `thread`, and has been banned; `last` is one of its last posts.
    `case` is a report of a post."""

    author: Person
    moderator: Person
    thread: int
    last: int
    case: int

    @property
    def pages(self) -> tuple[str, ...]:
        """The addresses of the pages that show its texts to everybody."""
        return (
            "/",
            "/?order=new",
            f"/threads/{self.thread}",
            f"/users/{self.author.id}",
            f"/users/{self.author.id}?show=threads",
            f"/search?q={WORD}",
            f"/search?q={self.author.username}",
            "/search?q=W",
            "/docs",
            "/problems/conflict",
            f"/{WORD}{WORD}",
            f"/signin?back=/{WORD}",
            f"/register?back=/{WORD}",
        )

    @property
    def moderators_pages(self) -> tuple[str, ...]:
        """The addresses of the pages that show its texts to moderators."""
        return (
            f"/threads/{self.thread}",
            f"/users/{self.author.id}",
            f"/users/{self.moderator.id}?show=notices",
            "/moderation",
            "/moderation/log",
            "/moderation/cases",
            f"/cases/{self.case}",
            "/reports",
            "/settings",
        )


@asynccontextmanager
async def hostile(board: Board) -> AsyncIterator[Hostile]:
    """Write such texts in every place of a board."""
    async with AsyncExitStack() as stack:
        author = await stack.enter_async_context(joining(board))
        other = await stack.enter_async_context(joining(board))
        moderator = await stack.enter_async_context(moderating(board))
        for person, name in ((author, "W" * 60), (moderator, "👩‍👩‍👧‍👦" * 8), (other, "خ" * 60)):
            await _describe(person, name)
        thread = (await author.start_thread(WORD))["id"]
        await other.start_thread("خ" * 200)
        posts = [(await author.write(thread, text))["id"] for text in POSTS]
        reply = {"thread": thread, "text": WORD, "replyTo": posts[0]}
        assert (await other.http.post("/api/posts", json=reply)).status_code == 201
        removed = (await author.write(thread, WORD))["id"]
        await _put(moderator, f"/api/posts/{removed}/removal", {"reason": "W" * 500})
        report = {"post": posts[1], "reason": "other", "note": "W" * 300}
        reported = await other.http.post("/api/cases", json=report)
        assert reported.status_code in {200, 201}, reported.text
        own = {"post": posts[2], "reason": "spam", "note": RIGHT_TO_LEFT}
        assert (await moderator.http.post("/api/cases", json=own)).status_code in {200, 201}
        await _put(moderator, f"/api/users/{author.id}/ban", {"reason": "W" * 500})
        cases = (await moderator.http.get("/api/cases")).json()
        case = next(case["id"] for case in cases if case["post"] == posts[1])
        yield Hostile(author, moderator, thread, posts[-1], case)


async def _describe(person: Person, name: str) -> None:
    me = await person.http.get("/api/users/me")
    answer = await person.http.patch(
        "/api/users/me",
        json={"name": name, "bio": "W" * 500, "email": f"{'w' * 60}@{'w' * 60}.example"},
        headers={"If-Match": me.headers["ETag"]},
    )
    assert answer.status_code == 200, answer.text
    session = await person.http.post(
        "/api/sessions",
        json={"username": person.username, "password": PASSWORD},
        headers={"User-Agent": "W" * 400},
    )
    assert session.status_code == 201
    person.http.cookies.clear()


async def _put(person: Person, path: str, body: dict[str, str]) -> None:
    answer = await person.http.put(path, json=body)
    assert answer.is_success, answer.text


async def spilling(visitor: Visitor) -> list[str]:
    """What reaches outside the page's width, and cannot be scrolled in a frame of its own."""
    found: list[str] = await visitor.page.evaluate(
        """() => {
          const wide = document.documentElement.clientWidth;
          const framed = (element) => {
            for (let up = element; up; up = up.parentElement) {
              if (getComputedStyle(up).overflowX !== 'visible') return true;
              if (getComputedStyle(up).clipPath !== 'none') return true;
            }
            return false;
          };
          const all = [...document.body.querySelectorAll('*')].filter((element) => {
            const {left, right, width} = element.getBoundingClientRect();
            return width > 0 && (left < -1 || right > wide + 1);
          });
          return [
            ...(document.documentElement.scrollWidth > wide ? ['the page scrolls'] : []),
            ...all.filter((element) => !framed(element.parentElement)).slice(0, 9).map(
              (element) => `${element.localName}.${element.className}`),
          ];
        }"""
    )
    return found
