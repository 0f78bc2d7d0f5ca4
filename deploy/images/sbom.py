"""A software bill of materials for each image: every Debian and Python package in it.

The format is CycloneDX 1.6, https://cyclonedx.org/docs/1.6/json/.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from deploy.errors import CannotDeployError
from deploy.images.build import Image
from deploy.images.docker import Docker

# Runs in the image, with its own Python and dpkg.
_ASK: Final = """
import importlib.metadata, json
found = [["pypi", d.metadata["Name"], d.version, {}] for d in importlib.metadata.distributions()]
try:
    status = open("/var/lib/dpkg/status", encoding="utf-8").read()
except FileNotFoundError:
    status = ""
for paragraph in status.split("\\n\\n"):
    fields = dict(line.split(": ", 1) for line in paragraph.splitlines()
                  if ": " in line and line[0] != " ")
    if fields.get("Status", "").endswith(" installed"):
        found.append(["deb", fields["Package"], fields["Version"],
                      {"arch": fields["Architecture"], "distro": "debian"}])
print(json.dumps(found))
"""


@dataclass(frozen=True)
class Package:
    """A package in an image: `kind` is the type of its package URL (pypi, deb)."""

    kind: str
    name: str
    version: str
    qualifiers: Mapping[str, str]


def packages(docker: Docker, tag: str) -> list[Package]:
    """What is installed in the image. Raises `CannotDeployError`."""
    run = ["run", "--rm", "--network=none", "--entrypoint=python", tag, "-c", _ASK]
    result = docker(run, None)
    if result.status != 0:
        raise CannotDeployError(f"The packages in {tag} cannot be listed: {result.error.strip()}")
    found = [Package(*each) for each in json.loads(result.output)]
    if not found:
        raise CannotDeployError(f"{tag} lists no packages at all")
    return found


def write(image: Image, revision: str, found: list[Package], folder: Path) -> Path:
    """Write the bill of an image into the folder, and return the file."""
    bom = Bom()
    bom.metadata.component = Component(
        name=f"board/{image.stage}", version=revision, type=ComponentType.CONTAINER
    )
    for package in found:
        url = PackageURL(
            package.kind,
            "debian" if package.kind == "deb" else None,
            package.name.lower() if package.kind == "pypi" else package.name,
            package.version,
            dict(package.qualifiers),
        )
        bom.components.add(
            Component(
                name=package.name,
                version=package.version,
                type=ComponentType.LIBRARY,
                purl=url,
                bom_ref=url.to_string(),
            )
        )
    bom.register_dependency(bom.metadata.component, bom.components)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{image.stage}-{revision}.cdx.json"
    JsonV1Dot6(bom).output_to_file(str(path), allow_overwrite=True, indent=2)
    return path
