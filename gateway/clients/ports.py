"""Opens the listeners' ports."""

import asyncio
import errno
from collections.abc import Mapping, Sequence

from gateway.clients.acceptor import Acceptor
from gateway.net.tls import ServerContext
from gateway.proxy.data_plane import DataPlane
from gateway.proxy.listener import Listener
from gateway.routing.settings import ListenerSettings, Routing


class ListenError(OSError):
    """A port cannot be opened."""

    def __init__(self, error: OSError, bind: str, port: int) -> None:
        super().__init__(error.errno, str(error))
        self.bind = bind
        self.port = port

    def __str__(self) -> str:
        if self.errno == errno.EADDRINUSE:
            return f"port {self.port} on {self.bind} is taken by another process"
        if self.errno == errno.EACCES:
            return f"no permission to listen on port {self.port}"
        return super().__str__()


class UnknownListenerError(ValueError):
    """``ports`` names a listener that the template does not have."""

    def __init__(self, name: str, known: Mapping[str, object]) -> None:
        super().__init__(
            f"there is no listener {name!r} in the template, only {', '.join(known) or 'none'}"
        )


def wanted_ports(
    routing: Routing, port: int | None, ports: Mapping[str, int]
) -> list[tuple[ListenerSettings, int]]:
    """The port for each listener: the one in ``ports`` for its logical id, else ``port``, else the
    template's. Raises UnknownListenerError."""
    known = {settings.logical_id: settings for settings in routing.listeners}
    for name in ports:
        if name not in known:
            raise UnknownListenerError(name, known)
    return [
        (settings, ports.get(name, settings.port if port is None else port))
        for name, settings in known.items()
    ]


async def listen(
    loop: asyncio.AbstractEventLoop,
    plane: DataPlane,
    wanted_ports: Sequence[tuple[ListenerSettings, int]],
    bind: str,
    contexts: Mapping[str, ServerContext],
) -> list[Acceptor]:
    """Opens the ports, in order; ``contexts`` are those of the HTTPS listeners, by logical id.

    Raises ListenError, and then none is open.
    """
    acceptors: list[Acceptor] = []
    try:
        for settings, port in wanted_ports:
            context = contexts.get(settings.logical_id)
            acceptor = Acceptor(plane, Listener(settings, port), context)
            try:
                await acceptor.start(loop, bind)
            except OSError as error:
                raise ListenError(error, bind, port) from error
            acceptors.append(acceptor)
    except BaseException:
        for acceptor in acceptors:
            acceptor.close()
        raise
    return acceptors
