"""A file with the current rules, for programs that may read them and change nothing."""

import json
import logging
from pathlib import Path
from typing import Final

_log: Final = logging.getLogger(__name__)


def write_rules(file: Path, rules: object) -> None:
    """Replace the file, so that a reader never sees half of it.

    A file that cannot be written is logged: the gateway forwards requests without it.
    """
    written = file.with_name(f"{file.name}.new")
    try:
        written.write_text(json.dumps(rules), encoding="utf-8")
        # Readable by processes of other users: it has nothing that they could not see by asking.
        written.chmod(0o644)
        written.replace(file)
    except OSError as error:
        _log.warning("cannot write the rules: %s", error)
