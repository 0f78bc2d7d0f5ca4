"""Lists of large posts: a page has at most a mebibyte, and a link to the next page."""

import pytest

from tests.pages import every_page
from tests.people import Person

pytestmark = pytest.mark.one_deployment

MEBIBYTE = 1024 * 1024


@pytest.mark.parametrize("listed", ["in-thread", "by-user", "search", "revisions"])
async def test_page_ends_at_one_mebibyte_with_a_link_to_the_next(
    newcomer: Person, listed: str
) -> None:
    thread = (await newcomer.start_thread())["id"]
    word = newcomer.username.replace("-", "")
    # 32,000 characters become 224 kB: each is escaped in the text, and again in the HTML.
    large = [f"{word} {number} " + '\\"&' * 10_600 for number in range(9)]
    if listed == "revisions":
        post = await newcomer.write(thread, large[0])
        path = f"/api/posts/{post['id']}"
        for number in range(1, 9):
            text = f"{word} {number} " + "\x02" * 31_900  # six bytes each, as JSON
            edit = await newcomer.http.patch(path, json={"text": text}, headers={"If-Match": "*"})
            assert edit.status_code == 200
        path = f"{path}/revisions?limit=100"
    else:
        for text in large:
            await newcomer.write(thread, text)
        path = {
            "in-thread": f"/api/posts/in-thread/{thread}?limit=100",
            "by-user": f"/api/posts/by-user/{newcomer.id}?limit=100",
            "search": f"/api/posts/search?q={word}&limit=100",
        }[listed]
    assert len((await newcomer.http.get(path)).content) <= MEBIBYTE + 16 * 1024
    pages = [page async for page in every_page(newcomer.http, path)]
    assert len(pages) > 1
    assert all(pages)
    numbers = [item["text"].split()[1] for page in pages for item in page]
    assert sorted(numbers) == [str(number) for number in range(9)]


async def test_page_has_at_least_one_item_however_large(newcomer: Person) -> None:
    thread = (await newcomer.start_thread())["id"]
    post = await newcomer.write(thread, "x" + "\x02" * 31_999)
    listed = (await newcomer.http.get(f"/api/posts/in-thread/{thread}")).json()
    assert listed == [post]
