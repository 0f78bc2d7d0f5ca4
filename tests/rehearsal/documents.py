"""CloudFormation templates as plain values: written to files, and with resources taken out."""

from pathlib import Path

import yaml

from tests.cloudformation import Document


def write(document: Document, path: Path) -> None:
    """The same template into a file."""
    path.write_text(yaml.safe_dump(document, sort_keys=False, width=1000))


def drop(document: Document, resource: str) -> None:
    """Remove a resource, also from the `DependsOn` of others."""
    del document["Resources"][resource]
    for other in document["Resources"].values():
        waits = other.get("DependsOn", [])
        left = [name for name in ([waits] if isinstance(waits, str) else waits) if name != resource]
        if left:
            other["DependsOn"] = left
        else:
            other.pop("DependsOn", None)
