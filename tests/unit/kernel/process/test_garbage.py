"""After its start, a process's garbage collector skips the objects that existed before."""

import subprocess
import sys

from tests.repository import ROOT

PROGRAM = """
import asyncio, gc, os, signal
from contextlib import asynccontextmanager
from kernel.process.serve import run
from kernel.process.settings import ProcessSettings

made = []

@asynccontextmanager
async def application(lifecycle):
    made.extend([] for _ in range(10_000))
    asyncio.get_running_loop().call_later(0.1, os.kill, os.getpid(), signal.SIGTERM)
    yield None

settings = ProcessSettings(port=0, public_origin="http://a.example", drain_seconds=0)
run(application, settings, "posts")
print(any(each is made for each in gc.get_objects()), gc.get_freeze_count() > 10_000)
"""


def test_objects_of_the_start_are_exempt_from_garbage_collection() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, timeout=60,
        check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "False True"
