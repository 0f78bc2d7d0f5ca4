"""Prepares the page's files for serving: names with a hash of the content, compression, imports.

There is no bundler. The browser loads the modules as they are written, without their JSDoc
comments, which are a sixth of their size. An import map, whose hash is in the
Content-Security-Policy, maps each module's plain name to its hashed name; a change to a module
therefore changes its own name only.
"""

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

STATIC: Final = Path(__file__).with_name("static")
"""The folder with the page's sources."""

PREFIX: Final = "/assets/"

_TYPES: Final = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
_JSDOC = re.compile(r"^[ \t]*/\*\*.*?\*/", re.MULTILINE | re.DOTALL)
_STATIC_IMPORT = re.compile(r'^(?:import|export)\s(?:[^"\';]*?from\s+)?"([^"]+)"', re.MULTILINE)

_POLICY: Final = (
    "default-src 'none'",
    "script-src 'self' '{import_map}'",
    "style-src 'self'",
    # Posts may show pictures from anywhere; they are requested without a referrer.
    "img-src 'self' https: http: data:",
    "connect-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types board",
)


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is served. `compressed` is the gzipped body, or None if that is not smaller."""

    media_type: str
    body: bytes
    compressed: bytes | None

    @classmethod
    def of(cls, media_type: str, body: bytes) -> "File":
        """The file with this content."""
        # With a time stamp in the gzip header, each instance would send its own ETag.
        compressed = gzip.compress(body, 9, mtime=0)
        return cls(media_type, body, compressed if len(compressed) < len(body) else None)


@dataclass(frozen=True, slots=True)
class Site:
    """Everything that is the same for all pages. `assets` has the files by their hashed names,
    without the prefix, and `urls` the URL of each by its plain name. A document has `import_map` in
    a script, and preloads the modules at `preloads`; `policy` is its Content-Security-Policy."""

    assets: Mapping[str, File]
    urls: Mapping[str, str]
    import_map: str
    preloads: Sequence[str]
    policy: str

    def url(self, name: str) -> str:
        """The URL of a file. Raises `ValueError` if there is none with this name."""
        try:
            return self.urls[name]
        except KeyError:
            raise ValueError(f"there is no {name}") from None


def build(folder: Path = STATIC) -> Site:
    """Build the site from the files in a folder.

    Raises `ValueError`, with the file's name, for an unknown file type, and for an import of a file
    that does not exist.
    """
    sources = {
        path.relative_to(folder).as_posix(): _served(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    hashed = {name: _hashed(name, body) for name, body in sources.items()}
    urls = {name: PREFIX + hashed[name] for name in sources}
    modules = {f"{PREFIX}{n}": urls[n] for n in sources if n.endswith(".js")}
    import_map = json.dumps({"imports": modules}, separators=(",", ":"))
    digest = base64.b64encode(hashlib.sha256(import_map.encode()).digest()).decode()
    return Site(
        assets={hashed[name]: File.of(_type(name), body) for name, body in sources.items()},
        urls=urls,
        import_map=import_map,
        preloads=[urls[name] for name in _imported_at_once("app.js", sources)],
        policy="; ".join(_POLICY).format(import_map=f"sha256-{digest}"),
    )


def _type(name: str) -> str:
    try:
        return _TYPES[Path(name).suffix]
    except KeyError:
        raise ValueError(f"{name}: files of this type are not served") from None


def _hashed(name: str, body: bytes) -> str:
    stem, _, suffix = name.rpartition(".")
    return f"{stem}.{hashlib.sha256(body).hexdigest()[:12]}.{suffix}"


def _imported_at_once(entry: str, sources: Mapping[str, bytes]) -> list[str]:
    """A module and its static imports, direct and indirect.

    Preloaded, they arrive at once, and not one level of imports after the other. What a module
    imports later, by `import()`, is not included.
    """
    found: list[str] = []
    waiting = [entry]
    while waiting:
        name = waiting.pop(0)
        if name in found:
            continue
        found.append(name)
        for match in _STATIC_IMPORT.finditer(sources[name].decode()):
            target = _resolve(name, match[1])
            if target not in sources:
                raise ValueError(f"{name}: there is no {target}")
            waiting.append(target)
    return found


def _served(path: Path) -> bytes:
    if path.suffix != ".js":
        return path.read_bytes()
    # The lines stay, empty, so that line numbers in errors match the source.
    return _JSDOC.sub(lambda found: "\n" * found[0].count("\n"), path.read_text("utf-8")).encode()


def _resolve(importer: str, specifier: str) -> str:
    folder = importer.split("/")[:-1]
    for part in specifier.split("/"):
        match part:
            case ".":
                pass
            case "..":
                folder.pop()
            case _:
                folder.append(part)
    return "/".join(folder)
