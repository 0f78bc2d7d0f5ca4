"""What the evaluation of a template needs from its stack, other templates and the command line."""

from typing import Protocol

from gateway.template.syntax.nodes import Value


class Surroundings(Protocol):
    """The template's stack, other templates, and the command line.

    Every method with ``line`` raises TemplateError for a value that is not known.
    """

    def parameter(self, name: str, line: int) -> Value | None:
        """The value of the template's parameter; None if it has no such parameter."""

    def pseudo_parameter(self, name: str) -> str | None:
        """The value of a pseudo parameter, such as ``AWS::Region``; None if there is no such
        one."""

    def resource(self, logical_id: str, attribute: str | None, line: int) -> Value | None:
        """``Ref`` or ``Fn::GetAtt`` of the template's resource; None if it has no such resource."""

    def imported(self, name: str, line: int) -> Value:
        """The value of ``Fn::ImportValue`` with that name."""

    def looked_up(self, reference: str, line: int) -> Value:
        """The value of a dynamic reference, such as ``ssm:/app/name``."""

    def known(self, what: str) -> str | None:
        """The given text for a value that only AWS knows, or None."""
