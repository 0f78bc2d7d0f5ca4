"""Reads the command line and the template, and runs the gateway until a signal stops it."""

import argparse
import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Coroutine, Mapping, Sequence
from functools import partial
from random import Random
from typing import Final

from gateway.admin.check import needed_groups, target_option
from gateway.admin.commands import COMMANDS, run_command
from gateway.admin.control import Control, RefusedCommandError
from gateway.admin.options import read_options
from gateway.admin.rules_file import write_rules
from gateway.admin.server import AdminServer, AdminSocketError
from gateway.admin.template_options import load_templates
from gateway.gateway import (
    CertificateError,
    InvalidTargetError,
    UnknownListenerError,
    UnknownTargetGroupError,
    start_gateway,
)
from gateway.observe.access_log import AccessLog, AlbFormat, Format, NoAccessLog, short_line
from gateway.observe.key_server import key_server
from gateway.observe.log_file import LogFile
from gateway.observe.metrics import Metrics
from gateway.observe.metrics_server import metrics_server
from gateway.observe.page_server import PageServer
from gateway.proxy.identities import Identities, read_identities
from gateway.routing.settings import Routing
from gateway.targets.function_process import FunctionProcessError, FunctionProcesses, parse_folder
from gateway.template.names import full_name
from gateway.template.reader import RefusedTemplateError

_REFUSED: Final = 2

_log: Final = logging.getLogger(__name__)


def main(arguments: Sequence[str], program: str) -> int:
    """Runs the gateway, or one of its commands (``gateway.admin.commands``). ``program`` is the
    name of the program for help texts.

    Returns the exit code: 0 after a signal stopped the gateway, 2 if it cannot run.
    """
    if arguments and arguments[0] in COMMANDS:
        return run_command(arguments, program)
    if arguments and arguments[0] == "run":
        arguments = arguments[1:]
    # A SIGHUP would end the process until there is a handler: block it until then.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    options = read_options(arguments, program)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        routing = _load(options)
        targets = _targets(options, routing)
        _complete_names(options, routing)
        identities = _identities(options, routing)
    except RefusedTemplateError as refused:
        return _refuse(*refused.lines)
    except (OSError, ValueError) as error:
        return _refuse(f"gateway: {error}")
    return _run_event_loop(_run(routing, targets, identities, options))


def _load(options: argparse.Namespace) -> Routing:
    """Reads the templates' routing and logs their warnings."""
    loaded = load_templates(options)
    for line in loaded.warnings:
        _log.warning("warning: %s", line)
    return loaded.routing


def _run_event_loop(main: Coroutine[object, object, int]) -> int:
    try:
        import uvloop  # not available on every platform
    except ModuleNotFoundError:
        return asyncio.run(main)
    return uvloop.run(main)


def _targets(options: argparse.Namespace, routing: Routing) -> Mapping[str, Sequence[str]]:
    """The targets' URLs by the full names of their groups. Raises UnknownNameError."""
    targets: dict[str, list[str]] = {}
    for name, url in options.target:
        group = full_name(name, routing.target_groups, "target group")
        if parse_folder(url) and routing.target_groups[group].function is None:
            raise InvalidTargetError(f"{url!r} is a function, and {group} is not of type lambda")
        targets.setdefault(group, []).append(url)
    return targets


def _complete_names(options: argparse.Namespace, routing: Routing) -> None:
    """Replaces names of listeners in the options by full names. Raises UnknownNameError."""
    listeners = [listener.logical_id for listener in routing.listeners]
    options.listen = [
        (full_name(name, listeners, "listener"), port) for name, port in options.listen
    ]


def _identities(options: argparse.Namespace, routing: Routing) -> Identities | None:
    """The users that requests come from, if there is a file of them. Raises IdentityFileError and
    OSError."""
    if options.identity is None:
        return None
    return read_identities(options.identity, routing.load_balancer.logical_id)


async def _run(
    routing: Routing,
    targets: Mapping[str, Sequence[str]],
    identities: Identities | None,
    options: argparse.Namespace,
) -> int:
    functions = FunctionProcesses(options.lambda_python)
    try:
        return await _serve(routing, targets, functions, identities, options)
    finally:
        await functions.close()


