"""The CloudFormation templates, as they are sent."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.errors import CannotDeployError
from gateway.template.syntax.nodes import Fields, TemplateError
from gateway.template.syntax.parser import parse

MAX_BYTES: Final = 51_200
"""The size of a template that is sent within the request (AWS CloudFormation quotas)."""


@dataclass(frozen=True)
class Template:
    """A template's text, and the names of the parameters that it declares."""

    body: str
    parameters: frozenset[str]


def read(folder: Path, layer: str) -> Template:
    """The template of a layer. Raises `CannotDeployError` if it cannot be read or is too long to be
    sent."""
    path = folder / f"{layer}.yml"
    try:
        body = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CannotDeployError(f"{path} cannot be read: {error}") from error
    try:
        sections = parse(body).entries
    except TemplateError as error:
        raise CannotDeployError(f"{path}:{error.line} cannot be read: {error}") from error
    if "Resources" not in sections:
        raise CannotDeployError(f"{path} is not a CloudFormation template: it has no Resources")
    size = len(body.encode())
    if size > MAX_BYTES:
        raise CannotDeployError(f"{path} has {size} bytes; CloudFormation accepts {MAX_BYTES}")
    declared = sections.get("Parameters")
    if declared is None:
        return Template(body, frozenset())
    if not isinstance(declared.value, Fields):
        raise CannotDeployError(f"{path}:{declared.line} Parameters is not a mapping")
    return Template(body, frozenset(declared.value.entries))
