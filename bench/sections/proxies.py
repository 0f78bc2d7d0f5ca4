"""Compares the gateway with nginx: requests per second, and CPU time per request.

One gateway process and one nginx worker proxy to the same upstream, an nginx with a response of a
few bytes, over persistent connections, and write an access log to a file. They are measured in
alternating pairs, so that other load on the machine affects both. There are four series:

- over HTTP/1.1, measured by wrk: all requests are the same; or each has a browser's headers, and a
  path and header values of its own,
- over HTTP/2 and TLS, measured by h2load with 8 connections of 16 streams: one path; or different
  paths.
"""

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench.effort import Effort
from bench.figures import Figure, Section, at_least
from bench.programs import (
    PATH,
    CertificateFiles,
    Proxy,
    gateway,
    make_certificate,
    process,
    wait_for,
)
from bench.tools.h2load import run_h2load
from bench.tools.wrk import LoadRun, run_wrk
from laptop import ports

_CONNECTIONS: Final = 32
_PATHS: Final = 10_000
_UPSTREAM: Final = """
        location / { default_type application/json; return 200 '{"id":1,"title":"small"}'; }
"""
_VARIED: Final = """
local count = 0
request = function()
  count = count + 1
  return wrk.format("GET", "%s/" .. count .. "?after=" .. count, {
    ["Host"] = "localhost",
    ["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)",
    ["Accept"] = "*/*", ["Accept-Encoding"] = "gzip, br", ["Accept-Language"] = "en",
    ["Referer"] = "http://localhost/", ["Cookie"] = "session=0123456789abcdef0123456789abcdef",
    ["X-Request-Id"] = tostring(count),
  })
end
"""
_PROXY: Final = """
        location / {
            proxy_pass http://upstream;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $host:$server_port;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto http;
            proxy_set_header X-Amzn-Trace-Id Root=$request_id;
        }
"""


@dataclass(frozen=True)
class Measurement:
    """One run of wrk."""

    requests_per_second: float
    cpu_microseconds: float
    """CPU time of the proxy's process, user and system, divided by the requests it answered."""


Results = dict[str, list[Measurement]]
"""By the proxy's name."""


@dataclass(frozen=True)
class Series:
    """Two proxies under one kind of load."""

    what: str
    floor: float
    nginx: Proxy
    gateway: Proxy
    load: Callable[[Proxy, int], LoadRun]
    """Loads a proxy for that many seconds."""
    results: Results = field(default_factory=lambda: {"nginx": [], "gateway": []})


