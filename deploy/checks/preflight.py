"""Finds everything that would prevent a deploy, before anything is created."""

from typing import Final

from deploy.checks import (
    account_plan,
    choices,
    offers,
    permissions,
    quotas,
    service_roles,
)
from deploy.checks.account import Account
from deploy.checks.database import snapshot, versions
from deploy.errors import CannotDeployError
from deploy.installation import FOUNDATION, Installation, template_name
from deploy.stacks import templates

_LAYERS: Final = (*map(template_name, FOUNDATION), "service", "observability")


def run(installation: Installation, account: Account, deployment: str) -> dict[str, str]:
    """Raise `CannotDeployError`, with what to do, if the choices are invalid or the account does
    not allow them. Returns the values of parameters that follow from the choices."""
    values = require_sensible(installation, deployment)
    aws, say, chosen = installation.aws, installation.say, installation.settings.parameters
    before = installation.chosen_before()
    effective = {**choices.DEFAULTS, **before, **values, **chosen}
    if installation.find("network") is None:
        permissions.check(aws, account, installation.settings.project, say)
        needed = choices.instances_needed(effective, deployment)
        quotas.check(aws, effective["NatMode"], needed, say)
    if installation.find("data") is None:
        if account_plan.is_free(aws, say):
            effective["BackupDays"] = values["BackupDays"] = chosen.get("BackupDays", "1")
            account_plan.require_allowed(aws, effective)
        name, kind = effective.get("SnapshotIdentifier", ""), effective["DatabaseKind"]
        restored = snapshot.restored_version(aws, name, kind, say) if name else None
        values["EngineVersion"] = versions.engine_version(
            aws, effective, chosen.get("EngineVersion"), say, restored=restored
        )
    if installation.find("network") is None:
        # Last, because the other checks change nothing.
        service_roles.ensure(aws, installation.poller, say)
    return values


def require_sensible(installation: Installation, deployment: str) -> dict[str, str]:
    """Raise `CannotDeployError` if the choices are invalid, alone or with the existing stacks, if
    the certificate is of another region, or if the region does not offer the instance type. Returns
    the values of parameters that follow from the choices."""
    chosen, before = installation.settings.parameters, installation.chosen_before()
    folder = installation.settings.templates
    choices.require_allowed(chosen, {layer: templates.read(folder, layer) for layer in _LAYERS})
    choices.require_consistent(chosen, before, deployment)
    _require_certificate_of(installation.aws.region, chosen.get("CertificateArn", ""))
    installation.require_possible_changes()
    kind = chosen.get("InstanceType", before.get("InstanceType", choices.DEFAULTS["InstanceType"]))
    if kind != before.get("InstanceType"):
        offers.require_instance_type(installation.aws, kind, installation.say)
    return choices.derived(chosen, before, deployment)


def _require_certificate_of(region: str | None, certificate: str) -> None:
    """Raise `CannotDeployError` if there is a certificate and it is of another region: a load
    balancer cannot use it (Elastic Load Balancing, Server certificates)."""
    if not certificate:
        return
    its = certificate.split(":")[3]
    if its != region:
        raise CannotDeployError(
            f"CERTIFICATE_ARN is a certificate of {its}, and a load balancer in {region} uses only "
            f"those of {region}: request one there"
        )
