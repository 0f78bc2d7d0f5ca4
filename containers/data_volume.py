"""Checks which PostgreSQL version wrote the database's volume: another would ignore its data."""

import re
from pathlib import Path

from containers.errors import CannotStartError

MAJOR = 18
"""The major version of PostgreSQL that docker-compose.yml names."""


def has_cluster(volume: Path, name: str) -> bool:
    """Whether the volume, mounted at `volume`, has a cluster of this major version.

    Since version 18, the image stores each major version's cluster in a folder of its own, such as
    `18/docker`, and would create an empty one beside that of another version
    (https://hub.docker.com/_/postgres, "PGDATA"). `name` is the volume's name in messages.

    Raises:
        CannotStartError: the volume has only a cluster of another version, or one of a newer.
    """
    found = {path.parent.name for path in volume.glob("*/docker")}
    # Images before 18 stored the cluster in the volume's root.
    if (volume / "PG_VERSION").exists():
        found.add((volume / "PG_VERSION").read_text(encoding="ascii").strip())
    majors = {int(name) for name in found if re.fullmatch(r"[0-9]{1,4}", name)}
    newer, older = {m for m in majors if m > MAJOR}, {m for m in majors if m < MAJOR}
    if newer:
        raise CannotStartError(
            f"The volume {name} was written by PostgreSQL {max(newer)}, and this version "
            f"of the board runs PostgreSQL {MAJOR}: use the version of the board that wrote it, "
            "or start with an empty board: docker compose down --volumes"
        )
    if older and MAJOR not in majors:
        raise CannotStartError(
            f"The volume {name} was written by PostgreSQL {max(older)}, and this version "
            f"of the board runs PostgreSQL {MAJOR}: move the data with pg_dumpall and psql "
            "(https://www.postgresql.org/docs/18/upgrading.html), or start with an empty board: "
            "docker compose down --volumes"
        )
    return MAJOR in majors
