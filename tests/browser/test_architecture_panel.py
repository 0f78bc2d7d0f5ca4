"""The panel that shows how the page is answered."""

from playwright.async_api import Locator, expect

from tests.browser.visitors import Visitor


def panel(visitor: Visitor) -> Locator:
    return visitor.page.get_by_role("complementary")


async def in_thread_with_panel(visitor: Visitor) -> Locator:
    """Open a thread with the panel, and wait until the thread is live."""
    await visitor.go("/threads/1?architecture=on")
    await visitor.page.locator("[data-live]").wait_for()
    return panel(visitor)


async def process_of_posts(visitor: Visitor) -> str:
    answer = await visitor.page.request.get(f"{visitor.board.public_origin}/api/posts?limit=1")
    return answer.headers["x-served-by"].split("/")[1]


async def test_panel_names_the_process_that_answered_each_request(visitor: Visitor) -> None:
    found = await in_thread_with_panel(visitor)
    by = await process_of_posts(visitor)
    await expect(found.locator("svg")).to_contain_text(by)
    row = found.locator("tbody tr").filter(has_text="/api/posts/in-thread/1/stream")
    await expect(row).to_contain_text(by)
    await expect(row).to_contain_text("200")


async def test_address_does_not_keep_the_parameter_that_switched_the_panel_on(
    visitor: Visitor,
) -> None:
    await in_thread_with_panel(visitor)
    assert visitor.page.url == f"{visitor.board.public_origin}/threads/1"


async def test_open_stream_is_listed_as_open(visitor: Visitor) -> None:
    found = await in_thread_with_panel(visitor)
    row = found.locator("tr.open").filter(has_text="/api/posts/in-thread/1/stream")
    await expect(row).to_contain_text("200, open")


async def test_requests_survive_a_reload_and_none_of_them_is_open_then(visitor: Visitor) -> None:
    found = await in_thread_with_panel(visitor)
    streams = found.locator("tr").filter(has_text="/api/posts/in-thread/1/stream")
    await expect(streams).to_have_count(1)
    await visitor.page.reload()
    await visitor.page.locator("[data-live]").wait_for()
    await expect(streams).to_have_count(2)
    await expect(streams.and_(found.locator(".open"))).to_have_count(1)


async def test_files_are_folded_away(visitor: Visitor) -> None:
    found = await in_thread_with_panel(visitor)
    file = found.get_by_role("cell", name="GET /assets/app.js")
    await expect(file).to_be_hidden()
    await found.get_by_text("files of the page").click()
    await expect(file).to_be_visible()


async def test_calls_between_services_are_listed_with_the_request_that_took_them(
    visitor: Visitor,
) -> None:
    await visitor.register()
    await visitor.start_thread("Who asks whom?")
    await visitor.go("/?architecture=on")
    found = panel(visitor)
    await found.get_by_role("button", name="Clear").click()
    await visitor.start_thread("Who asks whom, again?")
    await visitor.write("Here is a post.")
    await visitor.post("Here is a post.").wait_for()
    row = found.locator(".requests-of-this-page tr").filter(has_text="POST /api/posts").first
    if await process_of_posts(visitor) == "monolith-1":
        await expect(row).to_contain_text("monolith-1")
        await expect(found.get_by_text("No call between services so far")).to_be_visible()
        assert await row.locator(".call").count() == 0
    else:
        calls = found.get_by_role("table", name="Calls between services")
        await expect(calls).to_contain_text("posts-1 → threads-1")
        await expect(row.locator(".call").first).to_contain_text("/internal/")


async def test_panel_folds_and_unfolds(visitor: Visitor) -> None:
    found = await in_thread_with_panel(visitor)
    requests = found.get_by_role("table", name="Requests of this page")
    await found.get_by_role("button", name="Fold").click()
    await expect(requests).to_be_hidden()
    await found.get_by_role("button", name="Fold").click()
    await expect(requests).to_be_visible()


async def test_closing_the_panel_switches_it_off(visitor: Visitor) -> None:
    found = await in_thread_with_panel(visitor)
    await found.get_by_role("button", name="Close").click()
    await expect(found).to_have_count(0)
    await visitor.page.reload()
    await visitor.page.locator("[data-live]").wait_for()
    await expect(found).to_have_count(0)


async def test_settings_switch_the_panel_on_and_off(visitor: Visitor) -> None:
    await visitor.register()
    await visitor.go("/settings")
    switch = visitor.page.get_by_label("Show how this page is answered")
    await expect(switch).not_to_be_checked()
    await switch.check()
    await expect(panel(visitor)).to_be_visible()
    await switch.uncheck()
    await expect(panel(visitor)).to_have_count(0)


async def test_panel_is_legible_on_a_phone(visitor: Visitor) -> None:
    await visitor.page.set_viewport_size({"width": 375, "height": 800})
    found = await in_thread_with_panel(visitor)
    await expect(found.locator("svg")).to_contain_text(await process_of_posts(visitor))
    sizes: list[float] = await found.evaluate(
        """panel => [...panel.querySelectorAll("svg text")].map(text => {
            const scale = text.ownerSVGElement.getScreenCTM().a;
            return scale * parseFloat(getComputedStyle(text).fontSize);
        })"""
    )
    assert len(sizes) > 4
    assert min(sizes) >= 11
    lines: list[int] = await found.evaluate(
        """panel => [...panel.querySelectorAll(".shares th")].map(heading => {
            const words = document.createRange();
            words.selectNodeContents(heading);
            return new Set([...words.getClientRects()].map(({ top }) => top)).size;
        })"""
    )
    assert set(lines) == {1}, "a word is broken"
