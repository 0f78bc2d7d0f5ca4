"""``alb COMMAND``: checks of templates, and operations on a running gateway."""

import argparse
import ipaddress
import json
import os
import re
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from gateway.admin.check import refusals, summary
from gateway.admin.explain import ImaginedRequest, explain
from gateway.admin.template_options import add_template_options, load_templates, pair
from gateway.routing.settings import ListenerSettings, Routing
from gateway.template.names import full_name
from gateway.template.reader import RefusedTemplateError

TEMPLATE_COMMANDS: Final[Mapping[str, str]] = {
    "check": "what AWS would refuse, what the gateway cannot run, and the options that are missing",
    "explain": "which rule applies to a request, and why",
}
"""The commands that read templates and need no running gateway, with their descriptions."""
OPERATIONS: Final[Mapping[str, str]] = {
    "health": "the targets' health, in the shape of describe-target-health",
    "rules": "each listener's rules, in the order in which they are tried",
    "weights": "changes a rule's weights, until the next reload",
    "register": "registers a target",
    "deregister": "begins to drain a target",
    "drain": "deregisters a target, and waits until it has no more requests",
    "reload": "reads the templates again; if they are refused, the old routing stays",
}
"""The commands for a running gateway, with their descriptions."""
COMMANDS: Final = {**TEMPLATE_COMMANDS, **OPERATIONS}
_DONE: Final = 0
_REFUSED: Final = 1
_CANNOT: Final = 2
_ANSWER_SECONDS: Final = 30.0


def run_command(arguments: Sequence[str], program: str = "alb") -> int:
    """Runs one of COMMANDS and prints its result. ``program`` is the name of the program for help
    texts.

    Returns the exit code: 0 for success, 1 if the command was refused, 2 if no gateway runs or a
    template cannot be read.
    """
    options = _parser(program).parse_args(arguments)
    if options.command == "explain":
        return _explain(options)
    if options.command == "check":
        return _check(options)
    request = {
        name: value
        for name, value in vars(options).items()
        if name != "admin_socket" and value is not None
    }
    if "weights" in request:
        request["weights"] = dict(request["weights"])
    wait = _ANSWER_SECONDS + request.get("seconds", 0)
    try:
        answer = _send(options.admin_socket, request, wait)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"gateway: {options.admin_socket}: {error}\n")
        return _CANNOT
    if "problems" in answer:
        problems = answer["problems"]
        sys.stderr.write("".join(f"{line}\n" for line in problems))
        return _REFUSED
    sys.stdout.write(json.dumps(answer["result"], indent=2) + "\n")
    return _DONE


def _send(path: Path, request: Mapping[str, object], seconds: float) -> dict[str, list[str]]:
    """Sends a request to the gateway at the socket and returns its answer. Raises OSError and
    ValueError."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(seconds)
        connection.connect(os.fspath(path))
        connection.sendall(json.dumps(request).encode() + b"\n")
        received = b""
        while data := connection.recv(65536):
            received += data
    answer = json.loads(received)
    if not isinstance(answer, dict) or not answer.keys() & {"result", "problems"}:
        raise ValueError("this is not a gateway")
    return answer


def _parser(program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=program)
    commands = parser.add_subparsers(dest="command", required=True)

    def command(name: str) -> argparse.ArgumentParser:
        text = COMMANDS[name]
        made = commands.add_parser(name, help=text, description=text)
        made.add_argument(
            "--admin-socket", type=Path, required=True, help="the running gateway's socket"
        )
        return made

    health = command("health")
    health.add_argument("group", nargs="?", help="a target group's logical id; without it, all")
    command("rules")
    weights = command("weights")
    weights.add_argument("rule", help="a rule's logical id, or a listener's for its default rule")
    weights.add_argument("weights", nargs="+", type=_weight, metavar="GROUP=WEIGHT")
    for name in ("register", "deregister", "drain"):
        made = command(name)
        made.add_argument("group", help="a target group's logical id")
        made.add_argument(
            "target",
            metavar="http://HOST:PORT",
            help="a host name means every address that it has now",
        )
        if name == "drain":
            made.add_argument("--seconds", type=float, default=30.0, help="how long to wait")
    command("reload")
    text = COMMANDS["check"]
    add_template_options(commands.add_parser("check", help=text, description=text))
    text = COMMANDS["explain"]
    _add_explain(commands.add_parser("explain", help=text, description=text))
    return parser


def _add_explain(parser: argparse.ArgumentParser) -> None:
    add_template_options(parser)
    parser.add_argument("--listener", help="its logical id; without it, the first")
    parser.add_argument("--source", type=ipaddress.ip_address, default="127.0.0.1")
    parser.add_argument(
        "-H", dest="headers", type=_header, action="append", default=[], metavar="'NAME: VALUE'"
    )
    parser.add_argument("method")
    parser.add_argument("target", metavar="/PATH?QUERY", type=_request_target)


def _check(options: argparse.Namespace) -> int:
    try:
        loaded = load_templates(options)
    except RefusedTemplateError as refused:
        sys.stdout.write("".join(f"{line}\n" for line in refusals(refused.problems)))
        return _REFUSED
    except (OSError, ValueError) as error:
        sys.stderr.write(f"gateway: {error}\n")
        return _CANNOT
    sys.stdout.write("".join(f"{line}\n" for line in summary(loaded)))
    return _DONE


def _explain(options: argparse.Namespace) -> int:
    try:
        loaded = load_templates(options)
        listener = _listener(loaded.routing, options.listener)
    except RefusedTemplateError as refused:
        sys.stderr.write("".join(f"{line}\n" for line in refused.lines))
        return _CANNOT
    except (OSError, ValueError) as error:
        sys.stderr.write(f"gateway: {error}\n")
        return _CANNOT
    request = ImaginedRequest(
        options.method.encode(), options.target, tuple(options.headers), str(options.source)
    )
    for line in explain(listener, request, loaded.places):
        sys.stdout.write(f"{line}\n")
    return _DONE


def _listener(routing: Routing, name: str | None) -> ListenerSettings:
    listeners = {listener.logical_id: listener for listener in routing.listeners}
    return listeners[
        next(iter(listeners)) if name is None else full_name(name, listeners, "listener")
    ]


def _weight(text: str) -> tuple[str, int]:
    name, weight = pair(text)
    if not re.fullmatch(r"\d{1,3}", weight):
        raise argparse.ArgumentTypeError(f"{weight!r} is not a weight from 0 to 999")
    return name, int(weight)


def _header(text: str) -> tuple[bytes, bytes]:
    name, colon, value = text.partition(":")
    if not name or not colon:
        raise argparse.ArgumentTypeError(f"{text!r} is not 'NAME: VALUE'")
    return name.encode(), value.strip().encode()


def _request_target(text: str) -> bytes:
    if not text.startswith("/"):
        raise argparse.ArgumentTypeError(f"{text!r} does not begin with /")
    return text.encode()
