"""A `make break` that is wrong by itself is refused before a board is looked for."""

from pathlib import Path

import pytest

from laptop.processes.faults import FAULTS
from rollout import breaking
from rollout.errors import CannotRollOutError
from topology.deployments import SERVERS


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({}, "name what to start or stop"),
        ({"CONTEXT": "nothing", "HOW": "kill"}, "CONTEXT=nothing: it must be one of"),
        ({"CONTEXT": SERVERS[0]}, "HOW=: it must be one of kill, freeze, slow, mend"),
        ({"CONTEXT": SERVERS[0], "HOW": "burn"}, "HOW=burn: it must be one of"),
        ({"CONTEXT": SERVERS[0], "HOW": "kill"}, "no board runs on this laptop: make run"),
    ],
)
def test_invalid_arguments_or_choices_are_refused(
    environment: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(CannotRollOutError, match=sentence):
        breaking.run(environment | {"DATA_DIR": str(tmp_path)})


def test_every_fault_can_be_named() -> None:
    assert breaking.HOWS == FAULTS
