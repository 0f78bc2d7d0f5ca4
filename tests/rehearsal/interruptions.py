"""A proxy in front of the emulated AWS that interrupts a command after each change that it makes.

A command's steps are its requests that have changed something. AWS has made the change, and the
command is ended before it gets the response: the next run can only look at what exists. A moment
before a change is not different from the moment after the change before it."""

import json
import os
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import parse_qs

import httpx

from tests.rehearsal.stage import Stage, show

_READS: Final = re.compile(
    r"Describe|Get|List|BatchGet|Head|Simulate|Filter|Query|Scan|Validate|Lookup"
)
_TARGETS: Final = (
    *("StackName", "AutoScalingGroupName", "DBInstanceIdentifier", "DBSnapshotIdentifier"),
    *("repositoryName", "taskDefinition", "logGroupName", "TableName", "AWSServiceName"),
)
"""Parameters that say what a request changes; the first that it has counts."""

_SIGNALS: Final = (signal.SIGKILL, signal.SIGINT)
_NOT_FORWARDED: Final = {"connection", "content-length", "host", "transfer-encoding"}


def step(method: str, path: str, headers: httpx.Headers, body: bytes) -> str | None:
    """What a request changes, in the same words each time; None for one that only reads. AWS has
    three protocols: the operation is in a header, in a form, or it is the method and the path."""
    if target := headers.get("x-amz-target"):
        operation = target.rpartition(".")[2]
        parameters = json.loads(body or b"{}")
    elif headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        parameters = {key: values[0] for key, values in parse_qs(body.decode()).items()}
        operation = parameters.get("Action", "")
    else:
        return None if method in ("GET", "HEAD") else f"{method} {path.partition('?')[0]}"
    if _READS.match(operation):
        return None
    changed = next((parameters[name] for name in _TARGETS if name in parameters), "")
    return f"{operation} {changed}".rstrip()


class Interruptions:
    """Interrupts commands at their steps: each step once, in the first run that reaches it. It
    sends SIGINT (Ctrl-C) and SIGKILL in turn."""

    def __init__(self, upstream: httpx.Client) -> None:
        self.url = ""
        """Where commands find AWS."""
        self.steps: list[str] = []
        """The steps that were interrupted, in order."""
        self._upstream = upstream
        self._group: int | None = None
        self._lock = threading.Lock()

    def run(self, aws: Stage, command: str, **settings: str) -> list[str]:
        """Run `make COMMAND` until it ends by itself, interrupting it once at each of its steps.
        Returns these steps. Fails unless the last run succeeds."""
        self.steps = []
        while True:
            interrupted, status, said = self._once(aws, command, **settings)
            if not interrupted:
                assert status == 0, said
                show(f"  {command} was interrupted at {len(self.steps)} steps\n")
                return self.steps
            assert status != 0, said
            assert "Traceback" not in said, said

    def _once(self, aws: Stage, command: str, **settings: str) -> tuple[bool, int, str]:
        """One run: whether it was interrupted, its exit status, and what it printed."""
        known = len(self.steps)
        with aws.start(command, AWS_ENDPOINT_URL=self.url, **settings) as process:
            self._group = process.pid
            said = "".join(process.stdout or ())
        self._group = None
        interrupted = len(self.steps) > known
        if interrupted:
            show(f"  interrupted after: {self.steps[-1]}\n")
        return interrupted, process.returncode, said

    def exchange(
        self, method: str, path: str, headers: httpx.Headers, body: bytes
    ) -> httpx.Response | None:
        """Send a request on. Returns the response, or None if the command was interrupted."""
        kept = [(k, v) for k, v in headers.multi_items() if k.lower() not in _NOT_FORWARDED]
        response = self._upstream.request(method, path, headers=kept, content=body)
        changed = step(method, path, headers, body)
        with self._lock:
            if changed is None or not response.is_success or self._group is None:
                return response
            if changed in self.steps:
                return response
            self.steps.append(changed)
            group, self._group = self._group, None
        os.killpg(group, _SIGNALS[len(self.steps) % 2])
        return None


@contextmanager
def interruptions(aws: Stage) -> Iterator[Interruptions]:
    """A proxy in front of the stage's AWS, until the block ends."""
    with httpx.Client(base_url=aws.emulator.url, timeout=120, trust_env=False) as upstream:
        found = Interruptions(upstream)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _handle(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = httpx.Headers(list(self.headers.items()))
                response = found.exchange(self.command, self.path, headers, body)
                if response is None:
                    self.close_connection = True
                    return
                self.send_response(response.status_code)
                for name, value in response.headers.multi_items():
                    if name.lower() not in (*_NOT_FORWARDED, "content-encoding"):
                        self.send_header(name, value)
                self.send_header("content-length", str(len(response.content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(response.content)

            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = _handle  # noqa: N815 - the names that http.server calls

            def log_message(self, *_: object) -> None:
                """The commands' output is what is shown."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            found.url = f"http://127.0.0.1:{server.server_port}"
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            try:
                yield found
            finally:
                server.shutdown()
                thread.join()
