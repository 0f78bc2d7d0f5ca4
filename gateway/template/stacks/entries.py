"""Reads entries two levels deep in a mapping."""

from gateway.template.syntax.nodes import Fields, TemplateNode


def entry(fields: Fields, section: str, name: str) -> TemplateNode | None:
    """The entry ``name`` in a section of a resource or an output; None if it is absent."""
    field = fields.entries.get(section)
    if field is None or not isinstance(field.value, Fields):
        return None
    found = field.value.entries.get(name)
    return found.value if found else None
