"""Which copy of a service gets the next call, with a clock that the test moves."""

from kernel.calls.addresses import AVOIDED_SECONDS, Addresses


class Clock:
    """Seconds that a test moves."""

    now = 100.0

    def __call__(self) -> float:
        """The current moment."""
        return self.now


def test_copies_get_calls_in_turn() -> None:
    addresses = Addresses("http://a,http://b", Clock())
    chosen = [addresses.choose() for _ in range(6)]
    assert sorted(chosen[:2]) == ["http://a", "http://b"]
    assert chosen == chosen[:2] * 3


def test_copy_that_failed_is_avoided_for_a_while() -> None:
    clock = Clock()
    addresses = Addresses("http://a,http://b", clock)
    addresses.failed("http://a")
    assert {addresses.choose() for _ in range(4)} == {"http://b"}
    clock.now += AVOIDED_SECONDS
    assert {addresses.choose() for _ in range(4)} == {"http://a", "http://b"}


def test_if_all_copies_failed_the_first_to_fail_is_tried() -> None:
    clock = Clock()
    addresses = Addresses("http://a,http://b", clock)
    addresses.failed("http://b")
    clock.now += 1
    addresses.failed("http://a")
    assert addresses.choose() == "http://b"


def test_only_process_gets_every_call() -> None:
    addresses = Addresses("http://a", Clock())
    addresses.failed("http://a")
    assert addresses.choose() == "http://a"
