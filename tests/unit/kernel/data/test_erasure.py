"""Erasing people who have left, without a database."""

from kernel.data.erasure import Erasure
from tests.unit.cases.fakes import FakeErasureStore, FakeModeration


async def test_people_who_left_are_erased_and_others_stay() -> None:
    board, store = FakeModeration(), FakeErasureStore(3, 1, 2)
    board.departed_users = {1, 3, 9}
    await Erasure(store, board).erase()
    assert store.left == [2]


async def test_everybody_is_asked_about_in_batches() -> None:
    board, store = FakeModeration(), FakeErasureStore(*range(1, 2_502))
    board.departed_users = {2_501}
    await Erasure(store, board).erase()
    assert (len(store.left), store.lists) == (2_500, 4)
