"""Where images are kept: the account's own registry, or another one."""

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
        """Let `docker push` in. Raises `CannotDeployError`."""

    def repository(self, name: str) -> str:
        """What `docker push` calls the repository of that name."""

    def has(self, name: str, tag: str) -> bool:
        """Whether the repository has an image with the tag."""


class Ecr:
    """Amazon ECR, in the account and region of the client."""

    def __init__(self, client: ECRClient, host: str) -> None:
        """`host` is the registry's, like 123456789012.dkr.ecr.eu-west-1.amazonaws.com."""
        self._client = client
        self._host = host

    def sign_in(self, docker: Docker) -> None:
        """With a password that is good for 12 hours."""
        (data,) = self._client.get_authorization_token()["authorizationData"]
        token = base64.b64decode(data.get("authorizationToken", "")).decode()
        user, _, password = token.partition(":")
        result = docker(["login", "--username", user, "--password-stdin", self._host], password)
        if result.status != 0:
            raise CannotDeployError(f"docker login {self._host}: {result.error.strip()}")

    def repository(self, name: str) -> str:
        """See `Registry`."""
        return f"{self._host}/{name}"

    def has(self, name: str, tag: str) -> bool:
        """See `Registry`."""
        try:
            self._client.describe_images(repositoryName=name, imageIds=[{"imageTag": tag}])
        except (
            self._client.exceptions.ImageNotFoundException,
            self._client.exceptions.RepositoryNotFoundException,
        ):
            return False
        return True


class PlainRegistry:
    """A registry without accounts, by the protocol that all of them speak:
    https://github.com/opencontainers/distribution-spec/blob/main/spec.md."""

    def __init__(self, host: str) -> None:
        """`host` is its name or address, with the port. Only one of this machine is asked without
        TLS, as `docker push` does."""
        self._host = host
        name = host.rpartition(":")[0] if ":" in host else host
        local = name == "localhost" or name.startswith("127.")
        self._url = f"{'http' if local else 'https'}://{host}"

    def sign_in(self, docker: Docker) -> None:
        """There is nothing to do, but to see that it is there."""
        del docker
        self._ask("GET", "/v2/")

    def repository(self, name: str) -> str:
        """See `Registry`."""
        return f"{self._host}/{name}"

    def has(self, name: str, tag: str) -> bool:
        """See `Registry`."""
        return self._ask("HEAD", f"/v2/{name}/manifests/{tag}").status_code == httpx.codes.OK

    def _ask(self, method: str, path: str) -> httpx.Response:
        try:
            response = httpx.request(
                method, self._url + path, headers={"Accept": _MANIFESTS}, timeout=20
            )
        except httpx.HTTPError as error:
            raise CannotDeployError(
                f"The registry {self._host} does not response: {error}"
            ) from error
        if response.status_code not in {httpx.codes.OK, httpx.codes.NOT_FOUND}:
            raise CannotDeployError(f"The registry {self._host} answers {response.status_code}")
        return response
