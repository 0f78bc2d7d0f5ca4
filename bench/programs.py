"""Starts the programs that are measured, waits for them, and ends them afterwards."""

import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.error import URLError
from urllib.request import urlopen

from laptop.ports import free
from topology.routing import STAND_INS

ROOT: Final = Path(__file__).parents[1]
PATH: Final = "/api/threads"
"""The path of all requests; a rule of the deployed template forwards it to the threads service."""
_START_SECONDS: Final = 60.0
_CERTIFICATE_ARN: Final = "arn:aws:acm:us-east-1:000000000000:certificate/0"


@dataclass(frozen=True)
class Proxy:
    """A measured proxy. `pid` is the process that handles its requests."""

    name: str
    port: int
    pid: int


def cpu_seconds(pid: int) -> float:
    """The user and system time that a process has used so far, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mib(pid: int, field: str = "VmRSS") -> float:
    """The resident memory of a process in MiB; with `field="VmHWM"`, its peak."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    [line] = [line for line in status.splitlines() if line.startswith(field + ":")]
    return int(line.split()[1]) / 1024


@dataclass(frozen=True)
class CertificateFiles:
    """A certificate for localhost that signs itself, and its key, in PEM."""

    certificate: Path
    key: Path


def make_certificate(folder: Path) -> CertificateFiles:
    """Makes one with the openssl command."""
    files = CertificateFiles(folder / "certificate.pem", folder / "key.pem")
    subprocess.run(  # noqa: S603 - our own arguments
        [
            *("openssl", "req", "-x509", "-newkey", "ec"),
            *("-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-keyout", files.key, "-out", files.certificate, "-subj", "/CN=localhost"),
        ],
        check=True,
        capture_output=True,
        timeout=30,
    )
    # nginx's worker is another user.
    files.key.chmod(0o644)
    return files


@contextmanager
def gateway(
    folder: Path, port: int, upstream_port: int, certificate: CertificateFiles | None = None
) -> Iterator[Proxy]:
    """A gateway that listens on `port`, over TLS if it has a certificate."""
    parameters = {**STAND_INS, "ListenerPort": str(port)}
    secured: list[str] = []
    if certificate is not None:
        parameters = {**STAND_INS, "CertificateArn": _CERTIFICATE_ARN}
        files = f"{certificate.certificate},{certificate.key}"
        secured = [f"--certificate={_CERTIFICATE_ARN}={files}", f"--listen=SecureListener={port}"]
        # The other listener, which only redirects, needs a port as well.
        [unused] = free(1)
        secured.append(f"--listen=Listener={unused}")
    command = [
        *(sys.executable, "-m", "gateway", "--template", str(ROOT / "infra" / "routing.yml")),
        *(f"--parameter={name}={value}" for name, value in parameters.items()),
        *("--target", f"ThreadsTargets=http://127.0.0.1:{upstream_port}"),
        *("--access-log", str(folder / "gateway.log"), "--access-log-format", "alb"),
        *secured,
    ]
    with process(command) as running:
        wait_for(port, running, secured=certificate is not None)
        yield Proxy("gateway", port, running.pid)


@contextmanager
def process(
    command: Sequence[str], environment: Mapping[str, str] | None = None, log: Path | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    """A process, until the block ends. Its output goes to `log`, or nowhere."""
    with (log or Path(os.devnull)).open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own arguments
            command, cwd=ROOT, env=environment, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(
    port: int, process: "subprocess.Popen[bytes]", path: str = PATH, *, secured: bool = False
) -> None:
    """Wait for an answer with 200, over TLS if `secured`. Raises `OSError` if it takes too long."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    url = f"{'https' if secured else 'http'}://127.0.0.1:{port}{path}"
    deadline = time.monotonic() + _START_SECONDS
    while True:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
        try:
            with urlopen(  # noqa: S310 - of this machine
                url, timeout=1, context=context if secured else None
            ) as answer:
                if answer.status == 200:
                    return
        except (URLError, OSError):
            if time.monotonic() > deadline:
                raise
        time.sleep(0.05)
