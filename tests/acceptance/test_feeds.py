"""What programs read of the page: feeds, the sitemap, robots.txt, the manifest."""

import re
from xml.etree import ElementTree

import httpx
import pytest

from tests.deployments import Board
from tests.eventually import eventually
from tests.people import Person

pytestmark = pytest.mark.in_loop

ATOM = "{http://www.w3.org/2005/Atom}"
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


async def feed(http: httpx.AsyncClient, path: str) -> ElementTree.Element:
    response = await http.get(path)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/atom+xml; charset=utf-8"
    root = ElementTree.fromstring(response.content)  # noqa: S314 - the board's own
    for name in ("id", "title", "updated"):
        assert root.findtext(f"{ATOM}{name}")
        assert all(entry.findtext(f"{ATOM}{name}") for entry in root.iter(f"{ATOM}entry"))
    return root


async def test_feeds_have_the_newest_posts_of_the_board_a_thread_and_a_user(
    board: Board, visitor: httpx.AsyncClient, newcomer: Person
) -> None:
    thread = await newcomer.start_thread("Bread & <butter>")
    posts = [await newcomer.write(thread["id"], f"Post **{n}** & more") for n in range(3)]
    address = f"{board.public_origin}/threads/{thread['id']}"
    wanted = [f"{address}#post-{post['id']}" for post in reversed(posts)]
    for path in ("/feed", f"/threads/{thread['id']}/feed", f"/users/{newcomer.id}/feed"):

        async def shown(path: str = path) -> bool:
            ids = [entry.findtext(f"{ATOM}id") for entry in await feed_entries(visitor, path)]
            return ids[:3] == wanted

        await eventually(shown)
        first = (await feed_entries(visitor, path))[0]
        assert first.findtext(f"{ATOM}title") == "Bread & <butter>"
        assert first.findtext(f"{ATOM}content") == "<p>Post <strong>2</strong> &amp; more</p>\n"
        assert first.findtext(f"{ATOM}author/{ATOM}name") == newcomer.username


async def feed_entries(http: httpx.AsyncClient, path: str) -> list[ElementTree.Element]:
    return list((await feed(http, path)).iter(f"{ATOM}entry"))


async def test_feed_of_a_removed_thread_is_gone(visitor: httpx.AsyncClient, person: Person) -> None:
    thread = await person.start_thread()
    path = f"/threads/{thread['id']}/feed"
    assert len(await feed_entries(visitor, path)) == 0
    assert (await person.http.delete(f"/api/threads/{thread['id']}")).status_code == 204

    async def gone() -> bool:
        return (await visitor.get(path)).status_code == 410

    await eventually(gone)
    assert (await visitor.get("/threads/999999999/feed")).status_code == 404
    assert (await visitor.get("/users/999999999/feed")).status_code == 404


async def test_robot_finds_every_thread_in_the_sitemap_that_robots_txt_names(
    board: Board, visitor: httpx.AsyncClient, person: Person
) -> None:
    there, removed = await person.start_thread(), await person.start_thread()
    assert (await person.http.delete(f"/api/threads/{removed['id']}")).status_code == 204
    robots = await visitor.get("/robots.txt")
    named = re.search(r"^Sitemap: (.*)$", robots.text, re.MULTILINE)
    assert named is not None
    assert named[1] == f"{board.public_origin}/sitemap.xml"

    async def addresses() -> set[str]:
        index = ElementTree.fromstring((await visitor.get("/sitemap.xml")).content)  # noqa: S314
        found: set[str] = set()
        for piece in index.iter(f"{SITEMAP}loc"):
            path = (piece.text or "").removeprefix(board.public_origin)
            content = (await visitor.get(path)).content
            root = ElementTree.fromstring(content)  # noqa: S314 - the board's own
            found |= {location.text or "" for location in root.iter(f"{SITEMAP}loc")}
        return found

    async def right() -> bool:
        found = await addresses()
        prefix = f"{board.public_origin}/threads/"
        return f"{prefix}{there['id']}" in found and f"{prefix}{removed['id']}" not in found

    await eventually(right)
    assert (await visitor.get("/sitemaps/999999")).status_code == 404


async def test_manifest_names_icons_that_exist(visitor: httpx.AsyncClient) -> None:
    manifest = (await visitor.get("/manifest.webmanifest")).json()
    assert (manifest["name"], manifest["start_url"]) == ("The board", "/")
    async with httpx.AsyncClient(base_url=visitor.base_url, trust_env=False) as http:
        for icon in manifest["icons"]:
            response = await http.get(icon["src"])
            width = int.from_bytes(response.content[16:20], "big")
            assert response.headers["content-type"] == "image/png"
            assert icon["sizes"] == f"{width}x{width}"
            assert len(response.content) < 10_000
