"""A parsed template file."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gateway.template.evaluation.loops import LOOP
from gateway.template.inputs import Source
from gateway.template.problems import Problems
from gateway.template.syntax.nodes import (
    Call,
    Cause,
    Field,
    Fields,
    Items,
    TemplateError,
    TemplateNode,
    Text,
    repeated_names,
)
from gateway.template.syntax.parser import MOST_BYTES, parse, too_large

_SECTIONS: Final = frozenset(
    {
        "AWSTemplateFormatVersion",
        "Conditions",
        "Description",
        "Globals",
        "Hooks",
        "Mappings",
        "Metadata",
        "Outputs",
        "Parameters",
        "Resources",
        "Rules",
        "Transform",
    }
)
_SERVERLESS: Final = "AWS::Serverless-2016-10-31"
_LANGUAGE: Final = "AWS::LanguageExtensions"
_HARMLESS: Final = re.compile(
    rf"{_SERVERLESS}|{_LANGUAGE}|AWS::CodeDeployBlueGreen"
    r"|AWS::SecretsManager-\d{4}-\d\d-\d\d|AWS::ServiceCatalog"
)
"""The transforms that do not change load balancers, listeners, rules and target groups."""


class ParsedTemplate:
    """One template file. Its errors are in ``problems``; if it cannot be read (``is_readable``),
    nothing else is valid.

    ``serverless`` and ``extended`` say whether it uses the transforms of the Serverless Application
    Model and of the language extensions.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.path: Path = source.path
        self.problems = Problems(str(source.path))
        self.is_readable = True
        self.fields = self._parsed()
        transforms = list(self._transforms())
        self.serverless = _SERVERLESS in transforms
        self.extended = _LANGUAGE in transforms
        self._check_sections()
        for name, line in repeated_names(self.fields):
            self.problems.warn(line, "", f"{name!r} is given twice: the last counts")

    def section(self, name: str) -> Fields | None:
        """A section of the template; None if it is absent."""
        field = self.fields.entries.get(name)
        if field is None:
            return None
        node = field.value
        if isinstance(node, Call) and node.function.startswith(LOOP):
            node = Fields({node.function: Field(node.argument, node.line)}, node.line)
        if not isinstance(node, Fields):
            self.problems.add(field.line, name, "this section is a mapping")
            return None
        return node

    def _parsed(self) -> Fields:
        try:
            return parse(self._text())
        except TemplateError as error:
            self.problems.add(error.line, "", error.text, error.cause)
            self.is_readable = False
            return Fields({}, 1)

    def _text(self) -> str:
        if self.source.text is not None:
            return self.source.text
        with self.path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise too_large()
        try:
            return content.decode()
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise TemplateError(line, f"not UTF-8: {error.reason}") from error

    def _transforms(self) -> Iterator[str]:
        field = self.fields.entries.get("Transform")
        if field is None:
            return
        written: TemplateNode = field.value
        for node in written.values if isinstance(written, Items) else (written,):
            if isinstance(node, Text) and _HARMLESS.fullmatch(node.value):
                yield node.value
                continue
            named = node.entries.get("Name") if isinstance(node, Fields) else None
            name = node if isinstance(node, Text) else named.value if named else None
            self.problems.add(
                node.line,
                "Transform",
                f"what the macro {name.value if isinstance(name, Text) else ''} makes of the "
                "template is known to AWS alone: use the processed template (aws cloudformation "
                "get-template --template-stage Processed)",
                Cause.HERE,
            )

    def _check_sections(self) -> None:
        for name, field in self.fields.entries.items():
            if name not in _SECTIONS:
                self.problems.add(field.line, name, "there is no such section")
