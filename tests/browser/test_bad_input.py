"""Unusual and hostile input."""

from collections.abc import Callable

import asyncpg
import httpx
import pytest
from playwright.async_api import Page, Route, expect

from services.posts.model import MARKUP
from tests.browser.visitors import Visitor
from tests.deployments import Board

HOSTILE = """<script>window.hacked = 1</script>
<img src=x onerror="window.hacked = 1">
[click](javascript:window.hacked=1)
![no picture](http://pictures.invalid/none.png)
"""

TEXT_STARTS = """items => items.map(item => {
    const range = document.createRange();
    range.selectNodeContents(item);
    const [text, frame] = [range.getBoundingClientRect(), item.getBoundingClientRect()];
    return text.left - frame.left > frame.right - text.right ? "right" : "left";
})"""


async def test_nothing_that_users_write_is_executed(visitor: Visitor) -> None:
    await visitor.register("<b>Bold</b> <script>window.hacked = 1</script>")
    await visitor.start_thread("<img src=x onerror=window.hacked=1>", HOSTILE)
    await visitor.go(visitor.page.url.removeprefix(visitor.board.public_origin))
    post = visitor.post("click")
    await expect(post).to_contain_text("<script>window.hacked = 1</script>")
    await expect(post.locator("a[href^='javascript']")).to_have_count(0)
    await expect(post).to_contain_text("Picture not available: no picture")
    assert await visitor.page.evaluate("window.hacked") is None
    refused = await visitor.page.evaluate(
        "(() => { try { document.body.innerHTML = '<p>'; } catch (e) { return e.name; } })()"
    )
    assert refused == "TypeError"
    visitor.complaints = [line for line in visitor.complaints if "TrustedHTML" not in line]


async def test_picture_that_redirects_to_the_board_is_refused_there(visitor: Visitor) -> None:
    address = f"{visitor.board.public_origin}/api/users?limit=7"

    async def redirect(route: Route) -> None:
        await route.fulfill(status=302, headers={"Location": address})

    await visitor.page.route("https://pictures.invalid/**", redirect)
    await visitor.register()
    async with visitor.page.expect_response(address) as answered:
        await visitor.start_thread("Pictures", "![a picture](https://pictures.invalid/one.png)")
    answer = await answered.value
    assert (answer.status, "ratelimit" in answer.headers) == (403, False)
    await expect(visitor.post("Picture not available: a picture")).to_have_count(1)


async def test_right_to_left_text_and_emoji_are_displayed_correctly(
    visitor: Visitor,
) -> None:
    await visitor.register("🦔 حمد")
    await visitor.start_thread("خبز لا يرتفع", "هل الماء دافئ بما فيه الكفاية؟")
    directions = "el => getComputedStyle(el).direction"
    heading = visitor.page.get_by_role("heading", level=1)
    assert await heading.evaluate(directions) == "rtl"
    assert await visitor.page.locator(".post .prose p").evaluate(directions) == "rtl"
    await expect(visitor.page.locator(".post > .avatar")).to_have_text("🦔ح")
    await visitor.write("- الماء\n- bread\n\n> الماء دافئ")
    post = visitor.post("الماء دافئ")
    for frame in ("ul", "blockquote"):
        assert await post.locator(frame).evaluate(directions) == "rtl"
    beginnings = await post.locator("li").evaluate_all(TEXT_STARTS)
    assert beginnings == ["right", "left"]


async def test_longest_post_can_be_sent_and_a_longer_one_cannot(
    visitor: Visitor,
) -> None:
    await visitor.register()
    await visitor.start_thread("Long")
    box = visitor.page.get_by_label("Write a post").get_by_role("textbox")
    send = visitor.page.get_by_role("button", name="Post", exact=True)
    await box.fill("🦔" * 32_001)
    await expect(visitor.page.get_by_text("1 character too many")).to_be_visible()
    await expect(send).to_be_disabled()
    await box.fill("word " * 6_399 + "🦔" * 5)
    await send.click()
    await expect(visitor.post("🦔🦔🦔🦔🦔")).to_have_count(1)


