"""`python -m containers.prepare`: what must be done before the database starts in Compose.

Checks the volume of the database, generates the secrets that are missing, and writes to the volume
of each process the secrets that it needs. May be repeated. Exit status 1, with a line that says
why, if somebody must act.
"""

import os
import sys
from pathlib import Path
from typing import Final

from containers.data_volume import has_cluster
from containers.errors import CannotStartError
from containers.secret_files import lay_out, load_or_create, parts

DATABASE: Final = Path("/database")
SECRETS: Final = Path("/secrets")
SERVER: Final = "postgres:5432"


def prepare(database: Path, secrets: Path, project: str) -> None:
    """Prepare the volume at `database` and the volumes below `secrets`: `all`, which has them
    all, and one for each consumer. `project` is what the names of the volumes begin with.
    CannotStartError, OSError."""
    new = not has_cluster(database, f"{project}_database")
    generated = load_or_create(secrets / "all", f"{project}_secrets", may_create_admin=new)
    for consumer, files in parts(generated, SERVER).items():
        lay_out(files, secrets / consumer)


def main() -> None:
    """Prepare the places that docker-compose.yml mounts."""
    try:
        prepare(DATABASE, SECRETS, os.environ["COMPOSE_PROJECT_NAME"])
    except CannotStartError as refused:
        sys.exit(f"prepare: {refused}.")
    except OSError as error:
        sys.exit(f"prepare: {error}")


if __name__ == "__main__":
    main()
