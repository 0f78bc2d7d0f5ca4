"""The command line: reads it, reads the template, runs the gateway until it is told to stop."""

import argparse
import asyncio
import errno
import gc
import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Final

import uvloop

from gateway.access_log import AccessLog, AlbFormat, Format, NoAccessLog, short_line
from gateway.gateway import InvalidTargetError, UnknownTargetGroupError, start_gateway
from gateway.log_file import LogFile
from gateway.routing import RefusedTemplateError, load_routing
from gateway.rules import Forward
from gateway.settings import Routing

_REFUSED: Final = 2

_log: Final = logging.getLogger(__name__)


def main(arguments: Sequence[str]) -> int:
    """Runs the gateway. The exit code: 0 after a stop that was asked for, 2 when it cannot run."""
    options = _options(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        routing = load_routing(options.template, dict(options.parameter))
    except RefusedTemplateError as refused:
        return _refuse(*refused.lines)
    except (OSError, UnicodeDecodeError) as error:
        return _refuse(f"gateway: {options.template}: {error}")
    targets: dict[str, list[str]] = {}
    for name, url in options.target:
        targets.setdefault(name, []).append(url)
    return uvloop.run(_run(routing, targets, options))


async def _run(
    routing: Routing, targets: Mapping[str, Sequence[str]], options: argparse.Namespace
) -> int:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    again = asyncio.Event()

    def on_signal() -> None:
        (again if stop.is_set() else stop).set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    file = None
    access_log: AccessLog | NoAccessLog = NoAccessLog()
    try:
        if options.access_log != "off":
            file = LogFile(_open(options.access_log))
            access_log = AccessLog(_format(options.access_log_format, routing), file)
        gateway = await start_gateway(
            routing,
            targets,
            bind=options.bind,
            access_log=access_log,
            # Trace ids are names, not secrets: seeded from the system, and cheap to draw.
            random=Random(os.urandom(32)),  # noqa: S311
        )
    except (UnknownTargetGroupError, InvalidTargetError) as error:
        return _refuse(f"gateway: {error}")
    except OSError as error:
        return _refuse(f"gateway: {_why(error, options.bind, routing.listener_port)}")
    # Requests make no reference cycles, and looking for some every 700 objects takes its time.
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    try:
        _warn_of_empty_groups(routing, targets)
        _log.info("listening on %s port %d", options.bind, gateway.port)
        await stop.wait()
        _log.info("draining for up to %g seconds", options.drain_seconds)
        drained = loop.create_task(gateway.drain(options.drain_seconds))
        hurry = loop.create_task(again.wait())
        await asyncio.wait((drained, hurry), return_when=asyncio.FIRST_COMPLETED)
        for task in (drained, hurry):
            task.cancel()
        await asyncio.gather(drained, hurry, return_exceptions=True)
    finally:
        await gateway.close()
        if file is not None:
            file.close()
    _log.info("stopped")
    return 0


def _refuse(*lines: str) -> int:
    sys.stderr.write("".join(f"{line}\n" for line in lines))
    return _REFUSED


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m gateway",
        description="A local Application Load Balancer that routes by a CloudFormation template.",
    )
    parser.add_argument("--template", type=Path, required=True, help="the CloudFormation template")
    parser.add_argument(
        "--parameter",
        type=_pair,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a value for one of the template's parameters",
    )
    parser.add_argument(
        "--target",
        type=_pair,
        action="append",
        default=[],
        metavar="GROUP=http://HOST:PORT",
        help="a target of a target group, by the group's logical id; may be repeated",
    )
    parser.add_argument("--bind", default="127.0.0.1", help="the address to listen on")
    parser.add_argument("--access-log", default="off", metavar="PATH|-|off")
    parser.add_argument("--access-log-format", choices=("alb", "short"), default="alb")
    parser.add_argument(
        "--drain-seconds", type=_seconds, default=30.0, help="how long a stop waits for requests"
    )
    return parser.parse_args(arguments)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= 86400:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds up to a day")
    return seconds


def _open(path: str) -> int:
    if path == "-":
        return sys.stdout.fileno()
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)


def _format(name: str, routing: Routing) -> Format:
    if name == "short":
        return short_line
    return AlbFormat(routing.load_balancer.logical_id, routing.listener_port)


def _why(error: OSError, bind: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {bind} is taken by another process"
    if error.errno == errno.EACCES:
        return f"no permission to listen on port {port}"
    return str(error)


def _warn_of_empty_groups(routing: Routing, targets: Mapping[str, Sequence[str]]) -> None:
    wanted = {
        group.target_group
        for rule in routing.rules
        if isinstance(rule.action, Forward)
        for group in rule.action.groups
        if group.weight > 0
    }
    for name in sorted(wanted - targets.keys()):
        _log.warning("%s has no --target: its requests are answered with 503", name)
