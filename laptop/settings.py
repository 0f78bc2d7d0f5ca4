"""The settings of a run, from the command line or else from the environment."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from laptop.errors import CannotRunError
from topology.contexts import CONTEXTS
from topology.deployments import DEPLOYMENTS, MONOLITH, SERVICES


@dataclass(frozen=True)
class Settings:
    """One run of the board.

    `deployment` is a key of `topology.deployments.DEPLOYMENTS`. `shares` has, for each service, the
    percentage of its requests that it gets; the monolith gets the rest. Each server runs in
    `copies` processes. `observe_port` is that of
    Prometheus, or None if it is not to run. `database_urls` has a URL
    for every context, or is empty if this run starts PostgreSQL itself.
    """

    deployment: str
    port: int
    data_folder: Path
    shares: Mapping[str, int]
    copies: int
    observe_port: int | None
    database_urls: Mapping[str, str] = field(repr=False)
    admin_database_url: str | None = field(repr=False)


def read(arguments: Sequence[str], environment: Mapping[str, str]) -> Settings:
    """Read the settings of a run. An empty variable counts as unset.

    Raises:
        CannotRunError: a value is invalid.
        SystemExit: with code 2, for unknown arguments; argparse has printed the usage.
    """
    parser = argparse.ArgumentParser(
        prog="python -m laptop",
        description="Run the board on this machine: PostgreSQL, its processes, and the gateway.",
    )
    parser.add_argument("--deployment", choices=DEPLOYMENTS, help="default: microservices")
    parser.add_argument("--port", help="of the gateway; default: 8080")
    parser.add_argument("--data-dir", help="the folder for data and passwords; default: .data")
    parsed = parser.parse_args(arguments)

    def setting(flag: str | None, variable: str, default: str) -> str:
        return flag or environment.get(variable) or default

    deployment = _deployment(setting(parsed.deployment, "DEPLOYMENT", "microservices"))
    return Settings(
        deployment=deployment,
        port=_number("PORT", setting(parsed.port, "PORT", "8080"), 1, 65_535),
        data_folder=_data_folder(parsed.data_dir, environment),
        shares=_shares(deployment, environment),
        copies=_number("COPIES", environment.get("COPIES") or "1", 1, 9),
        observe_port=_observe_port(environment),
        database_urls=_database_urls(environment),
        admin_database_url=environment.get("ADMIN_DATABASE_URL") or None,
    )


def data_folder(environment: Mapping[str, str]) -> Path:
    """The folder with the data of a run in this environment."""
    return _data_folder(None, environment)


def _data_folder(flag: str | None, environment: Mapping[str, str]) -> Path:
    return Path(flag or environment.get("DATA_DIR") or ".data").absolute()


def _deployment(value: str) -> str:
    if value in DEPLOYMENTS:
        return value
    raise CannotRunError(f"DEPLOYMENT={value}: it must be one of {', '.join(DEPLOYMENTS)}")


def _shares(deployment: str, environment: Mapping[str, str]) -> dict[str, int]:
    servers = DEPLOYMENTS[deployment]
    shares: dict[str, int] = {}
    for service in SERVICES:
        variable = f"{service.upper()}_SHARE"
        default = 50 if {service, MONOLITH} <= {*servers} else 100 * (service in servers)
        share = _number(variable, environment.get(variable) or str(default), 0, 100)
        if (share > 0 and service not in servers) or (share < 100 and MONOLITH not in servers):
            raise CannotRunError(
                f"{variable}={share}: DEPLOYMENT={deployment} starts with {default} % for "
                f"{service}; start with DEPLOYMENT=strangler, or change the share of a running "
                f"board: make shift CONTEXT={service} SHARE={share}"
            )
        shares[service] = share
    return shares


def _observe_port(environment: Mapping[str, str]) -> int | None:
    if environment.get("OBSERVE", "0") in {"", "0"}:
        return None
    return _number("OBSERVE_PORT", environment.get("OBSERVE_PORT") or "9090", 1, 65_535)


def _database_urls(environment: Mapping[str, str]) -> dict[str, str]:
    variables = {context.name: context.database_url.upper() for context in CONTEXTS}
    urls = {name: environment[key] for name, key in variables.items() if environment.get(key)}
    missing = [key for name, key in variables.items() if name not in urls]
    if urls and missing:
        raise CannotRunError(
            f"not set: {', '.join(missing)}. Set the URLs of all databases to use your own, or "
            "none of them to use the PostgreSQL that this command starts"
        )
    if environment.get("ADMIN_DATABASE_URL") and not urls:
        raise CannotRunError(
            "ADMIN_DATABASE_URL is set, but the databases' URLs are not: set "
            f"{', '.join(missing)} too, or unset it"
        )
    return urls


def _number(name: str, value: str, least: int, most: int) -> int:
    if value.isascii() and value.isdigit() and least <= int(value) <= most:
        return int(value)
    raise CannotRunError(f"{name}={value}: it must be a whole number from {least} to {most}")
