"""`python -m containers.prepare`: prepares the volumes, before the database starts in Compose.

Checks the database's volume, generates missing secrets, and writes to the volume of each process
the secrets that it needs. Running it again changes nothing. Exit status 1, after a line with the
reason, if the operator must do something first.
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
    """Check the volume at `database`, and write the secrets to the volumes below `secrets`.

    `secrets/all` has every secret; beside it is a volume for each consumer. `project` is the prefix
    of the volumes' names.

    Raises:
        CannotStartError: the operator must do something first.
        OSError: a file cannot be read or written.
    """
    new = not has_cluster(database, f"{project}_database")
    generated = load_or_create(secrets / "all", f"{project}_secrets", may_create_admin=new)
    for consumer, files in parts(generated, SERVER).items():
        lay_out(files, secrets / consumer)


def main() -> None:
    """Prepare the volumes where docker-compose.yml mounts them."""
    try:
        prepare(DATABASE, SECRETS, os.environ["COMPOSE_PROJECT_NAME"])
    except CannotStartError as refused:
        sys.exit(f"prepare: {refused}.")
    except OSError as error:
        sys.exit(f"prepare: {error}")


if __name__ == "__main__":
    main()
