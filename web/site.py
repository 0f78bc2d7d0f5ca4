"""The page's files, made ready to be served: named by what is in them, compressed, tied together.

There is no bundler. The browser loads the modules as they are written, without their JSDoc
comments: those are for readers and for the type checker, and a sixth of the weight. An import map,
whose hash the Content-Security-Policy names, leads each module's plain name to its hashed one, so a
module that changes changes its own name and no other's.
"""

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Mapping
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
}
_JSDOC = re.compile(r"^[ \t]*/\*\*.*?\*/", re.MULTILINE | re.DOTALL)
_STATIC_IMPORT = re.compile(r'^(?:import|export)\s(?:[^"\';]*?from\s+)?"([^"]+)"', re.MULTILINE)

_POLICY: Final = (
    "default-src 'none'",
    "script-src 'self' '{import_map}'",
    "style-src 'self'",
    # Posts may show pictures from anywhere; they are asked for without a referrer.
    "img-src 'self' https: http: data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types board",
)


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is served. `compressed` is the same as gzip, where that is smaller."""

    media_type: str
    body: bytes
    compressed: bytes | None

    @classmethod
    def of(cls, media_type: str, body: bytes) -> "File":
        """The file with this content."""
        # A time stamp in the gzip header would give each instance an ETag of its own.
        compressed = gzip.compress(body, 9, mtime=0)
        return cls(media_type, body, compressed if len(compressed) < len(body) else None)


@dataclass(frozen=True, slots=True)
class Site:
    """All there is to serve. `assets` go by their hashed names, without the prefix; `shell` is the
    document that every page begins as, and `policy` its Content-Security-Policy."""

    assets: Mapping[str, File]
    shell: File
    policy: str


def build(folder: Path = STATIC) -> Site:
    """The site whose sources are in a folder: `index.html`, and what it and the modules name.

    Raises `ValueError`, naming the file, for a type that is not known, and for an import that
    leads nowhere.
    """
    sources = {
        path.relative_to(folder).as_posix(): _served(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "index.html"
    }
    hashed = {name: _hashed(name, body) for name, body in sources.items()}
    modules = {f"{PREFIX}{n}": f"{PREFIX}{hashed[n]}" for n in sources if n.endswith(".js")}
    import_map = json.dumps({"imports": modules}, separators=(",", ":"))
    preloads = "\n".join(
        f'<link rel="modulepreload" href="{PREFIX}{hashed[name]}">'
        for name in _imported_at_once("app.js", sources)
    )
    template = (folder / "index.html").read_text(encoding="utf-8")

    def fill(found: re.Match[str]) -> str:
        match found[1]:
            case "import-map":
                return import_map
            case "preloads":
                return preloads
            case name if name in hashed:
                return PREFIX + hashed[name]
            case name:
                raise ValueError(f"index.html: there is no {name}")

    shell = re.sub(r"\{\{([^}]+)\}\}", fill, template)
    digest = base64.b64encode(hashlib.sha256(import_map.encode()).digest()).decode()
    return Site(
        assets={hashed[name]: File.of(_type(name), body) for name, body in sources.items()},
        shell=File.of("text/html; charset=utf-8", shell.encode()),
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
    """A module and all that it imports, directly or not, except what it imports later by
    `import()`: the browser can then ask for them all at once, and not one level at a time."""
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
    # Empty lines stay in their place: an error names the same line as in the source.
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