async def fill_thread(board: Board, thread: int, user: int, count: int) -> None:
    """Insert posts directly into the database."""
    connection = await asyncpg.connect(board.databases["posts"])
    try:
        async with connection.transaction():
            await connection.execute(
                """
                INSERT INTO posts (
                    thread, author, by_starter, text, html, created_at, markup, rendered_at
                )
                SELECT $1, $2, true, 'Post ' || n,
                    '<p>Post ' || n || ', ' || repeat('word ', n % 80) || '</p>', now(), $4, now()
                FROM generate_series(1, $3) AS n
                """,
                thread, user, count, MARKUP,
            )  # fmt: skip
            await connection.execute(
                "UPDATE thread_activity SET version = version + 1, post_count = post_count + $2 "
                "WHERE thread = $1",
                thread, count,
            )  # fmt: skip
    finally:
        await connection.close()


async def shown(page: Page) -> int:
    return await page.locator("article.post[data-id]").count()


def last_number(path: str) -> int:
    return int(path.rsplit("/", 1)[1])


@pytest.mark.timeout(180)  # fifty pages are read one after the other
async def test_thread_of_five_thousand_posts_uses_little_memory(
    visitor: Visitor, board: Board, record_property: Callable[[str, object], None]
) -> None:
    page = visitor.page
    await visitor.register()
    path = await visitor.start_thread("Endless")
    own_page = await visitor.page.locator(".account a").first.get_attribute("href")
    assert own_page is not None
    await fill_thread(board, last_number(path), last_number(own_page), 5_000)
    await visitor.go(path)
    await visitor.post("Post 20,").wait_for()
    most = 0
    for _ in range(15):
        await page.mouse.wheel(0, 6_000)
        await page.wait_for_timeout(50)
        most = max(most, await shown(page))
    await page.get_by_role("button", name="To the newest post").first.click()
    await expect(visitor.post("Post 5000,")).to_be_in_viewport(timeout=40_000)
    most = max(most, await shown(page))
    session = await visitor.context.new_cdp_session(page)
    await session.send("Performance.enable")
    await session.send("HeapProfiler.collectGarbage")
    told = await session.send("Performance.getMetrics")
    metrics = {metric["name"]: metric["value"] for metric in told["metrics"]}
    heap = metrics["JSHeapUsedSize"] / 2**20
    record_property("posts_at_once", most)
    record_property("heap_mib", heap)
    assert most < 600
    assert heap < 30
    await page.keyboard.press("Control+Home")
    await expect(visitor.post("Is the water warm enough?")).to_be_in_viewport()


async def test_thread_of_five_thousand_posts_opens_at_its_first_unread_post_with_one_request(
    visitor: Visitor, other: Visitor, board: Board
) -> None:
    await visitor.register()
    await other.register()
    path = await visitor.start_thread("Unread to the end")
    author = await visitor.page.locator(".account a").first.get_attribute("href")
    assert author is not None
    thread = last_number(path)
    await fill_thread(board, thread, last_number(author), 5_000)
    headers = {"Authorization": f"Bearer {await other.token()}"}
    async with httpx.AsyncClient(base_url=board.url, trust_env=False, headers=headers) as http:
        newest = (await http.get("/api/posts?limit=1")).json()[0]["id"]
        body = {"positions": [{"thread": thread, "post": newest - 20}]}
        assert (await http.put("/api/posts/read-positions", json=body)).status_code == 204
    await other.go("/?order=new")
    row = other.page.locator(f'.thread-row[data-id="{thread}"]')
    await expect(row.locator(".fresh")).to_have_text("20 new")
    requested: list[str] = []
    other.page.on("request", lambda request: requested.append(request.url))
    await row.get_by_role("link", name="Unread to the end").click()
    await expect(other.post("Post 4981,")).to_be_in_viewport()
    await expect(other.page.locator(".divider")).to_be_in_viewport()
    await expect(other.post("Post 4976,")).to_be_visible()
    pages = [url for url in requested if "/in-thread/" in url and not url.endswith("/stream")]
    assert len(pages) == 1, pages
    await other.page.get_by_role("link", name="from the beginning").click()
    await expect(other.post("Is the water warm enough?")).to_be_in_viewport()
