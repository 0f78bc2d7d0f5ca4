"""Makes HTML from the templates in templates/. Everything that they insert is escaped, except what
`web.markup.prose` has prepared."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from kernel.http.fields import show_timestamp
from web.markup.names import initials
from web.markup.prose import in_xml, prepare
from web.markup.slots import SLOTS, Slot, is_slot, only_if
from web.markup.texts import Texts
from web.site import Site

FOLDER: Final = Path(__file__).parents[1] / "templates"

_SHAPES: Final = {
    "pin": "M9 3h6l-1 6 4 3v2h-5v6l-1 1-1-1v-6H6v-2l4-3z",
    "search": (
        "M10 4a6 6 0 1 0 3.7 10.7l5 5 1.4-1.4-5-5A6 6 0 0 0 10 4zm0 2a4 4 0 1 1 0 8 4 4 0 0 1 0-8z"
    ),
    "lock": "M7 10V8a5 5 0 0 1 10 0v2h1v10H6V10zm2 0h6V8a3 3 0 0 0-6 0z",
}
_OF_EVERY_PAGE: Final[dict[str, Any]] = {
    "title": None,
    "description": None,
    "canonical": None,
    "kind": None,
    "next": None,
    "previous": None,
    "feed": None,
}


class Templates:
    """The templates, ready to be filled. `origin` is the origin that browsers use."""

    def __init__(self, site: Site, texts: Texts, origin: str) -> None:
        self.texts = texts
        self._environment = Environment(
            loader=FileSystemLoader(FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        code, table = texts.text("code"), texts.text("table")
        self._environment.tests["slot"] = is_slot
        self._environment.globals |= {
            "asset": site.url,
            "day": _day,
            "hue": _hue,
            "import_map": Markup(site.import_map),  # noqa: S704 - made from the names of files
            "initials": lambda name: name if is_slot(name) else initials(name),
            "in_xml": in_xml,
            "iso": lambda moment: moment if is_slot(moment) else show_timestamp(moment),
            "only_if": only_if,
            "origin": origin,
            "preloads": site.preloads,
            "prose": lambda html: prepare(html, code, table),
            "shapes": _SHAPES,
            "snippet": Markup,
            "t": texts.text,
        }
        copies = self._environment.get_template("copies.html").render(SLOTS)
        self._environment.globals["copies"] = Markup(copies)  # noqa: S704 - made from templates

    def render(self, name: str, **values: Any) -> bytes:
        """A template, filled."""
        template = self._environment.get_template(name)
        return template.render(_OF_EVERY_PAGE | values).encode()


def _hue(user: int | Slot) -> int | Slot:
    """The number of a user's colour."""
    return user if isinstance(user, Slot) else user % 12


def _day(moment: datetime) -> str:
    """The day of a moment, in UTC: the same for every reader, so that the page can be stored."""
    utc = moment.astimezone(UTC)
    return f"{utc.day} {utc:%b %Y}"
