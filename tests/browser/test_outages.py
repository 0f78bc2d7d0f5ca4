"""Going offline, restarts, expired sessions and limits neither lose nor duplicate a post."""

import signal

import psutil  # type: ignore[import-untyped]  # it ships no types
from playwright.async_api import Locator, Route, expect

from tests.browser.visitors import Visitor
from tests.deployments import Run


def serving_posts(run: Run) -> psutil.Process:
    """The process that serves posts in this deployment."""
    children = psutil.Process(run.process.pid).children(recursive=True)
    [found] = [
        child for child in children if {"services.posts.main", "monolith.main"} & {*child.cmdline()}
    ]
    return found


def outage(visitor: Visitor) -> Locator:
    """The bar that says that the board cannot be reached."""
    return visitor.page.get_by_text("The board cannot be reached at the moment.")


async def test_post_written_offline_is_sent_once_when_the_device_is_online(
    visitor: Visitor, other: Visitor
) -> None:
    await visitor.register()
    path = await visitor.start_thread("Tunnel")
    await other.go(path)
    await other.page.locator("[data-live]").wait_for()
    await visitor.context.set_offline(True)
    await visitor.write("From the tunnel")
    pending_post = visitor.page.locator(".pending-post")
    await expect(pending_post).to_contain_text("sent as soon as the board is back")
    await expect(outage(visitor)).to_be_visible()
    await visitor.context.set_offline(False)
    await expect(pending_post).to_have_count(0, timeout=20_000)
    await expect(visitor.post("From the tunnel")).to_have_count(1)
    await expect(other.post("From the tunnel")).to_have_count(1)
    await expect(outage(visitor)).to_be_hidden(timeout=20_000)


async def test_lost_response_does_not_duplicate_the_post(visitor: Visitor) -> None:
    await visitor.register()
    path = await visitor.start_thread("Lost answer")
    sent: list[str | None] = []

    async def lose_the_first_answer(route: Route) -> None:
        sent.append(await route.request.header_value("idempotency-key"))
        if len(sent) == 1:
            await route.fetch()  # the board stores the post
            await route.abort("connectionreset")
        else:
            await route.continue_()

    await visitor.page.route("**/api/posts", lose_the_first_answer)
    await visitor.write("Only once")
    await expect(visitor.page.locator(".pending-post")).to_have_count(0, timeout=20_000)
    assert len(sent) == 2
    assert sent[0] == sent[1]
    await visitor.go(path)
    await expect(visitor.post("Only once")).to_have_count(1)


async def test_pending_post_survives_closing_the_page(visitor: Visitor) -> None:
    await visitor.register()
    path = await visitor.start_thread("Reloaded")
    await visitor.page.route("**/api/posts", lambda route: route.abort("connectionreset"))
    await visitor.write("Sent by the next page")
    await expect(visitor.page.locator(".pending-post")).to_contain_text(
        "as soon as the board is back"
    )
    await visitor.page.unroute_all()
    await visitor.go(path)
    await expect(visitor.post("Sent by the next page")).to_have_count(1)
    await expect(visitor.page.locator(".pending-post")).to_have_count(0)


async def test_open_thread_recovers_after_its_server_was_killed(
    visitor: Visitor, other: Visitor, run: Run
) -> None:
    await visitor.register()
    path = await visitor.start_thread("Unkillable")
    await other.go(path)
    await other.page.locator("[data-live]").wait_for()
    serving_posts(run).send_signal(signal.SIGKILL)
    await expect(outage(other)).to_be_visible()
    await visitor.write("After the crash")
    await expect(visitor.post("After the crash")).to_have_count(1, timeout=30_000)
    await expect(other.post("After the crash")).to_have_count(1, timeout=30_000)
    await expect(outage(other)).to_be_hidden(timeout=30_000)


async def test_page_opened_during_an_outage_loads_when_the_board_is_back(visitor: Visitor) -> None:
    down = True

    async def answer(route: Route) -> None:
        if down:
            await route.fulfill(status=503, headers={"Retry-After": "1"}, body="")
        else:
            await route.continue_()

    await visitor.page.route("**/api/**", answer)
    # The server's page needs nothing of the API.
    await visitor.go("/")
    await expect(visitor.page.locator(".thread-row").first).to_be_visible()
    await visitor.page.locator('.orders a[href="/?order=new"]').click()
    await expect(outage(visitor)).to_be_visible()
    await expect(visitor.page.locator(".thread-row")).to_have_count(0)
    down = False
    await expect(visitor.page.locator(".thread-row").first).to_be_visible(timeout=20_000)
    await expect(outage(visitor)).to_be_hidden()


async def test_session_that_ends_while_somebody_writes_loses_no_text(
    visitor: Visitor,
) -> None:
    await visitor.register()
    await visitor.start_thread("Interrupted")
    box = visitor.page.get_by_label("Write a post").get_by_role("textbox")
    await box.fill("A long thought, ")
    await visitor.end_session()
    await box.press_sequentially("finished")
    await visitor.page.get_by_role("button", name="Post", exact=True).click()
    dialog = visitor.page.get_by_role("dialog")
    # Other services may accept the cached session for two more seconds.
    ended_or_sent = dialog.or_(visitor.post("A long thought, finished"))
    await ended_or_sent.first.wait_for()
    if await dialog.count():
        await expect(dialog).to_contain_text("Your session has ended")
        await visitor.fill_in_sign_in()
    await expect(visitor.post("A long thought, finished")).to_have_count(1)


async def test_draft_survives_a_reload(visitor: Visitor) -> None:
    await visitor.register()
    path = await visitor.start_thread("Drafts")
    box = visitor.page.get_by_label("Write a post").get_by_role("textbox")
    await box.fill("Half a th")
    await visitor.go(path)
    await expect(box).to_have_value("Half a th")


async def test_page_shows_a_rate_limit_and_sends_the_post_later(visitor: Visitor) -> None:
    await visitor.register()
    await visitor.start_thread("Too fast")
    asked = 0

    async def refuse_the_first(route: Route) -> None:
        nonlocal asked
        asked += 1
        if asked > 1:
            return await route.continue_()
        body = '{"type": "/problems/too-many-requests", "status": 429, "detail": "Slowly."}'
        headers = {"Retry-After": "2", "Content-Type": "application/problem+json"}
        return await route.fulfill(status=429, headers=headers, body=body)

    await visitor.page.route("**/api/posts", refuse_the_first)
    await visitor.write("Patience")
    await expect(visitor.page.locator(".pending-post")).to_contain_text("too fast: will be sent in")
    await expect(visitor.post("Patience")).to_have_count(1)
    assert asked == 2
