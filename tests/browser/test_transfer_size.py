"""The amount of data that a visit transfers."""

from collections.abc import Callable
from dataclasses import dataclass, field

from playwright.async_api import CDPSession

from tests.browser.visitors import Visitor


@dataclass
class Transfers:
    """The bytes received over the network by URL, including headers."""

    bytes: dict[str, int] = field(default_factory=dict)
    urls: dict[str, str] = field(default_factory=dict)

    @classmethod
    async def of(cls, session: CDPSession) -> "Transfers":
        """Start counting."""
        counted = cls()
        await session.send("Network.enable")
        session.on("Network.responseReceived", counted._answered)
        session.on("Network.loadingFinished", counted._finished)
        return counted

    def _answered(self, event: dict[str, object]) -> None:
        response = event["response"]
        assert isinstance(response, dict)
        self.urls[str(event["requestId"])] = str(response["url"])

    def _finished(self, event: dict[str, object]) -> None:
        url = self.urls[str(event["requestId"])]
        length = event["encodedDataLength"]
        assert isinstance(length, int | float)
        self.bytes[url] = self.bytes.get(url, 0) + int(length)


async def visit(visitor: Visitor, path: str) -> Transfers:
    session = await visitor.context.new_cdp_session(visitor.page)
    counted = await Transfers.of(session)
    await visitor.go(path)
    await visitor.page.locator("article.post").first.wait_for()
    await visitor.until_filled()
    await session.detach()
    return counted


async def test_first_visit_loads_little_and_a_second_one_nearly_nothing(
    visitor: Visitor, record_property: Callable[[str, object], None]
) -> None:
    first = await visit(visitor, "/threads/1")
    code = {url: size for url, size in first.bytes.items() if url.endswith((".js", ".css"))}
    assert len(code) > 10
    assert all(size > 0 for size in code.values())
    await visitor.page.close()
    visitor.page = await visitor.context.new_page()
    second = await visit(visitor, "/threads/1")
    record_property("bytes_of_code", sum(code.values()))
    record_property("bytes_of_a_second_visit", sum(second.bytes.values()))
    assert sum(code.values()) < 75_000
    assert sum(second.bytes.values()) < 5_000