async def _serve(
    routing: Routing,
    targets: Mapping[str, Sequence[str]],
    functions: FunctionProcesses,
    identities: Identities | None,
    options: argparse.Namespace,
) -> int:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    again = asyncio.Event()

    def on_signal() -> None:
        (again if stop.is_set() else stop).set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    hangup = asyncio.Event()
    loop.add_signal_handler(signal.SIGHUP, hangup.set)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
    file = None
    metrics = Metrics(routing.load_balancer) if options.metrics_port is not None else None
    access_log: AccessLog | NoAccessLog = NoAccessLog()
    try:
        if options.access_log != "off":
            file = LogFile(_open(options.access_log))
            access_log = AccessLog(_format(options.access_log_format, routing), file)
        gateway = await start_gateway(
            routing,
            await functions.start(targets),
            bind=options.bind,
            ports=dict(options.listen),
            certificates=dict(options.certificate),
            access_log=access_log,
            metrics=metrics,
            identities=identities,
            # Trace ids are not secret: a fast generator, seeded by the system, is enough.
            random=Random(os.urandom(32)),  # noqa: S311
        )
    except (
        CertificateError,
        FunctionProcessError,
        InvalidTargetError,
        UnknownListenerError,
        UnknownTargetGroupError,
    ) as error:
        return _refuse(f"gateway: {error}")
    except OSError as error:
        return _refuse(f"gateway: {error}")
    # Requests create no reference cycles, and searching for cycles every 700 objects is slow.
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    publish = partial(write_rules, options.rules_file) if options.rules_file else None
    control = Control(gateway, lambda: _load(options), publish=publish)
    servers: list[AdminServer | PageServer] = []
    reloads = loop.create_task(_reload_at(hangup, control))
    try:
        if options.admin_socket is not None:
            admin = AdminServer(control, options.admin_socket)
            servers.append(admin)
            await admin.start()
        if metrics is not None:
            scraped = metrics_server(lambda: metrics.render(gateway.plane, gateway.acceptors))
            servers.append(scraped)
            await scraped.start(options.bind, options.metrics_port)
            _log.info("metrics on %s port %d", options.bind, scraped.port)
        if identities is not None:
            keys = key_server(identities)
            servers.append(keys)
            await keys.start(options.bind, options.identity_keys_port)
            _log.info(
                "the key of identities: http://%s:%d/%s",
                options.bind,
                keys.port,
                identities.key_id,
            )
        _warn_of_empty_groups(routing, targets)
        for listener in gateway.listeners:
            settings = listener.settings
            _log.info(
                "listening on %s port %d: %s (%s)",
                options.bind,
                listener.port,
                settings.logical_id,
                settings.protocol,
            )
        await stop.wait()
        _log.info("draining for up to %g seconds", options.drain_seconds)
        drained = loop.create_task(gateway.drain(options.drain_seconds))
        hurry = loop.create_task(again.wait())
        await asyncio.wait((drained, hurry), return_when=asyncio.FIRST_COMPLETED)
        for task in (drained, hurry):
            task.cancel()
        await asyncio.gather(drained, hurry, return_exceptions=True)
    except (AdminSocketError, OSError) as error:
        return _refuse(f"gateway: {error}")
    finally:
        reloads.cancel()
        for server in servers:
            await server.close()
        await gateway.close()
        if file is not None:
            file.close()
    _log.info("stopped")
    return 0


async def _reload_at(hangup: asyncio.Event, control: Control) -> None:
    """Reloads whenever the event is set, until it is cancelled."""
    while True:
        await hangup.wait()
        hangup.clear()
        try:
            await control.reload()
        except RefusedCommandError as refused:
            for line in refused.lines:
                _log.error("not reloaded: %s", line)


def _refuse(*lines: str) -> int:
    sys.stderr.write("".join(f"{line}\n" for line in lines))
    return _REFUSED


def _open(path: str) -> int:
    if path == "-":
        return sys.stdout.fileno()
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)


def _format(name: str, routing: Routing) -> Format:
    if name == "short":
        return short_line
    return AlbFormat(routing.load_balancer.logical_id)


def _warn_of_empty_groups(routing: Routing, targets: Mapping[str, Sequence[str]]) -> None:
    for name in needed_groups(routing):
        if name not in targets:
            _log.warning(
                "%s has no target: its requests are answered with 503: %s",
                name,
                target_option(name, routing),
            )
