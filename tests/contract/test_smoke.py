"""The smoke test that ends each deploy: it passes on a board that works, leaves nothing there, and
names the request that failed on one that does not."""

import asyncio
import http.server
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import httpx
import pytest

from deploy.checks import smoke
from deploy.checks.smoke import RESPONSE_TIMEOUT
from deploy.errors import CannotDeployError
from tests.deployments import Board
from tests.unit.deploy.fakes import FakeClock


def _visit(url: str, said: list[str] | None = None) -> dict[str, str]:
    say = (said if said is not None else []).append
    return smoke.run("http://board.example", url.removeprefix("http://"), FakeClock().poller, say,
                       lambda: None)  # fmt: skip


async def test_smoke_test_passes_on_a_monolith_and_leaves_no_data(monolith: Board) -> None:
    assert await _contexts_that_answered(monolith) == {"monolith"}


async def test_smoke_test_passes_on_services_and_leaves_no_data(services: Board) -> None:
    assert await _contexts_that_answered(services) == {"users", "threads", "posts", "cases", "web"}


async def _contexts_that_answered(board: Board) -> set[str]:
    async with httpx.AsyncClient(base_url=board.url, trust_env=False) as visitor:
        before = (await visitor.get("/api/threads?order=new&limit=100")).json()
        served_by = await asyncio.to_thread(_visit, board.url)
        after = (await visitor.get("/api/threads?order=new&limit=100")).json()
    assert [thread["id"] for thread in after] == [thread["id"] for thread in before]
    return {process.split("/")[0] for process in served_by.values()}


class _Broken(http.server.BaseHTTPRequestHandler):
    """Lists threads, and does nothing else."""

    answers: ClassVar[dict[str, int]] = {"GET": 200, "POST": 503}

    def _answer(self) -> None:
        self.send_response(self.answers[self.command])
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"[]")

    do_GET = do_POST = _answer  # noqa: N815 - the names are the handler's

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def _server(handler: type[_Broken]) -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def _tls_server(folder: Path, name: str) -> Iterator[tuple[str, list[str | None]]]:
    """The same over TLS, with a certificate for `name`: its address, and the names that clients
    have sent."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    subprocess.run(
        [*command.split(), "-keyout", key, "-out", certificate, "-subj", f"/CN={name}",
         "-addext", f"subjectAltName=DNS:{name}"],
        check=True, capture_output=True, timeout=30,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    asked: list[str | None] = []
    context.sni_callback = lambda _socket, asked_for, _context: asked.append(asked_for)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Broken) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}", asked
        finally:
            server.shutdown()
            thread.join()


def test_smoke_test_works_before_the_domains_record_exists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    with _tls_server(tmp_path, "board.invalid") as (address, asked):
        # It answers, under the certificate's name: what fails is the first thing that it lacks.
        with pytest.raises(CannotDeployError, match="POST /api/users returned 503"):
            smoke.run("https://board.invalid", address, FakeClock().poller, print, lambda: None)
        assert set(asked) == {"board.invalid"}
        with pytest.raises(CannotDeployError, match="CERTIFICATE_VERIFY_FAILED"):
            smoke.run("https://other.invalid", address, FakeClock().poller, print, lambda: None)


def test_database_that_is_waking_up_is_waited_for() -> None:
    class Waking(_Broken):
        answers: ClassVar[dict[str, int]] = {"GET": 200, "POST": 503}

    def awake() -> None:
        Waking.answers["POST"] = 418

    said: list[str] = []
    clock = FakeClock(awake)
    with (
        _server(Waking) as url,
        pytest.raises(CannotDeployError, match="POST /api/users returned 418"),
    ):
        smoke.run("http://b", url.removeprefix("http://"), clock.poller, said.append, lambda: None)
    assert said == ["POST /api/users: 503; the database may be waking up ..."]
    assert clock.now < smoke.WAKES_WITHIN


def test_smoke_test_names_the_failed_request() -> None:
    with (
        _server(_Broken) as url,
        pytest.raises(CannotDeployError, match=r"smoke test: POST /api/users returned 503"),
    ):
        _visit(url)


def test_smoke_test_without_an_answer_reports_the_last_response() -> None:
    class Ill(_Broken):
        answers: ClassVar[dict[str, int]] = {"GET": 502}

    said: list[str] = []
    with (
        _server(Ill) as url,
        pytest.raises(CannotDeployError, match=f"not within {RESPONSE_TIMEOUT / 60:.0f} min.*502"),
    ):
        _visit(url, said)
    assert said == ["http://board.example/api/users?limit=1: not yet (502 [])"]
