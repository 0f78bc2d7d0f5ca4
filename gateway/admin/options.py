"""The options of ``alb run``."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from gateway.admin.commands import COMMANDS, OPERATIONS
from gateway.admin.template_options import add_template_options, pair
from gateway.net.tls import CertificateFiles


def read_options(arguments: Sequence[str], program: str) -> argparse.Namespace:
    """Parses the options. Prints a line and exits with 2 for an invalid one. ``program`` is the
    name of the program for help texts."""
    parser = argparse.ArgumentParser(
        prog=program,
        description="A local Application Load Balancer that routes by a CloudFormation template.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"commands ({program} COMMAND --help):\n"
        "  run         runs the gateway, as without a command\n"
        + "".join(f"  {name:<12}{does}\n" for name, does in COMMANDS.items()),
    )
    add_template_options(parser)
    parser.add_argument(
        "--target",
        type=pair,
        action="append",
        default=[],
        metavar="GROUP=URL",
        help="a target of a target group, by the group's logical id: http://HOST:PORT, or for a "
        "Lambda function lambda+http://HOST:PORT (an emulator) or lambda+dir:PATH#MODULE.FUNCTION "
        "(a folder with a Python handler); may be repeated",
    )
    parser.add_argument(
        "--lambda-python",
        default=sys.executable,
        metavar="PYTHON",
        help="the Python that runs the handlers of lambda+dir: it has awslambdaric (default: the "
        "gateway's own)",
    )
    parser.add_argument(
        "--listen",
        type=_listener_port,
        action="append",
        default=[],
        metavar="LISTENER=PORT",
        help="another port for a listener, by its logical id; may be repeated",
    )
    parser.add_argument(
        "--certificate",
        type=_certificate,
        action="append",
        default=[],
        metavar="ARN=CERTIFICATE.pem,KEY.pem",
        help="the files of an HTTPS listener's certificate; ARN is its CertificateArn "
        "(an ARN, or the logical id of a resource); may be repeated",
    )
    parser.add_argument("--bind", default="127.0.0.1", help="the address to listen on")
    parser.add_argument(
        "--admin-socket",
        type=Path,
        metavar="PATH",
        help=f"a Unix socket for the commands {', '.join(OPERATIONS)}",
    )
    parser.add_argument(
        "--rules-file",
        type=Path,
        metavar="PATH",
        help="a file for other programs that always has the output of the command rules; it is "
        "replaced, never half written",
    )
    parser.add_argument(
        "--metrics-port",
        type=_port,
        metavar="PORT",
        help="the port of GET /metrics, in the Prometheus format; 0 takes a free port",
    )
    parser.add_argument(
        "--identity-keys-port",
        type=_port,
        default=0,
        metavar="PORT",
        help="the port of GET /KEY-ID, which returns the key of identities; 0 takes a free port",
    )
    parser.add_argument("--access-log", default="off", metavar="PATH|-|off")
    parser.add_argument("--access-log-format", choices=("alb", "short"), default="alb")
    parser.add_argument(
        "--drain-seconds",
        type=_seconds,
        default=30.0,
        help="how long a stop waits for requests in flight",
    )
    return parser.parse_args(arguments)


def _listener_port(text: str) -> tuple[str, int]:
    name, port = pair(text)
    if not port.isdecimal() or not 1 <= int(port) <= 65535:
        raise argparse.ArgumentTypeError(f"{port!r} is not a port")
    return name, int(port)


def _certificate(text: str) -> tuple[str, CertificateFiles]:
    name, files = pair(text)
    certificate, comma, key = files.partition(",")
    if not comma:
        raise argparse.ArgumentTypeError(f"{text!r} is not ARN=CERTIFICATE.pem,KEY.pem")
    return name, CertificateFiles(Path(certificate), Path(key))


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= 86400:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds up to a day")
    return seconds
