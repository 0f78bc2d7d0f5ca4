"""The CloudFormation templates, as they are sent."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.errors import CannotDeployError
from gateway.template.syntax.nodes import Fields, Items, TemplateError, TemplateNode, Text
from gateway.template.syntax.parser import parse

MAX_BYTES: Final = 51_200
"""The size of a template that is sent within the request (AWS CloudFormation quotas)."""


@dataclass(frozen=True)
class Parameter:
    """A parameter that a template declares. Its value must be one of `allowed`, match `pattern` as
    a whole, and be a number from `least` to `most`; None is no limit."""

    name: str
    allowed: tuple[str, ...] | None = None
    pattern: str | None = None
    least: float | None = None
    most: float | None = None

    def problems(self, value: str) -> Iterator[str]:
        """Why CloudFormation would refuse the value, if it would."""
        if self.allowed is not None and value not in self.allowed:
            yield f"{self.name}={value}: must be one of {', '.join(self.allowed)}"
        if self.pattern is not None and not re.fullmatch(self.pattern, value):
            yield f"{self.name}={value}: must match {self.pattern}"
        if self.least is not None or self.most is not None:
            try:
                number = float(value)
            except ValueError:
                yield f"{self.name}={value}: must be a number"
                return
            if self.least is not None and number < self.least:
                yield f"{self.name}={value}: must be {self.least:g} or more"
            if self.most is not None and number > self.most:
                yield f"{self.name}={value}: must be {self.most:g} or less"


@dataclass(frozen=True)
class Template:
    """A template's text, and the parameters that it declares, by their names."""

    body: str
    parameters: Mapping[str, Parameter]


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
        return Template(body, {})
    if not isinstance(declared.value, Fields):
        raise CannotDeployError(f"{path}:{declared.line} Parameters is not a mapping")
    entries = declared.value.entries
    return Template(body, {name: _parameter(name, entries[name].value) for name in entries})


def _parameter(name: str, declared: TemplateNode) -> Parameter:
    if not isinstance(declared, Fields):
        return Parameter(name)
    limits = {key: field.value for key, field in declared.entries.items()}
    allowed, least, most = (limits.get(key) for key in ("AllowedValues", "MinValue", "MaxValue"))
    pattern = limits.get("AllowedPattern")
    return Parameter(
        name,
        tuple(one.value for one in allowed.values if isinstance(one, Text))
        if isinstance(allowed, Items)
        else None,
        pattern.value if isinstance(pattern, Text) else None,
        float(least.value) if isinstance(least, Text) else None,
        float(most.value) if isinstance(most, Text) else None,
    )
