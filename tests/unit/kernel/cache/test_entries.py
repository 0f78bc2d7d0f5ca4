"""Which entries stay in memory: up to a size, and until a change."""

from kernel.cache.changes import Changes
from kernel.cache.entries import Entries, Entry, Key, Variant

CHANGES = Changes("posts", frozenset({"thread"}))


def entry(name: str, size: int = 1000, *tags: str) -> Entry:
    """An entry with a body of this many bytes."""
    variant = Variant(b'"x"', [(b"etag", b'"x"'), (b"content-type", b"x")], b"x" * size)
    return Entry(key(name), None, CHANGES, frozenset(tags), variant)


def key(name: str) -> Key:
    return name, b""


def stored(entries: Entries) -> set[str]:
    return {each.key[0] for each in entries}


def test_entries_never_exceed_the_capacity() -> None:
    entries = Entries(100_000)
    for number in range(500):
        entries.put(entry(str(number)))
        assert entries.size == sum(each.size for each in entries) <= 100_000
    assert len(entries) == 100_000 // entry("x").size


def test_unrepeated_requests_displace_only_each_other() -> None:
    entries = Entries(100_000)
    asked_again = {f"popular-{number}" for number in range(20)}
    for name in asked_again:
        entries.put(entry(name))
        assert entries.get(key(name))
    for number in range(1000):
        entries.put(entry(f"once-{number}"))
    assert asked_again <= stored(entries)


def test_least_recently_used_entry_goes_first() -> None:
    entries = Entries(10 * entry("x").size)
    for number in range(10):
        entries.put(entry(str(number)))
        entries.get(key(str(number)))
    entries.get(key("0"))
    for number in range(10, 15):
        entries.put(entry(str(number)))
        entries.get(key(str(number)))
    assert "0" in stored(entries)
    assert "1" not in stored(entries)


def test_an_entry_that_is_an_eighth_of_the_capacity_is_not_stored() -> None:
    entries = Entries(80_000)
    entries.put(entry("large", 10_000))
    assert stored(entries) == set()


def test_a_change_drops_what_depends_on_it_and_nothing_else() -> None:
    entries = Entries(100_000)
    entries.put(entry("one", 1000, "posts/thread/1"))
    entries.put(entry("both", 1000, "posts/thread/1", "posts/thread/2"))
    entries.put(entry("two", 1000, "posts/thread/2"))
    assert entries.drop_tagged({"posts/thread/1", "posts/thread/9"}) == 2
    assert stored(entries) == {"two"}
    assert entries.drop_tagged({"posts/thread/2"}) == 1
    assert entries.size == 0


def test_an_encoded_variant_counts_for_as_long_as_its_entry_is_stored() -> None:
    entries = Entries(100_000)
    kept, gone = entry("kept"), entry("gone")
    entries.put(kept)
    variant = Variant(b'"x-br"', [], b"x" * 300)
    entries.add_variant(kept, "br", variant)
    entries.add_variant(gone, "br", variant)
    assert entries.size == kept.size == entry("x").size + 300
    entries.drop(key("kept"))
    assert entries.size == 0
