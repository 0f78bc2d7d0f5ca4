"""Whose the volume of the database is: none may start on data that it would pass over."""

import re
from pathlib import Path

from containers.errors import CannotStartError

MAJOR = 18
"""The major version of PostgreSQL that docker-compose.yml names."""


def has_cluster(volume: Path, name: str) -> bool:
    """Whether the volume of that name, mounted here, has a cluster of this major version.

    Since version 18 the image keeps each major version's cluster in a folder of its own,
    `18/docker`, and would make an empty one beside that of another version
    (https://hub.docker.com/_/postgres, "PGDATA"). CannotStartError when there is another's.
    """
    found = {path.parent.name for path in volume.glob("*/docker")}
    # Where images before 18 had their volume's root, there is the cluster itself.
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
