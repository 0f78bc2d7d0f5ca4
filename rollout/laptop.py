"""The board that `make run` runs on this machine."""

from collections.abc import Mapping

from laptop import control, settings
from laptop.control import RunningBoard
from laptop.errors import RefusedOperationError
from rollout.board import State
from rollout.errors import CannotRollOutError


class LaptopBoard:
    """A board whose run takes commands at its control socket."""

    place = "on this laptop (make run)"

    def __init__(self, board: RunningBoard) -> None:
        self._board = board

    def state(self) -> State:
        """The shares, and what runs."""
        return self._send("state")

    def shift(self, service: str, share: int, *, force: bool) -> State:
        """Change the weights at the gateway; the next request follows them."""
        return self._send("shift", context=service, share=share, force=force)

    def start(self, server: str) -> State:
        """Start the process, and register it at the gateway once it is ready."""
        return self._send("start", context=server)

    def stop(self, server: str) -> State:
        """Deregister the process at the gateway, let it finish its requests, and end it."""
        return self._send("stop", context=server)

    def restart(self, server: str) -> State:
        """Replace its processes, one after another. It must have copies."""
        return self._send("restart", context=server)

    def break_(self, server: str, how: str) -> State:
        """Break its process: one of `laptop.processes.faults.FAULTS`."""
        return self._send("break", context=server, how=how)

    def _send(self, command: str, **arguments: object) -> State:
        try:
            result = self._board.send(command, **arguments)
        except RefusedOperationError as refused:
            raise CannotRollOutError(str(refused)) from refused
        except (OSError, ValueError) as error:
            raise CannotRollOutError(f"the board stopped, or did not answer: {error}") from error
        return State(result["shares"], result["health"])


def only_laptop(environment: Mapping[str, str], in_compose: str) -> LaptopBoard:
    """The board of this laptop, for a command that no other place has. Raises CannotRollOutError if
    none runs; its message says with `in_compose` what to do there."""
    found = control.find(settings.data_folder(environment))
    if found is None:
        raise CannotRollOutError(
            f"no board runs on this laptop: make run. In Compose, {in_compose}"
        )
    return LaptopBoard(found)
