"""Registries of images: the account's own, or another one."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Protocol

import httpx

from deploy.errors import CannotDeployError
from deploy.images.docker import Docker

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

_MANIFESTS = "application/vnd.oci.image.manifest.v1+json, " \
             "application/vnd.docker.distribution.manifest.v2+json"  # fmt: skip


class Registry(Protocol):
    """A registry of images."""

    def sign_in(self, docker: Docker) -> None:
        """Authorise `docker push`. Raises `CannotDeployError`."""

    def repository(self, name: str) -> str:
        """The full name of a repository, for `docker push`."""

    def has(self, name: str, tag: str) -> bool:
        """Whether the repository has an image with the tag."""


class Ecr:
    """Amazon ECR, in the account and region of the client."""

    def __init__(self, client: ECRClient, host: str) -> None:
        """`host` is the registry's, like 123456789012.dkr.ecr.eu-west-1.amazonaws.com."""
        self._client = client
        self._host = host

    def sign_in(self, docker: Docker) -> None:
        """Sign in with a password that is valid for 12 hours."""
        (data,) = self._client.get_authorization_token()["authorizationData"]
        token = base64.b64decode(data.get("authorizationToken", "")).decode()
        user, _, password = token.partition(":")
        result = docker(["login", "--username", user, "--password-stdin", self._host], password)
        if result.status != 0:
            raise CannotDeployError(f"docker login {self._host}: {result.error.strip()}")

    def repository(self, name: str) -> str:
        """The repository's name, prefixed by the registry's host."""
        return f"{self._host}/{name}"

    def has(self, name: str, tag: str) -> bool:
        """Whether ECR has the image; a missing repository has none."""
        try:
            self._client.describe_images(repositoryName=name, imageIds=[{"imageTag": tag}])
        except (
            self._client.exceptions.ImageNotFoundException,
            self._client.exceptions.RepositoryNotFoundException,
        ):
            return False
        return True


class PlainRegistry:
    """A registry without accounts that implements the distribution specification:
    https://github.com/opencontainers/distribution-spec/blob/main/spec.md."""

    def __init__(self, host: str) -> None:
        """`host` is its name or address, with the port. Only a registry on this machine is used
        without TLS, as `docker push` does."""
        self._host = host
        name = host.rpartition(":")[0] if ":" in host else host
        local = name == "localhost" or name.startswith("127.")
        self._url = f"{'http' if local else 'https'}://{host}"

    def sign_in(self, docker: Docker) -> None:
        """Check that the registry responds; it has no accounts."""
        del docker
        self._ask("GET", "/v2/")

    def repository(self, name: str) -> str:
        """The repository's name, prefixed by the registry's host."""
        return f"{self._host}/{name}"

    def has(self, name: str, tag: str) -> bool:
        """Whether the registry has a manifest with that tag."""
        return self._ask("HEAD", f"/v2/{name}/manifests/{tag}").status_code == httpx.codes.OK

    def _ask(self, method: str, path: str) -> httpx.Response:
        try:
            response = httpx.request(
                method, self._url + path, headers={"Accept": _MANIFESTS}, timeout=20
            )
        except httpx.HTTPError as error:
            raise CannotDeployError(
                f"The registry {self._host} does not respond: {error}"
            ) from error
        if response.status_code not in {httpx.codes.OK, httpx.codes.NOT_FOUND}:
            raise CannotDeployError(f"The registry {self._host} returned {response.status_code}")
        return response
