"""The file format of a backup: a ZIP with the rows of each table, and a manifest with their
checksums.

The manifest is the last member, and the file ends with the directory of a ZIP, so a file whose
writing was interrupted is recognized. Members are named `CONTEXT/TABLE` and are in PostgreSQL's
text format of COPY, which does not depend on its version.
"""

import hashlib
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from board.version import VERSION
from topology.contexts import CONTEXT_NAMES

_FORMAT: Final = 1
_MANIFEST: Final = "manifest.json"
_CHECKSUM: Final = "manifest.sha256"
_CHUNK: Final = 1 << 20


class TableContent(BaseModel):
    """The rows of a table: its columns, in the order of the file, and the file's SHA-256."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    columns: tuple[str, ...]
    sha256: str


class ContextContent(BaseModel):
    """A context's database. `revision` is its newest migration; `tables` are in an order in which
    they can be filled; `sequences` has the last number of each that has been used."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    revision: str
    tables: tuple[TableContent, ...]
    sequences: Mapping[str, int]


class Manifest(BaseModel):
    """What a backup contains. `taken_at` is in ISO 8601; `version` is that of the board that wrote
    it, and empty in a backup of before versions were recorded."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int
    taken_at: str
    version: str = ""
    contexts: Mapping[str, ContextContent]

    @property
    def origin(self) -> str:
        """Which version wrote it, in words."""
        return f"version {self.version}" if self.version else "an unknown version"


@dataclass(frozen=True)
class Archive:
    """A backup that was read and found undamaged."""

    path: Path
    manifest: Manifest

    @classmethod
    def read(cls, path: Path) -> Self:
        """Open a backup, and compare every byte with its checksums.

        Raises `ValueError`, which says what is wrong with the file, and `OSError`.
        """
        with path.open("rb") as content:
            try:
                return cls(path, _read(path, content))
            except (zipfile.BadZipFile, zlib.error, OSError) as error:
                # A damaged position is an `OSError`: nothing can be read before a file's beginning.
                raise ValueError(f"{path} is no complete backup, or is damaged: {error}") from error
            except (
                KeyError,
                ValidationError,
                EOFError,
                NotImplementedError,
                RuntimeError,
            ) as error:
                raise ValueError(f"{path} is no backup of a board: {error}") from error


def _read(path: Path, content: IO[bytes]) -> Manifest:
    with zipfile.ZipFile(content) as file:
        manifest = _manifest(path, file)
        for context, tables in manifest.contexts.items():
            for table in tables.tables:
                with file.open(f"{context}/{table.name}") as member:
                    if _sha256(member) != table.sha256:
                        raise ValueError(
                            f"{path} is damaged: {context}/{table.name} differs from its checksum."
                        )
    return manifest


def _manifest(path: Path, file: zipfile.ZipFile) -> Manifest:
    text = file.read(_MANIFEST)
    if hashlib.sha256(text).hexdigest().encode() != file.read(_CHECKSUM):
        raise ValueError(f"{path} is damaged: its manifest differs from its checksum.")
    found = json.loads(text).get("format")
    if found != _FORMAT:
        raise ValueError(f"{path} has format {found}; this version reads {_FORMAT}.")
    manifest = Manifest.model_validate_json(text)
    if set(manifest.contexts) != set(CONTEXT_NAMES):
        raise ValueError(
            f"{path} has {', '.join(manifest.contexts)}, and the board has "
            f"{', '.join(CONTEXT_NAMES)}."
        )
    return manifest


def _sha256(member: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := member.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


class TableWriter:
    """Writes the rows of one table, and computes their checksum."""

    def __init__(self, member: IO[bytes]) -> None:
        """`member` is the table's open file in the archive."""
        self._member = member
        self._digest = hashlib.sha256()

    async def write(self, rows: bytes) -> None:
        """Append rows, as COPY sends them."""
        self._digest.update(rows)
        self._member.write(rows)

    def sha256(self) -> str:
        """The checksum of what was written."""
        return self._digest.hexdigest()


def write_manifest(
    file: zipfile.ZipFile, taken_at: str, contexts: Mapping[str, ContextContent]
) -> None:
    """Write the manifest, which completes an archive."""
    manifest = Manifest(format=_FORMAT, taken_at=taken_at, version=VERSION, contexts=contexts)
    text = manifest.model_dump_json(indent=1).encode()
    file.writestr(_MANIFEST, text)
    file.writestr(_CHECKSUM, hashlib.sha256(text).hexdigest())