def measure(effort: Effort) -> Section:
    """Measure all series."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        # Started by root, nginx's worker runs as `nobody`, and must be able to enter this folder.
        folder.chmod(0o755)
        series = _start(stack, folder, _CONNECTIONS)
        for pair in range(effort.pairs + 1):
            seconds = 1 if pair == 0 else effort.seconds
            for each in series:
                for proxy in (each.nginx, each.gateway):
                    run = each.load(proxy, seconds)
                    if pair:  # the first pair is a warm-up
                        each.results[proxy.name].append(
                            Measurement(run.rate, run.cpu_per_request * 1e6)
                        )
    return Section(
        "The gateway beside nginx",
        "One gateway process and one nginx worker in front of the same upstream, each with an"
        f" access log in a file, in turns, {effort.seconds} s at a time: `wrk` with {_CONNECTIONS}"
        " connections over HTTP/1.1, `h2load` with 8 connections of 16 streams over HTTP/2 and TLS."
        " A ratio is that of requests per second.",
        tuple(figure for each in series for figure in _figures(each)),
    )


def _start(stack: contextlib.ExitStack, folder: Path, connections: int) -> list[Series]:
    upstream_port, *proxy_ports = ports.free(5)
    stack.enter_context(_nginx(folder, "upstream", upstream_port, _UPSTREAM))
    upstream = f"upstream upstream {{ server 127.0.0.1:{upstream_port}; keepalive 256; }}"
    certificate = make_certificate(folder)
    plain, secure = folder / "plain", folder / "secure"
    for each in (plain, secure):
        each.mkdir()
    nginx = stack.enter_context(_nginx(plain, "nginx", proxy_ports[0], _PROXY, upstream))
    ours = stack.enter_context(gateway(plain, proxy_ports[1], upstream_port))
    nginx2 = stack.enter_context(
        _nginx(secure, "nginx", proxy_ports[2], _PROXY, upstream, certificate)
    )
    ours2 = stack.enter_context(gateway(secure, proxy_ports[3], upstream_port, certificate))

    def wrk(script: str = "") -> Callable[[Proxy, int], LoadRun]:
        def load(proxy: Proxy, seconds: int) -> LoadRun:
            url = f"http://127.0.0.1:{proxy.port}{PATH}"
            return run_wrk(proxy.pid, url, seconds, connections, script=script)

        return load

    def h2load(paths: Sequence[str]) -> Callable[[Proxy, int], LoadRun]:
        def load(proxy: Proxy, seconds: int) -> LoadRun:
            uris = folder / "uris"
            uris.write_text("".join(f"https://127.0.0.1:{proxy.port}{path}\n" for path in paths))
            return run_h2load(proxy.pid, uris, seconds, connections=8, streams=16)

        return load

    different = [f"{PATH}/{number}?after={number}" for number in range(_PATHS)]
    return [
        Series("the same request every time", 0.5, nginx, ours, wrk()),
        Series("a browser's requests, all different", 0.5, nginx, ours, wrk(_VARIED % PATH)),
        Series("HTTP/2, one path", 0.35, nginx2, ours2, h2load([PATH])),
        Series("HTTP/2, different paths", 0.35, nginx2, ours2, h2load(different)),
    ]


def _figures(series: Series) -> Iterator[Figure]:
    ours, theirs = series.results["gateway"], series.results["nginx"]
    yield Figure(
        f"{series.what}, gateway : nginx",
        tuple(
            mine.requests_per_second / other.requests_per_second
            for mine, other in zip(ours, theirs, strict=True)
        ),
        floor=at_least(series.floor),
        goal=at_least(series.floor),
    )
    for name, measured in series.results.items():
        yield Figure(
            f"{series.what}, {name}: CPU time of a request",
            tuple(each.cpu_microseconds for each in measured),
            "µs",
            digits=0,
        )


@contextmanager
def _nginx(
    folder: Path,
    name: str,
    port: int,
    location: str,
    upstream: str = "",
    certificate: CertificateFiles | None = None,
) -> Iterator[Proxy]:
    secured = ""
    if certificate is not None:
        secured = (
            f"ssl http2; ssl_certificate {certificate.certificate}; "
            f"ssl_certificate_key {certificate.key}; ssl_protocols TLSv1.2 TLSv1.3"
        )
    temporary = "".join(
        f"    {kind}_temp_path {folder}/{name}-{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    log = f"{folder}/{name}.log combined buffer=64k flush=1s" if upstream else "off"
    configuration = folder / f"{name}.conf"
    configuration.write_text(
        "daemon off;\nworker_processes 1;\n"
        f"pid {folder}/{name}.pid;\nerror_log {folder}/{name}.error;\n"
        "events { worker_connections 4096; }\n"
        f"http {{\n{temporary}    access_log {log};\n    keepalive_requests 1000000000;\n"
        f"    {upstream}\n"
        f"    server {{\n        listen 127.0.0.1:{port} backlog=1024 {secured};{location}"
        "    }\n}\n",
        encoding="ascii",
    )
    command = ["nginx", "-c", str(configuration), "-e", f"{folder}/{name}.error"]
    with process(command) as running:
        wait_for(port, running, secured=certificate is not None)
        children = Path(f"/proc/{running.pid}/task/{running.pid}/children")
        [worker] = children.read_text(encoding="ascii").split()
        yield Proxy(name, port, int(worker))
