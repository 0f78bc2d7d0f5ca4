"""What notifications of changes mean."""

import pytest

from kernel.cache.changes import Changes


class Heard:
    """Records the changes that it is called with."""

    def __init__(self, changes: Changes) -> None:
        self.tags: list[frozenset[str] | None] = []
        changes.subscribe(self.tags.append)


def posts() -> Changes:
    return Changes("posts", frozenset({"newest", "thread"}))


def test_payload_is_parsed_into_the_contexts_tags() -> None:
    changes = posts()
    heard = Heard(changes)
    changes.notify("newest thread/7")
    assert heard.tags == [frozenset({"posts/newest", "posts/thread/7"})]


@pytest.mark.parametrize(
    "payload",
    ["", "*", "mood/7", "newest mood/7", "thread/x", "thread/٣", "newest  thread/7", "{}", "\0"],
)
def test_unparsable_payload_means_that_everything_changed(payload: str) -> None:
    changes = posts()
    heard = Heard(changes)
    changes.notify(payload)
    assert heard.tags == [None]


@pytest.mark.parametrize("name", ["mood/7", "thread/", "thread/7/8", "thread 7", ""])
def test_rejects_a_tag_that_no_change_would_ever_have(name: str) -> None:
    with pytest.raises(ValueError, match="has no tags like"):
        posts().tag(name)


def test_changes_without_a_feed_are_not_current() -> None:
    assert not posts().current
