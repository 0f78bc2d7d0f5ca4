"""The options for the templates of the load balancer."""

import argparse
from pathlib import Path

from gateway.template.files import sources
from gateway.template.inputs import Choices
from gateway.template.reader import LoadedTemplates, load


def add_template_options(parser: argparse.ArgumentParser) -> None:
    """Adds these options to a command."""
    parser.add_argument(
        "--template",
        action="append",
        required=True,
        metavar="[NAME=]FILE",
        help="a CloudFormation template, or a folder of them; may be repeated. Together they are "
        "one load balancer, and NAME is what the others call this one (without it, the file's)",
    )
    parser.add_argument(
        "--parameter",
        type=pair,
        action="append",
        default=[],
        metavar="[NAME.]KEY=VALUE",
        help="a value for a parameter of one template, or of every one that has it; also for "
        "AWS::Region and the like",
    )
    parser.add_argument(
        "--tie",
        type=pair,
        action="append",
        default=[],
        metavar="[NAME.]KEY=NAME.RESOURCE",
        help="the parameter is this load balancer, listener or target group of another template",
    )
    parser.add_argument(
        "--resolve",
        type=pair,
        action="append",
        default=[],
        metavar="WHAT=VALUE",
        help="a value that only AWS knows: of ssm:/name, secretsmanager:name..., import:NAME, or "
        "RESOURCE.ATTRIBUTE",
    )
    parser.add_argument(
        "--identity",
        type=Path,
        metavar="FILE",
        help="who requests are from, for rules that sign people in: JSON, names with claims",
    )
    parser.add_argument(
        "--load-balancer",
        metavar="ID",
        help="which of the load balancers to run, by its logical id; without it, the one that is "
        "internet-facing",
    )
    parser.add_argument(
        "--health-check-port",
        type=_health_check_port,
        action="append",
        default=[],
        metavar="GROUP=PORT",
        help="where a target group's health checks go instead of the template's HealthCheckPort: "
        "a port, or traffic-port",
    )


def load_templates(options: argparse.Namespace) -> LoadedTemplates:
    """Reads the templates. Raises what ``gateway.template.reader.load`` raises, and
    NoTemplatesError."""
    choices = Choices(
        parameters=dict(options.parameter),
        ties=dict(options.tie),
        known=dict(options.resolve),
        load_balancer=options.load_balancer,
        health_check_ports=dict(options.health_check_port),
        identities=options.identity is not None,
    )
    return load(sources(options.template), choices)


def pair(text: str) -> tuple[str, str]:
    """``NAME=VALUE``, for argparse."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def _health_check_port(text: str) -> tuple[str, int | None]:
    name, port = pair(text)
    if port == "traffic-port":
        return name, None
    if not port.isdecimal() or not 1 <= int(port) <= 65535:
        raise argparse.ArgumentTypeError(f"{port!r} is neither a port nor traffic-port")
    return name, int(port)
