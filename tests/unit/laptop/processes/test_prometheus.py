"""The configuration of Prometheus beside a run."""

import json
from pathlib import Path

import pytest

from laptop import settings
from laptop.errors import CannotRunError
from laptop.processes.prometheus import Observer


def test_missing_prometheus_is_named(tmp_path: Path) -> None:
    with pytest.raises(CannotRunError, match="apt install prometheus"):
        Observer(tmp_path, 9090, 9091).program({"PATH": str(tmp_path)})


def test_servers_are_read_under_their_names(tmp_path: Path) -> None:
    observer = Observer(tmp_path, 9090, 9091)
    for ports in ({"posts": 1, "web": 2}, {"posts": 1}):
        observer.follow(ports)
        read = json.loads((tmp_path / "servers.json").read_text())
        assert {
            each["labels"]["instance"]: each["targets"] for each in read
        } == {name: [f"127.0.0.1:{port}"] for name, port in ports.items()}  # fmt: skip


@pytest.mark.parametrize(
    ("environment", "port"),
    [
        ({}, None),
        ({"OBSERVE": "0"}, None),
        ({"OBSERVE": "1"}, 9090),
        ({"OBSERVE": "1", "OBSERVE_PORT": "9191"}, 9191),
    ],
)
def test_prometheus_runs_only_if_asked_for(environment: dict[str, str], port: int | None) -> None:
    assert settings.read([], environment).observe_port == port
