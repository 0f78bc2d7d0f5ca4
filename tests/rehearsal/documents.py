"""CloudFormation templates as plain data, with the functions in their long form."""

from pathlib import Path
from typing import Any

import yaml

Document = dict[str, Any]


class _Loader(yaml.SafeLoader):
    """Knows CloudFormation's short forms."""


def _long_form(loader: _Loader, suffix: str, node: yaml.Node) -> Any:
    value: Any
    if isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = node.value
    if suffix in {"Ref", "Condition"}:
        return {suffix: value}
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _long_form)


def read(path: Path) -> Document:
    """The template in a file."""
    document: Document = yaml.load(path.read_text(), Loader=_Loader)  # noqa: S506 - a safe loader
    return document


def write(document: Document, path: Path) -> None:
    """The same template into a file."""
    path.write_text(yaml.safe_dump(document, sort_keys=False, width=1000))


def drop(document: Document, resource: str) -> None:
    """Take a resource out, and what says that others wait for it."""
    del document["Resources"][resource]
    for other in document["Resources"].values():
        waits = other.get("DependsOn", [])
        left = [name for name in ([waits] if isinstance(waits, str) else waits) if name != resource]
        if left:
            other["DependsOn"] = left
        else:
            other.pop("DependsOn", None)
