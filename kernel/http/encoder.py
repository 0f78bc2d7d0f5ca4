"""Writes rows as JSON with a template that is prepared from the documented model."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from json.encoder import encode_basestring as quoted
from typing import Any, Final, Literal, get_args, get_origin

from fastapi import Response

from kernel.http.fields import Resource, show_timestamp

_Write = Callable[[Any], str]


class RowEncoder:
    """Writes rows as the JSON that `resource` documents: the same bytes as pydantic's, in a
    fraction of the time. `columns` names the values of a row.

    Raises `TypeError` for a field whose type it cannot write."""

    def __init__(self, resource: type[Resource], columns: Sequence[str]) -> None:
        names = list(resource.model_fields)
        places = [columns.index(name) for name in names]
        fields = [f'"{field.alias}":%s' for field in resource.model_fields.values()]
        self._template = "{" + ",".join(fields) + "}"
        self._columns = [
            (place, _writer(resource.model_fields[name].annotation))
            for place, name in zip(places, names, strict=True)
        ]

    def one(self, row: Sequence[Any]) -> bytes:
        """A row as an object."""
        return self._write(row).encode()

    def many(self, rows: Iterable[Sequence[Any]]) -> bytes:
        """Rows as an array of objects."""
        return f"[{','.join(map(self._write, rows))}]".encode()

    def _write(self, row: Sequence[Any]) -> str:
        return self._template % tuple([write(row[place]) for place, write in self._columns])


def _boolean(value: bool) -> str:
    return "true" if value else "false"


_WRITERS: Final[dict[Any, _Write]] = {
    int: str,
    str: quoted,
    bool: _boolean,
    datetime: lambda moment: f'"{show_timestamp(moment)}"',
}


def _writer(annotation: Any) -> _Write:
    kinds = get_args(annotation)
    if get_origin(annotation) is Literal:
        return quoted
    if type(None) in kinds:
        [kind] = [kind for kind in kinds if kind is not type(None)]
        write = _writer(kind)
        return lambda value: "null" if value is None else write(value)
    if hasattr(annotation, "__metadata__"):
        return _writer(kinds[0])
    try:
        return _WRITERS[annotation]
    except KeyError:
        raise TypeError(f"{annotation} has no writer") from None


def json_response(body: bytes) -> Response:
    """A response with encoded JSON."""
    return Response(body, media_type="application/json")
