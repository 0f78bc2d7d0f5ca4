"""The commands' arguments."""

import pytest

from deploy.__main__ import parse


@pytest.mark.parametrize(
    "command",
    [["demo"], ["grant-admin", "ines"], ["migrate", "--check"], ["delete-accounts", "17", "23"]],
)
def test_run_passes_a_command_of_the_board_on_with_its_options(command: list[str]) -> None:
    found = parse(["run", *command])
    assert (found.command, found.what) == ("run", command)


def test_run_without_a_command_says_how_to_name_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["run"])
    assert "make run-ecs COMMAND=" in capsys.readouterr().err
