"""A `make restart` that is wrong by itself is refused before anything is restarted."""

from pathlib import Path

import pytest

from rollout import restarting
from rollout.errors import CannotRollOutError
from topology.deployments import SERVERS


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"CONTEXT": "nothing"}, "CONTEXT=nothing: it must be one of"),
        ({"CONTEXT": SERVERS[0]}, "no board runs on this laptop: make run"),
    ],
)
def test_invalid_arguments_are_refused(
    environment: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(CannotRollOutError, match=sentence):
        restarting.run(environment | {"DATA_DIR": str(tmp_path)})
