"""`python -m deploy COMMAND`: the commands behind the Makefile's, and their composition root."""

import argparse
import os
import secrets
import shlex
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from deploy import settings
from deploy.aws import Aws
from deploy.checks import smoke
from deploy.checks.account import Account, identify
from deploy.checks.leftovers import leftovers
from deploy.commands import deploy as up
from deploy.commands import destroy as down
from deploy.commands import pause, push, shift, status
from deploy.errors import CannotDeployError
from deploy.images import build, revision, sbom
from deploy.images.docker import docker, require_engine
from deploy.images.registry import Ecr, PlainRegistry, Registry
from deploy.installation import Installation
from deploy.lock import Holder, Lock
from deploy.poller import Poller
from deploy.settings import Settings
from deploy.stacks.cloudformation import Stacks
from topology.deployments import DEPLOYED_IMAGES, IMAGES

ROOT = Path(__file__).resolve().parent.parent
_SBOM_FOLDER = Path("build", "sbom")


def main() -> None:
    """Run one command. A failure that the user can fix is one message and exit status 1. After
    Ctrl-C the exit status is 130, and the same command continues from there."""
    command = parse(sys.argv[1:])
    os.chdir(ROOT)
    try:
        _COMMANDS[command.command](command, settings.read(os.environ))
    except CannotDeployError as refused:
        sys.exit(f"{command.command}: {refused}")
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"{command.command}: AWS says: {error}")
    except KeyboardInterrupt:
        print(  # noqa: T201 - output for the user
            "\nInterrupted. AWS finishes what it has started; the same command continues there.",
            file=sys.stderr,
        )
        sys.exit(130)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The command, and for `run`, what to run. Raises `SystemExit`, as argparse does."""
    parser = argparse.ArgumentParser(prog="python -m deploy", description="The board on AWS.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, what in _HELP.items():
        commands.add_parser(name, help=what, description=f"{what}.")
    # Options belong to the board's command.
    commands.choices["run"].add_argument(
        "what", nargs=argparse.REMAINDER, help="for example: grant-admin NAME, migrate --check"
    )
    found = parser.parse_args(arguments)
    if found.command == "run" and not found.what:
        commands.choices["run"].error('no command: make run-ecs COMMAND="grant-admin NAME"')
    return found


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - output for the user


def _images(_: argparse.Namespace, chosen: Settings) -> None:
    require_engine(docker)
    name = _revision(chosen, allow_dirty=True)
    build.build(docker, IMAGES, name, _say)


def _push(_: argparse.Namespace, chosen: Settings) -> None:
    name = _revision(chosen, allow_dirty=bool(os.environ.get("ALLOW_DIRTY")))
    require_engine(docker)
    installation, _account = _installation(chosen)
    with installation.lock.held(_say):
        installation.ensure_stack("registry", {})
        registry = _registry(installation)
        registry.sign_in(docker)
        wanted = push.absent(registry, chosen.project, name, DEPLOYED_IMAGES, _say)
        built = build.build(docker, wanted, name, _say)
        push.push(docker, registry, chosen.project, name, built, _say)
        for image in built:
            bill = sbom.write(image, name, sbom.packages(docker, image.tag), _SBOM_FOLDER)
            _say(f"{bill}: the packages in {image.tag}")


def _deploy(_: argparse.Namespace, chosen: Settings) -> None:
    name = _revision(chosen, allow_dirty=bool(os.environ.get("ALLOW_DIRTY")))
    installation, account = _installation(chosen)
    with installation.lock.held(_say):
        origin = up.deploy(installation, account, _registry(installation), name, smoke.run)
    _say(f"The board is up: {origin}")
    if origin.startswith("http://"):
        _say(
            "It uses plain HTTP, which others on the network can read. CERTIFICATE_ARN=... adds TLS"
        )


def _status(_: argparse.Namespace, chosen: Settings) -> None:
    installation, _account = _installation(chosen)
    _say(status.report(installation))


def _logs(_: argparse.Namespace, chosen: Settings) -> None:
    installation, _account = _installation(chosen)
    since = int((time.time() - _seconds(os.environ.get("SINCE") or "10m")) * 1000)
    service = os.environ.get("SERVICE") or None
    seen: set[tuple[int, str]] = set()
    while True:
        for line in status.recent_lines(installation, service, since):
            if line not in seen:
                seen.add(line)
                _say(line[1])
        if not os.environ.get("FOLLOW"):
            return
        # Events can arrive late, with an earlier time: overlap a little.
        since = max(since, int((time.time() - 60) * 1000))
        seen = {line for line in seen if line[0] >= since}
        time.sleep(2)


def _pause(_: argparse.Namespace, chosen: Settings) -> None:
    installation, _account = _installation(chosen)
    with installation.lock.held(_say):
        pause.pause(installation)


def _resume(_: argparse.Namespace, chosen: Settings) -> None:
    installation, _account = _installation(chosen)
    with installation.lock.held(_say):
        origin = pause.resume(installation, _registry(installation), smoke.run)
    _say(f"The board is up again, and its address is a new one: {origin}")


def _shift(_: argparse.Namespace, chosen: Settings) -> None:
    context, share = os.environ.get("CONTEXT", ""), os.environ.get("SHARE", "")
    if not (context and share):
        raise CannotDeployError("Name a context and a share: make shift CONTEXT=posts SHARE=10")
    installation, _account = _installation(chosen)
    with installation.lock.held(_say):
        shift.shift(installation, context, share, force=os.environ.get("FORCE") == "1")


def _shares(_: argparse.Namespace, chosen: Settings) -> None:
    installation, _account = _installation(chosen)
    _say(status.shares(installation.require_stack("routing")))
    for line in shift.rules(installation):
        _say(f"  {line}")


def _run(command: argparse.Namespace, chosen: Settings) -> None:
    installation, _account = _installation(chosen)
    with installation.lock.held(_say):
        installation.require_not_paused()
        for line in up.run_command(installation, command.what).lines:
            _say(line)


def _destroy(_: argparse.Namespace, chosen: Settings) -> None:
    installation, _account = _installation(chosen)
    ask = input if sys.stdin.isatty() else None
    down.require_confirmation(installation, ask)
    with installation.lock.held(_say):
        down.destroy(installation)
        installation.lock.delete_table()
    left = leftovers(installation.aws, chosen.project)
    for line in left.unknown:
        _say(f"Left, because it may be somebody else's or still needed: {line}")
    if left.ours:
        raise CannotDeployError(
            "These resources are left:\n  " + "\n  ".join(left.ours) + "\nSome take a while to "
            "disappear: run the same command again in a few minutes"
        )
    _say(f"Nothing is left of {chosen.project} in {installation.aws.region}.")


_HELP = {
    "images": "Build every image for AMD64",
    "push": "Build the images, push them, and write a bill of materials for each",
    "deploy": "Create or update everything, and run the smoke test",
    "status": "Show stacks, services, targets and costs",
    "logs": "Show the logs of the tasks (SERVICE=posts SINCE=1h FOLLOW=1)",
    "pause": "Delete nearly everything that costs money; the data stays",
    "resume": "Create again what a pause deleted",
    "shift": "Move a context's traffic (CONTEXT=posts SHARE=10)",
    "shares": "Show how much of each context's traffic its service gets",
    "run": "Run a command of the board as a task",
    "destroy": "Delete everything, and check that nothing is left",
}
_COMMANDS: Mapping[str, Callable[[argparse.Namespace, Settings], None]] = {
    "images": _images,
    "push": _push,
    "deploy": _deploy,
    "status": _status,
    "logs": _logs,
    "pause": _pause,
    "resume": _resume,
    "shift": _shift,
    "shares": _shares,
    "run": _run,
    "destroy": _destroy,
}


def _installation(chosen: Settings) -> tuple[Installation, Account]:
    """The installation in the account of the environment's credentials. Raises
    `CannotDeployError`."""
    try:
        # The AWS CLI prefers AWS_REGION, which boto3 ignores.
        region = os.environ.get("AWS_REGION") or None
        aws = Aws(boto3.session.Session(region_name=region))
    except BotoCoreError as error:
        raise CannotDeployError(str(error)) from error
    account = identify(aws)
    tags = {"Project": chosen.project}
    holder = Holder(
        f"python -m deploy {shlex.join(sys.argv[1:])}",
        socket.gethostname(),
        os.getpid(),
        secrets.token_hex(8),
    )
    lock = Lock(aws, chosen.project, holder, tags, time.time, _is_running)

    def sleep(seconds: float) -> None:
        lock.renew()
        time.sleep(seconds)

    poller = Poller(time.monotonic, sleep)
    stacks = Stacks(aws.cloudformation, poller, _say, tags)
    return Installation(chosen, aws, stacks, lock, poller, _say), account


def _registry(installation: Installation) -> Registry:
    if installation.settings.registry:
        return PlainRegistry(installation.settings.registry)
    stack = installation.find("registry")
    if stack is None:
        raise CannotDeployError(
            f"There are no images of {installation.settings.project} in "
            f"{installation.aws.region} yet: make push-ecr"
        )
    # Instances without IPv4 pull images by a dual-stack name. An earlier command may have chosen
    # it.
    over_ipv6 = installation.choices().get("NatMode") == "ipv6"
    host = stack.outputs["RegistryHostOverIpv6" if over_ipv6 else "RegistryHost"]
    return Ecr(installation.aws.ecr, host)


def _revision(chosen: Settings, *, allow_dirty: bool) -> str:
    return chosen.revision or revision.of(ROOT, allow_dirty=allow_dirty)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        # A zombie has ended; the state follows the process name.
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return True


def _seconds(text: str) -> float:
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    number, unit = text[:-1], text[-1:]
    if not number.isdecimal() or unit not in units:
        raise CannotDeployError(f"SINCE={text}: must be like 90s, 10m, 2h or 1d")
    return int(number) * units[unit]


if __name__ == "__main__":
    main()
