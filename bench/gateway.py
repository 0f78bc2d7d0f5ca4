"""Compares the gateway with nginx: requests per second, and CPU time per request.

    python -m bench.gateway [--pairs 5] [--seconds 3] [--connections 32]

One gateway process and one nginx worker proxy to the same upstream, an nginx with a response of a
few bytes, over persistent connections, and write an access log to a file. They are measured in
alternating pairs, so that other load on the machine affects both. There are four series:

- over HTTP/1.1, measured by wrk: all requests are the same; or each has a browser's headers, and a
  path and header values of its own,
- over HTTP/2 and TLS, measured by h2load with 8 connections of 16 streams: one path; or different
  paths.

Needs Linux (CPU time is read from /proc), nginx, wrk, h2load and openssl. Everything listens on
127.0.0.1 and ends with the run.

The exit code is 1 if in any series the gateway's requests per second are less than its floor times
nginx's: 0.5 over HTTP/1.1, and 0.35 over HTTP/2.
"""

import argparse
import contextlib
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench.h2load import run_h2load
from bench.programs import (
    PATH,
    CertificateFiles,
    Proxy,
    gateway,
    make_certificate,
    process,
    wait_for,
)
from bench.wrk import LoadRun, run_wrk
from laptop import ports

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


def main(arguments: Sequence[str]) -> int:
    """Measure and print everything. Returns the exit code: 2 if a program is missing."""
    parser = argparse.ArgumentParser(prog="python -m bench.gateway")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=32)
    options = parser.parse_args(arguments)
    needed = ("nginx", "wrk", "h2load", "openssl")
    missing = [tool for tool in needed if shutil.which(tool) is None]
    if missing or not Path("/proc/self/stat").exists():
        needs = ", ".join(missing) or "Linux"
        sys.stderr.write(f"bench.gateway needs {needs}\n")
        return 2
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        # Started by root, nginx's worker runs as `nobody`, and must be able to enter this folder.
        folder.chmod(0o755)
        series = _start(stack, folder, options.connections)
        for pair in range(options.pairs + 1):
            seconds = 1 if pair == 0 else options.seconds
            for each in series:
                for proxy in (each.nginx, each.gateway):
                    run = each.load(proxy, seconds)
                    if pair:  # the first pair is a warm-up
                        each.results[proxy.name].append(
                            Measurement(run.rate, run.cpu_per_request * 1e6)
                        )
    slow = [each for each in series if _report(each.what, each.results) < each.floor]
    for each in slow:
        sys.stderr.write(f"bench.gateway: {each.what}: the ratio is under {each.floor}\n")
    return 1 if slow else 0


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
    script = folder / "varied.lua"
    script.write_text(_VARIED % PATH, encoding="ascii")

    def wrk(*arguments: str) -> Callable[[Proxy, int], LoadRun]:
        def load(proxy: Proxy, seconds: int) -> LoadRun:
            url = f"http://127.0.0.1:{proxy.port}{PATH}"
            return run_wrk(proxy.pid, url, seconds, connections, arguments)

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
        Series(
            "a browser's requests, all different", 0.5, nginx, ours, wrk("--script", str(script))
        ),
        Series("HTTP/2, one path", 0.35, nginx2, ours2, h2load([PATH])),
        Series("HTTP/2, different paths", 0.35, nginx2, ours2, h2load(different)),
    ]


def _report(what: str, results: Results) -> float:
    lines = [f"{what}:"]
    for name, measured in results.items():
        rate = statistics.median(one.requests_per_second for one in measured)
        cpu = statistics.median(one.cpu_microseconds for one in measured)
        lines.append(f"  {name:8} {rate:8.0f} requests/s {cpu:6.1f} us of CPU per request")
    ratio = statistics.median(
        ours.requests_per_second / theirs.requests_per_second
        for ours, theirs in zip(results["gateway"], results["nginx"], strict=True)
    )
    lines.append(f"  gateway : nginx = {ratio:.2f} (median of {len(results['nginx'])} pairs)")
    sys.stdout.write("\n".join(lines) + "\n")
    return ratio


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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
