"""The garbage collector begins after a process's start, and skips the objects from before."""

import subprocess
import sys

from tests.repository import ROOT

PROGRAM = """
import asyncio, gc, os, signal
from contextlib import asynccontextmanager
from kernel.process.serve import run
from kernel.process.settings import ProcessSettings

made = []
collecting = []

def stop():
    collecting.append(gc.isenabled())
    os.kill(os.getpid(), signal.SIGTERM)

@asynccontextmanager
async def application(lifecycle):
    made.extend([] for _ in range(10_000))
    collecting.append(gc.isenabled())
    asyncio.get_running_loop().call_later(0.1, stop)
    yield None

settings = ProcessSettings(port=0, public_origin="http://a.example", drain_seconds=0)
run(application, settings, "posts")
print(any(each is made for each in gc.get_objects()), gc.get_freeze_count() > 10_000)
print(collecting)
"""


def test_garbage_collection_begins_after_the_start_and_skips_its_objects() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, timeout=60,
        check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-2:] == ["False True", "[False, True]"]
