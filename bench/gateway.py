"""Compares the gateway with nginx: requests per second, and CPU time per request.

    python -m bench.gateway [--pairs 5] [--seconds 3] [--connections 32]

One gateway process and one nginx worker proxy to the same upstream, an nginx with a response of a
few bytes, over persistent connections, and write an access log to a file. wrk measures them in
alternating pairs, so that other load on the machine affects both. There are two series: in one, all
requests are the same; in the other, each has a browser's headers, and a path and header values of
its own. Needs Linux (CPU time is read from /proc), nginx and wrk. Everything listens on 127.0.0.1
and ends with the run.

The exit code is 1 if, in the first series, the gateway's requests per second are less than --floor
times nginx's.
"""

import argparse
import contextlib
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.programs import PATH, Proxy, gateway, process, wait_for
from bench.wrk import run_wrk
from laptop import ports

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


def main(arguments: Sequence[str]) -> int:
    """Measure and print everything. Returns the exit code: 2 if a program is missing."""
    parser = argparse.ArgumentParser(prog="python -m bench.gateway")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--floor", type=float, default=0.5)
    options = parser.parse_args(arguments)
    missing = [tool for tool in ("nginx", "wrk") if shutil.which(tool) is None]
    if missing or not Path("/proc/self/stat").exists():
        needs = ", ".join(missing) or "Linux"
        sys.stderr.write(f"bench.gateway needs {needs}\n")
        return 2
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        # Started by root, nginx's worker runs as `nobody`, and must be able to enter this folder.
        Path(folder).chmod(0o755)
        upstream_port, nginx_port, gateway_port = ports.free(3)
        stack.enter_context(_nginx(Path(folder), "upstream", upstream_port, _UPSTREAM))
        upstream = f"upstream upstream {{ server 127.0.0.1:{upstream_port}; keepalive 256; }}"
        nginx = stack.enter_context(_nginx(Path(folder), "nginx", nginx_port, _PROXY, upstream))
        ours = stack.enter_context(gateway(Path(folder), gateway_port, upstream_port))
        script = Path(folder) / "varied.lua"
        script.write_text(_VARIED % PATH, encoding="ascii")
        repeated: Results = {"nginx": [], "gateway": []}
        varied: Results = {"nginx": [], "gateway": []}
        for pair in range(options.pairs + 1):
            seconds = 1 if pair == 0 else options.seconds
            for results, arguments in ((repeated, ()), (varied, ("--script", str(script)))):
                for proxy in (nginx, ours):
                    measured = _measure(proxy, seconds, options.connections, arguments)
                    if pair:  # the first pair is a warm-up
                        results[proxy.name].append(measured)
    ratio = _report("the same request every time", repeated)
    _report("a browser's requests, all different", varied)
    if ratio < options.floor:
        sys.stderr.write(f"bench.gateway: the ratio is under {options.floor}\n")
        return 1
    return 0


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


def _measure(proxy: Proxy, seconds: int, connections: int, arguments: Sequence[str]) -> Measurement:
    url = f"http://127.0.0.1:{proxy.port}{PATH}"
    found = run_wrk(proxy.pid, url, seconds, connections, arguments)
    return Measurement(found.rate, found.cpu_per_request * 1e6)


@contextmanager
def _nginx(
    folder: Path, name: str, port: int, location: str, upstream: str = ""
) -> Iterator[Proxy]:
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
        f"    {upstream}\n    server {{\n        listen 127.0.0.1:{port} backlog=1024;{location}"
        "    }\n}\n",
        encoding="ascii",
    )
    command = ["nginx", "-c", str(configuration), "-e", f"{folder}/{name}.error"]
    with process(command) as running:
        wait_for(port, running)
        children = Path(f"/proc/{running.pid}/task/{running.pid}/children")
        [worker] = children.read_text(encoding="ascii").split()
        yield Proxy(name, port, int(worker))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
