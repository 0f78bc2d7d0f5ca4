"""The first step of `make audit`: whether the registries publish known vulnerabilities to this
machine. Mirrors often have packages without advisories, and an audit there would find nothing."""

import json
import os
import sys
import urllib.request
from collections.abc import Callable
from typing import Any, Final

NO_DATA: Final = 3
"""The exit status without data: nothing was compared, which is not the same as nothing found."""

Fetch = Callable[[str, bytes | None], bytes]
"""The body at a URL, for a GET, or a POST of JSON. Raises OSError, also for an error status."""

# Old releases whose vulnerabilities have been public for years.
_PYPI: Final = "https://pypi.org/pypi/jinja2/2.4.1/json"
_NPM_PATH: Final = "/-/npm/v1/security/advisories/bulk"
_NPM_BODY: Final = b'{"lodash": ["4.17.0"]}'
_SECONDS: Final = 15.0


def main() -> int:
    """Returns 0 if there is something to compare the locks with, else NO_DATA."""
    registry = os.environ.get("NPM_CONFIG_REGISTRY") or "https://registry.npmjs.org"
    missing = without_data(registry.rstrip("/"), _fetch)
    for sentence in missing:
        sys.stderr.write(f"make audit: {sentence}.\n")
    if missing:
        sys.stderr.write(
            "make audit: NO DATA. Nothing was compared. Run it where pypi.org and the npm registry "
            "can be reached.\n"
        )
    return NO_DATA if missing else 0


def without_data(npm_registry: str, fetch: Fetch) -> list[str]:
    """A sentence for each registry that publishes no advisories here."""
    found: list[str] = []
    for name, url, body, count in (
        ("the Python Package Index", _PYPI, None, _of_pypi),
        ("the npm registry", npm_registry + _NPM_PATH, _NPM_BODY, _of_npm),
    ):
        try:
            published = count(json.loads(fetch(url, body)))
        except OSError as error:
            found.append(f"{name} has no advisories here: {url}: {error}")
        except (ValueError, AttributeError):
            found.append(f"{name} has no advisories here: {url} answers something else")
        else:
            if not published:
                found.append(f"{name} has no advisories here, not even for a release that has some")
    return found


def _of_pypi(release: Any) -> int:
    return len(release.get("vulnerabilities") or ())


def _of_npm(answer: Any) -> int:
    return len(answer.get("lodash") or ())


def _fetch(url: str, body: bytes | None) -> bytes:
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 - https
    with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 - https
        found: bytes = answer.read()
    return found


if __name__ == "__main__":
    sys.exit(main())
