"""The memo computes each value once, and is bounded."""

from gateway.net.bounded_memo import BoundedMemo


class Lengths:
    """A function that counts its calls."""

    def __init__(self) -> None:
        self.calls: list[bytes] = []

    def __call__(self, key: bytes) -> int:
        self.calls.append(key)
        return len(key)


def test_computes_each_value_once() -> None:
    lengths = Lengths()
    memo = BoundedMemo(lengths, most=2, longest=3)
    assert [memo[key] for key in (b"a", b"bb", b"a", b"bb")] == [1, 2, 1, 2]
    assert lengths.calls == [b"a", b"bb"]


def test_does_not_store_long_keys() -> None:
    lengths = Lengths()
    memo = BoundedMemo(lengths, most=2, longest=3)
    assert [memo[key] for key in (b"abc", b"abcd", b"abcd")] == [3, 4, 4]
    assert list(memo) == [b"abc"]
    assert lengths.calls == [b"abc", b"abcd", b"abcd"]


def test_never_stores_more_than_its_bound() -> None:
    memo = BoundedMemo(Lengths(), most=8, longest=3)
    sizes = []
    for number in range(100):
        assert memo[b"%d" % number] == len(str(number))
        sizes.append(len(memo))
    assert max(sizes) == 8


def test_stores_none_as_a_value() -> None:
    calls: list[bytes] = []
    memo = BoundedMemo(calls.append, most=2, longest=3)
    assert memo[b"a"] is None
    assert memo[b"a"] is None
    assert calls == [b"a"]
