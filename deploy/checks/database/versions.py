"""Which version of PostgreSQL a new database gets."""

from collections.abc import Callable, Mapping
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from deploy.aws import Aws
from deploy.checks.choices import DEFAULTS
from deploy.errors import CannotDeployError

ENGINES: Final[Mapping[str, str]] = {"aurora": "aurora-postgresql", "instance": "postgres"}
"""RDS's name of the engine, by the kind of the database."""

_SERVERLESS: Final = "db.serverless"


def engine_version(
    aws: Aws,
    effective: Mapping[str, str],
    chosen: str | None,
    say: Callable[[str], None],
    *,
    restored: str | None = None,
) -> str:
    """The version of the database to create: the chosen one, or the default, or, if AWS has retired
    that, the newest available one of the same major version. `restored` is the version of the
    snapshot that it is restored from, which then is the default and the minimum. Raises
    `CannotDeployError` for a version that is not available, and names those that are."""
    default = restored or DEFAULTS["EngineVersion"]
    if restored and chosen and not _follows(chosen, restored):
        raise CannotDeployError(
            f"The snapshot is of PostgreSQL {restored}, and a restore goes to this version or a "
            f"newer one with the same major number, not to ENGINE_VERSION={chosen}: leave that out"
        )
    engine = ENGINES[effective["DatabaseKind"]]
    kind = _SERVERLESS if engine != "postgres" else effective["DatabaseClass"]
    try:
        offered = _versions(aws, engine, kind)
    except (ClientError, BotoCoreError) as error:
        say(f"Which versions {aws.region} offers could not be looked up: {error}")
        return chosen or default
    if chosen in offered:
        return chosen
    if chosen is None:
        if default in offered:
            return default
        newer = [one for one in offered if _follows(one, default)]
        if newer:
            newest = max(newer, key=_numbers)
            say(f"{engine} {default} is no longer available: using {newest}")
            return newest
    what = f"{engine} {chosen or default} as {kind}"
    usable = sorted(
        (
            one
            for one in offered
            if (_follows(one, restored) if restored else _numbers(one)[0] >= 17)
        ),
        key=_numbers,
    )
    raise CannotDeployError(
        f"{aws.region} does not offer {what}: "
        + (
            f"use ENGINE_VERSION=..., one of {', '.join(usable)}"
            if usable
            else "choose another PARAMETERS=DatabaseClass=..., or another region"
        )
    )


def _versions(aws: Aws, engine: str, kind: str) -> set[str]:
    pages = aws.rds.get_paginator("describe_orderable_db_instance_options").paginate(
        Engine=engine, DBInstanceClass=kind, Vpc=True
    )
    return {
        option.get("EngineVersion", "")
        for page in pages
        for option in page["OrderableDBInstanceOptions"]
    }


def _follows(version: str, before: str) -> bool:
    """Whether it is that version, or a newer one with the same major number."""
    return _numbers(version)[0] == _numbers(before)[0] and _numbers(version) >= _numbers(before)


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".") if part.isdecimal()] or [0]
