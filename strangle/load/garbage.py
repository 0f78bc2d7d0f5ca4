"""Collections of garbage, which would be measured as the board's."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collections() -> Iterator[None]:
    """Collect no garbage in this process until the block ends.

    A collection looks through all that the load has recorded, so it takes longer and longer.
    Meanwhile requests become due: their latency would count the pause, and the gateway would open
    connections for them.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
