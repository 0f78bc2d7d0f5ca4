"""What the evaluation of one template asks of everything around it."""

from typing import Protocol

from gateway.template.syntax.nodes import Value


class Surroundings(Protocol):
    """The other templates, and what was said on the command line.

    Every method raises TemplateError, with ``line``, for what is not known.
    """

    def parameter(self, name: str, line: int) -> Value | None:
        """The value of the template's own parameter; None when it has none of that name."""

    def pseudo_parameter(self, name: str) -> str | None:
        """The value of ``AWS::Region``, say; None when there is no such name."""

    def resource(self, logical_id: str, attribute: str | None, line: int) -> Value | None:
        """``Ref`` or ``Fn::GetAtt`` of the template's own resource; None when it has none."""

    def imported(self, name: str, line: int) -> Value:
        """What ``Fn::ImportValue`` of that name is."""

    def looked_up(self, reference: str, line: int) -> Value:
        """What the dynamic reference ``ssm:/app/name``, say, stands for."""

    def known(self, what: str) -> str | None:
        """The text that was said for something that only AWS knows; None when none was."""
