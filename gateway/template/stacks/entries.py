"""Reading two levels into a mapping."""

from gateway.template.syntax.nodes import Fields, TemplateNode


def entry(fields: Fields, section: str, name: str) -> TemplateNode | None:
    """What is written under ``name`` in a section of a resource or an output; None when nothing
    is."""
    field = fields.entries.get(section)
    if field is None or not isinstance(field.value, Fields):
        return None
    found = field.value.entries.get(name)
    return found.value if found else None
