"""The local gateway before the emulator's tasks: `python -m tests.rehearsal.balancer`.

It reads the deployed template and the stack's parameters, applies their changes, and uses the
targets that ECS registers. It adds what the emulator's own load balancer lacks: health checks,
weights, draining and HTTPS. It writes the healthy targets into a file, for ECS."""

import argparse
import asyncio
import json
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from deploy.aws import Aws
from gateway.gateway import Gateway, start_gateway
from gateway.net.timeouts import Timeouts
from gateway.net.tls import CertificateFiles
from gateway.routing.reload import RefusedReloadError
from gateway.routing.settings import Routing
from gateway.targets.target import Address, TargetState
from gateway.template.reader import load_routing
from tests.cloudformation import read_document
from tests.rehearsal.emulator import ROOT, services_at
from topology.routing import STAND_INS

TEMPLATE = ROOT / "infra" / "routing.yml"
_FOLLOWS_EVERY = 0.3


class Registered:
    """The targets registered in a project's target groups, by the group's logical id."""

    def __init__(self, aws: Aws, project: str) -> None:
        self._aws = aws
        self._listening: dict[str, set[Address]] = {}
        self._names = {
            logical_id: resource["Properties"]["Name"]["Fn::Sub"].replace("${Project}", project)
            for logical_id, resource in read_document(TEMPLATE)["Resources"].items()
            if resource["Type"] == "AWS::ElasticLoadBalancingV2::TargetGroup"
        }

    @property
    def groups(self) -> list[str]:
        """All groups of the template."""
        return sorted(self._names)

    async def look_up(self, name: str, port: int, ipv6: bool) -> set[Address]:
        """The targets of the group, as the gateway's `Resolve`. A target that does not listen yet
        is left out: its first check would fail, and the next one comes only seconds later."""
        del port, ipv6
        try:
            return await asyncio.to_thread(self._targets, name)
        except (ClientError, BotoCoreError):
            # A group that does not exist yet has no targets.
            return set()

    def _targets(self, group: str) -> set[Address]:
        wanted = next(name for name in self._names if name.lower() == group)
        found = self._aws.elb.describe_target_groups(Names=[self._names[wanted]])["TargetGroups"]
        targets = [
            one.get("Target", {"Id": ""})
            for group in found
            for one in self._aws.elb.describe_target_health(
                TargetGroupArn=group.get("TargetGroupArn", "")
            )["TargetHealthDescriptions"]
        ]
        registered = {Address(target["Id"], int(target.get("Port", 0))) for target in targets}
        known = self._listening.get(group, set()) & registered
        self._listening[group] = known | {one for one in registered - known if _listens(one)}
        return set(self._listening[group])


def _listens(address: Address) -> bool:
    try:
        socket.create_connection((address.host, address.port), timeout=0.3).close()
    except OSError:
        return False
    return True


def _routing(parameters: Mapping[str, str], balancer: str) -> Routing:
    return load_routing(TEMPLATE, parameters, balancer)


def _parameters(aws: Aws, project: str) -> dict[str, str]:
    """The stack's parameters, if it exists, with stand-ins for other stacks' outputs."""
    try:
        (stack,) = aws.cloudformation.describe_stacks(StackName=f"{project}-routing")["Stacks"]
    except ClientError:
        return {"Project": project, **STAND_INS}
    told = {p.get("ParameterKey", ""): p.get("ParameterValue", "") for p in stack["Parameters"]}
    # A paused gateway has no results.
    return {**told, **STAND_INS, "Paused": "false"}


async def _follow(gateway: Gateway, aws: Aws, project: str, balancer: str) -> None:
    """Apply the stack's changes until one needs another gateway: with other listeners."""
    known: dict[str, str] = {}
    while True:
        await asyncio.sleep(_FOLLOWS_EVERY)
        found = await asyncio.to_thread(_parameters, aws, project)
        if found != known:
            known = found
            routing = _routing(found, balancer)
            try:
                gateway.apply(routing)
            except RefusedReloadError:
                return


async def _tell(gateway: Gateway, file: Path) -> None:
    """Write the results of the health checks into the file whenever they change."""
    part = file.with_suffix(".part")
    while True:
        healthy = [
            f"{target.address.host}:{target.address.port}"
            for group in gateway.groups.values()
            for target in group.registered
            if target.state is TargetState.HEALTHY
        ]
        part.write_text(json.dumps(healthy))
        part.replace(file)
        await asyncio.sleep(0.1)


async def _run(options: argparse.Namespace) -> None:
    aws = services_at(options.emulator)
    while True:
        await _serve(options, aws)


async def _serve(options: argparse.Namespace, aws: Aws) -> None:
    """Serve until the template has other listeners: a certificate was added or removed, or plain
    HTTP has another port. With a certificate, the port speaks HTTPS, and plain HTTP, which only
    redirects, has any port."""
    registered = Registered(aws, options.project)
    parameters = _parameters(aws, options.project)
    routing = _routing(parameters, options.load_balancer)
    served = set(routing.target_groups)
    targets = {name: [f"http://{name}:80"] for name in registered.groups if name in served}
    secure = [one.logical_id for one in routing.listeners if one.protocol == "HTTPS"]
    files = CertificateFiles(options.certificate, options.key)
    gateway = await start_gateway(
        routing,
        targets,
        bind=options.bind,
        port=0 if secure else options.port,
        ports=dict.fromkeys(secure, options.port),
        certificates={parameters["CertificateArn"]: files} if secure else {},
        timeouts=Timeouts(look_up=_FOLLOWS_EVERY),
        resolve_name=registered.look_up,
    )
    sys.stdout.write(f"{options.load_balancer} listens on {options.bind}:{options.port}\n")
    sys.stdout.flush()
    telling = asyncio.create_task(_tell(gateway, options.health))
    try:
        await _follow(gateway, aws, options.project, options.load_balancer)
    finally:
        telling.cancel()
        await gateway.close()


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser()
    for name in ("emulator", "project", "load-balancer", "bind"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--port", type=int, required=True)
    for name in ("health", "certificate", "key"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    try:
        asyncio.run(_run(parser.parse_args()))
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
