"""Whether the registries' advisories can be read, before `make audit` compares anything."""

import json
from urllib.error import HTTPError

import pytest

from deploy.images.advisories import Fetch, without_data

REGISTRY = "https://registry.example"
OF_PYPI = json.dumps({"vulnerabilities": [{"id": "PYSEC-1"}]}).encode()
OF_NPM = json.dumps({"lodash": [{"id": 1}]}).encode()


def registries(of_pypi: bytes | OSError, of_npm: bytes | OSError) -> Fetch:
    """Registries that answer that."""

    def fetch(url: str, body: bytes | None) -> bytes:
        answer = of_npm if url.startswith(REGISTRY) else of_pypi
        assert (body is None) == ("pypi" in url)
        if isinstance(answer, OSError):
            raise answer
        return answer

    return fetch


def test_registries_with_advisories_are_enough() -> None:
    assert without_data(REGISTRY, registries(OF_PYPI, OF_NPM)) == []


@pytest.mark.parametrize(
    "answer",
    [
        HTTPError("https://pypi.org", 404, "Not Found", None, None),  # type: ignore[arg-type]  # no headers
        TimeoutError("timed out"),
        b'{"info": {}}',
        b'{"vulnerabilities": []}',
        b"<html>",
        b"[]",
    ],
    ids=["a mirror without it", "no network", "no field", "none for any", "a page", "a list"],
)
def test_mirror_without_advisories_is_no_data(answer: bytes | OSError) -> None:
    [sentence] = without_data(REGISTRY, registries(answer, OF_NPM))
    assert sentence.startswith("the Python Package Index has no advisories here")
    both = without_data(REGISTRY, registries(answer, b"{}"))
    assert [each.partition(" has")[0] for each in both] == [
        "the Python Package Index", "the npm registry",
    ]  # fmt: skip
