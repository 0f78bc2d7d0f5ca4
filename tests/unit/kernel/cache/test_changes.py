"""What notifications of changes mean."""

import pytest

from kernel.cache.changes import Changes


class Heard:
    """Remembers the changes that it was called with."""

    def __init__(self, changes: Changes) -> None:
        self.tags: list[frozenset[str] | None] = []
        changes.subscribe(self.tags.append)


def posts() -> Changes:
    return Changes("posts", frozenset({"newest", "thread"}))


def test_a_payload_names_the_tags_of_the_context() -> None:
    changes = posts()
    heard = Heard(changes)
    changes.notify("newest thread/7")
    assert heard.tags == [frozenset({"posts/newest", "posts/thread/7"})]


@pytest.mark.parametrize(
    "payload",
    ["", "*", "mood/7", "newest mood/7", "thread/x", "thread/٣", "newest  thread/7", "{}", "\0"],
)
def test_anything_may_have_changed_after_a_payload_that_cannot_be_read(payload: str) -> None:
    changes = posts()
    heard = Heard(changes)
    changes.notify(payload)
    assert heard.tags == [None]


@pytest.mark.parametrize("name", ["mood/7", "thread/", "thread/7/8", "thread 7", ""])
def test_rejects_a_dependency_whose_changes_would_not_be_heard_of(name: str) -> None:
    with pytest.raises(ValueError, match="has no tags like"):
        posts().tag(name)


def test_changes_without_a_feed_are_not_current() -> None:
    assert not posts().current
