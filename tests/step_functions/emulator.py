"""An emulated AWS with Step Functions, SQS and Lambda: ministack, which needs no Docker here."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3
import httpx

from tests.eventually import eventually_blocking
from tests.rehearsal.emulator import PYTHON, REGION, free_port

_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "emulated", "AWS_SECRET_ACCESS_KEY": "emulated"}
WAIT_SCALE = 0.02
"""How much shorter the emulator makes waits and retry intervals; time limits stay as they are."""


@dataclass(frozen=True)
class Emulator:
    """A running one."""

    url: str
    session: boto3.session.Session

    def environment(self) -> dict[str, str]:
        """What makes a program use the emulator instead of AWS."""
        return {**_CREDENTIALS, "AWS_ENDPOINT_URL": self.url, "AWS_REGION": REGION}


@contextmanager
def emulator(folder: Path) -> Iterator[Emulator]:
    """An emulator without any resources; its log is in the folder."""
    assert PYTHON.exists(), "make test installs the emulator"
    port = free_port("127.0.0.1")
    log = folder / "emulator.log"
    environment = {
        **os.environ,
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": REGION,
        "SFN_WAIT_SCALE": str(WAIT_SCALE),
        "TMPDIR": str(folder),
        # When it starts it removes containers that an emulator has left, such as a running
        # rehearsal's: it must find no engine.
        "DOCKER_HOST": f"unix://{folder}/no-engine.sock",
    }
    with log.open("w") as output:
        process = subprocess.Popen(
            [str(PYTHON), "-m", "ministack"],
            env=environment,
            stdout=output,
            stderr=output,
            cwd=folder,
        )
        session = boto3.session.Session(
            aws_access_key_id=_CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=_CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            region_name=REGION,
        )
        found = Emulator(f"http://127.0.0.1:{port}", session)
        try:
            eventually_blocking(lambda: _responds(found, process, log), 60, "the emulator's start")
            yield found
        finally:
            process.terminate()
            process.wait(timeout=30)


def _responds(found: Emulator, process: subprocess.Popen[bytes], log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    try:
        return httpx.get(f"{found.url}/_ministack/health", trust_env=False).is_success
    except httpx.HTTPError:
        return False
