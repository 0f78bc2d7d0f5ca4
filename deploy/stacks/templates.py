"""The CloudFormation templates, as they are sent."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from deploy.errors import CannotDeployError

LIMIT: Final = 51_200
"""Bytes that a template may have when it is sent with the request (AWS CloudFormation quotas)."""


@dataclass(frozen=True)
class Template:
    """What is sent, and the names of the parameters that it takes."""

    body: str
    parameters: frozenset[str]


class _Loader(yaml.SafeLoader):
    """Reads the short forms of CloudFormation's functions without knowing what they mean."""


def _any_tag(loader: _Loader, _suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return node.value


_Loader.add_multi_constructor("!", _any_tag)


def read(folder: Path, layer: str) -> Template:
    """The template of a layer. Raises `CannotDeployError` where it cannot be sent."""
    path = folder / f"{layer}.yml"
    try:
        body = path.read_text(encoding="utf-8")
        document = yaml.load(body, Loader=_Loader)  # noqa: S506 - a kind of SafeLoader
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CannotDeployError(f"{path} cannot be read: {error}") from error
    if not isinstance(document, dict) or "Resources" not in document:
        raise CannotDeployError(f"{path} is no CloudFormation template: it has no Resources")
    size = len(body.encode())
    if size > LIMIT:
        raise CannotDeployError(f"{path} has {size} bytes, and CloudFormation takes {LIMIT}")
    return Template(body, frozenset(document.get("Parameters") or {}))
