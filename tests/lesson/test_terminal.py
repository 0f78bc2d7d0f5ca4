"""The terminals notice whatever differs from the page."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lesson.pages import Command, Stop
from tests.lesson.terminal import Terminals, terminals

PORTS = {"8080": "18080", "8081": "18081"}


@pytest.fixture
def person() -> Iterator[Terminals]:
    """Somebody at some terminals."""
    with terminals(PORTS, {"GREETING": "hello"}) as found:
        yield found


def command(text: str, output: str, how: str = "") -> Command:
    return Command(text, how, output, "", "00-page.md", 7)


def test_command_that_prints_what_the_page_shows_passes(person: Terminals) -> None:
    person.play(command("echo $GREETING; echo again >&2", "hello\nagain\n"))


@pytest.mark.parametrize(
    "step",
    [
        command("echo hello", "good morning\n"),
        command("echo hello; echo more", "hello\n"),
        command("echo hello; exit 1", "hello\n"),
        command("echo hello", "hello\n", "fails"),
        command("echo hello", "good morning\n", "background"),
        command("cat", "something\n"),
    ],
    ids=lambda step: f"{step.how} {step.text}",
)
def test_whatever_differs_from_the_page_is_noticed(person: Terminals, step: Command) -> None:
    with pytest.raises(AssertionError, match=r"00-page.md:7"):
        person.play(step)


def test_command_that_is_expected_to_fail_may_fail(person: Terminals) -> None:
    person.play(command("echo refused; exit 1", "refused\n", "fails"))


def test_ports_are_those_of_this_machine_in_commands_and_those_of_the_page_in_outputs(
    person: Terminals,
) -> None:
    person.play(
        command(
            "text='localhost:8080 PORT=8081 port 8080'; [[ $text == *18080* ]] && echo \"$text\"",
            "localhost:8080 PORT=18081 port 8080\n",
        )
    )


def test_command_in_the_background_goes_on_until_ctrl_c(person: Terminals) -> None:
    person.play(
        command("trap 'echo stopped; exit' INT; echo up; sleep 60 & wait", "up\n", "background")
    )
    person.play(command("echo meanwhile", "meanwhile\n"))
    person.play(Stop())


def test_ctrl_c_waits_for_what_runs_meanwhile(person: Terminals, tmp_path: Path) -> None:
    server = tmp_path / "server"
    serve = f"trap 'rm {server}; exit' INT; touch {server}; echo up; sleep 60 & wait"
    person.play(command(serve, "up\n", "background"))
    person.play(command(f"sleep 0.5; [[ -e {server} ]] && echo served", "served\n", "meanwhile"))
    person.play(Stop())
    assert not server.exists()
    person.end_meanwhile()


def test_what_runs_meanwhile_is_compared_at_the_end_of_the_page(person: Terminals) -> None:
    person.play(command("echo one", "one\n", "meanwhile"))
    person.end_meanwhile()
    person.play(command("echo two", "three\n", "meanwhile"))
    with pytest.raises(AssertionError, match=r"00-page.md:7: echo two"):
        person.end_meanwhile()
