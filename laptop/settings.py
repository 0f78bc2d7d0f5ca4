"""What a run is asked to be: by the command line, or else by the environment."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, get_args

from laptop.errors import CannotRunError

Context = Literal["users", "threads", "posts"]
CONTEXTS: Final[tuple[Context, ...]] = get_args(Context)

Service = Literal["users", "threads", "posts", "web"]
"""What runs beside the monolith, or in its place: the contexts, and the page."""
SERVICES: Final[tuple[Service, ...]] = get_args(Service)

Deployment = Literal["microservices", "monolith", "strangler"]
DEPLOYMENTS: Final[tuple[Deployment, ...]] = get_args(Deployment)


@dataclass(frozen=True)
class Settings:
    """One run of the board.

    `shares` is the percentage of its requests that each service gets; the monolith gets the rest.
    `database_urls` has all contexts, or none: then PostgreSQL is ours to run.
    """

    deployment: Deployment
    port: int
    data_folder: Path
    shares: Mapping[Service, int]
    database_urls: Mapping[Context, str] = field(repr=False)
    admin_database_url: str | None = field(repr=False)


def read(arguments: Sequence[str], environment: Mapping[str, str]) -> Settings:
    """The settings of a run; an empty variable counts as unset.

    CannotRunError for a value that makes no sense; for unknown arguments `argparse` prints the
    usage and exits with code 2.
    """
    parser = argparse.ArgumentParser(
        prog="python -m laptop",
        description="Run the board on this machine: PostgreSQL, its processes, and the gateway.",
    )
    parser.add_argument("--deployment", choices=DEPLOYMENTS, help="default: microservices")
    parser.add_argument("--port", help="of the gateway; default: 8080")
    parser.add_argument("--data-dir", help="where data and passwords are kept; default: .data")
    parsed = parser.parse_args(arguments)

    def setting(flag: str | None, variable: str, default: str) -> str:
        return flag or environment.get(variable) or default

    deployment = _deployment(setting(parsed.deployment, "DEPLOYMENT", "microservices"))
    return Settings(
        deployment=deployment,
        port=_number("PORT", setting(parsed.port, "PORT", "8080"), 1, 65_535),
        data_folder=Path(setting(parsed.data_dir, "DATA_DIR", ".data")).absolute(),
        shares=_shares(deployment, environment),
        database_urls=_database_urls(environment),
        admin_database_url=environment.get("ADMIN_DATABASE_URL") or None,
    )


def _deployment(value: str) -> Deployment:
    for deployment in DEPLOYMENTS:
        if value == deployment:
            return deployment
    raise CannotRunError(f"DEPLOYMENT={value}: it must be one of {', '.join(DEPLOYMENTS)}")


def _shares(deployment: Deployment, environment: Mapping[str, str]) -> dict[Service, int]:
    if deployment == "microservices":
        return dict.fromkeys(SERVICES, 100)
    if deployment == "monolith":
        return dict.fromkeys(SERVICES, 0)
    shares: dict[Service, int] = {}
    for service in SERVICES:
        variable = f"{service.upper()}_SHARE"
        shares[service] = _number(variable, environment.get(variable) or "50", 0, 100)
    return shares


def _database_urls(environment: Mapping[str, str]) -> dict[Context, str]:
    urls: dict[Context, str] = {}
    for context in CONTEXTS:
        url = environment.get(f"{context.upper()}_DATABASE_URL")
        if url:
            urls[context] = url
    if urls and len(urls) < len(CONTEXTS):
        missing = ", ".join(f"{c.upper()}_DATABASE_URL" for c in CONTEXTS if c not in urls)
        raise CannotRunError(
            f"{missing} is not set, but the others are: set all three, for databases of your own, "
            "or none, for those that this command runs"
        )
    if environment.get("ADMIN_DATABASE_URL") and not urls:
        raise CannotRunError(
            "ADMIN_DATABASE_URL is set, but no database of your own is: set USERS_DATABASE_URL, "
            "THREADS_DATABASE_URL and POSTS_DATABASE_URL too, or unset it"
        )
    return urls


def _number(name: str, value: str, least: int, most: int) -> int:
    if value.isascii() and value.isdigit() and least <= int(value) <= most:
        return int(value)
    raise CannotRunError(f"{name}={value}: it must be a whole number from {least} to {most}")
