"""The settings in the environment, which `make deploy-ecs NAME=value` sets."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from deploy.errors import CannotDeployError
from topology.deployments import DEPLOYMENTS

# The parameters of templates that have a setting of their own, because they are used often.
_PARAMETERS: Final = {
    "NAT_MODE": "NatMode",
    "INSTANCE_TYPE": "InstanceType",
    "MAX_INSTANCES": "MaxInstances",
    "CERTIFICATE_ARN": "CertificateArn",
    "DOMAIN_NAME": "DomainName",
    "LISTENER_PORT": "ListenerPort",
    "DATABASE": "DatabaseKind",
    "ENGINE_VERSION": "EngineVersion",
    "SNAPSHOT": "SnapshotIdentifier",
    "COUNT": "DesiredCount",
    "PAUSE_AFTER": "PauseAfter",
}
_NONE: Final = "none"
"""The value that removes a setting: a certificate with its domain, or a planned pause."""
_MAY_BE_NONE: Final = ("CertificateArn", "DomainName")
_PAUSE: Final = "PauseAfter"
_PROJECT: Final = re.compile(r"[a-z][a-z0-9-]{1,20}")
_REVISION: Final = re.compile(r"[0-9a-f]{12,40}(-[a-z0-9]+)?")


@dataclass(frozen=True)
class Settings:
    """The settings of one project.

    `deployment` is None to keep the current one. `parameters` override every other value of the
    templates' parameters with those names. `revision` is the tag of the images, None for that of
    the code in this folder. `registry` replaces the account's own. `connect_to` is a host:port to
    connect to instead of the load balancer's name. `confirm` is the project's name, which confirms
    `destroy` without a question.
    """

    project: str = "board"
    deployment: str | None = None
    revision: str | None = None
    registry: str | None = None
    templates: Path = Path("infra")
    parameters: Mapping[str, str] = field(default_factory=dict)
    connect_to: str | None = None
    confirm: str | None = None
    keep_snapshot: bool = False


def read(environment: Mapping[str, str]) -> Settings:
    """The settings in an environment. Raises `CannotDeployError` for an invalid one."""
    given = {name: value for name, value in environment.items() if value}
    project = given.get("PROJECT", "board")
    if not _PROJECT.fullmatch(project) or project.endswith("-"):
        raise CannotDeployError(
            f"PROJECT={project}: must be 2 to 21 lower-case letters, digits and hyphens, "
            "beginning with a letter and not ending with a hyphen"
        )
    deployment = given.get("DEPLOYMENT")
    if deployment is not None and deployment not in DEPLOYMENTS:
        raise CannotDeployError(f"DEPLOYMENT={deployment}: must be one of {', '.join(DEPLOYMENTS)}")
    revision = given.get("REVISION")
    if revision is not None and not _REVISION.fullmatch(revision):
        raise CannotDeployError(
            f"REVISION={revision}: must be a commit's 12 to 40 hexadecimal digits, "
            "optionally followed by a hyphen and lower-case letters and digits"
        )
    parameters = {
        parameter: given[name] for name, parameter in _PARAMETERS.items() if name in given
    }
    for pair in given.get("PARAMETERS", "").split():
        name, equals, value = pair.partition("=")
        if not equals or not name.isalnum():
            raise CannotDeployError(f"PARAMETERS: {pair!r} is not Name=value")
        parameters[name] = value
    for name in _MAY_BE_NONE:
        if parameters.get(name) == _NONE:
            # A certificate and its domain are removed together.
            parameters |= dict.fromkeys(_MAY_BE_NONE, "")
    if parameters.get(_PAUSE) == _NONE:
        parameters[_PAUSE] = ""
    return Settings(
        project=project,
        deployment=deployment,
        revision=revision,
        registry=given.get("REGISTRY"),
        templates=Path(given.get("TEMPLATES", "infra")),
        parameters=parameters,
        connect_to=given.get("CONNECT_TO"),
        confirm=given.get("CONFIRM"),
        keep_snapshot=given.get("KEEP_SNAPSHOT", "0") not in {"0", "no", "false"},
    )
