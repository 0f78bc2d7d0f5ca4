"""No collection of garbage pauses the load."""

import gc

import pytest

from strangle.load.garbage import no_collections


def test_garbage_is_collected_again_after_the_block() -> None:
    assert gc.isenabled()
    with no_collections():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_garbage_is_collected_again_after_an_interrupted_block() -> None:
    with pytest.raises(KeyboardInterrupt), no_collections():
        raise KeyboardInterrupt
    assert gc.isenabled()
