"""Prometheus beside a run, with the board's alerts: `make run OBSERVE=1`."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from laptop.errors import CannotRunError
from laptop.processes.process import Program

NAME: Final = "prometheus"

_ALERTS: Final = Path(__file__).resolve().parents[2] / "observe" / "alerts.yml"


@dataclass(frozen=True)
class Observer:
    """Prometheus on `port` of 127.0.0.1. Its configuration and its data are in `folder`."""

    folder: Path
    port: int
    gateway_metrics_port: int

    def program(self, environment: Mapping[str, str]) -> Program:
        """Write the configuration, and return how to run Prometheus.

        Raises:
            CannotRunError: it is not installed.
        """
        command = shutil.which(NAME, path=environment.get("PATH"))
        if command is None:
            raise CannotRunError(
                "OBSERVE=1 needs Prometheus, which is not installed: apt install prometheus"
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        configuration = self.folder / "prometheus.yml"
        # JSON is YAML.
        configuration.write_text(json.dumps(self._configuration(), indent=2))
        return Program(
            name=NAME,
            command=(
                command,
                f"--config.file={configuration}",
                f"--storage.tsdb.path={self.folder / 'data'}",
                "--storage.tsdb.retention.time=7d",
                f"--web.listen-address=127.0.0.1:{self.port}",
                "--log.level=warn",
            ),
            environment=environment,
            folder=self.folder,
        )

    def follow(self, ports: Mapping[str, int]) -> None:
        """Read the metrics of these servers, by name, from now on."""
        groups = [
            {"targets": [f"127.0.0.1:{port}"], "labels": {"instance": name}}
            for name, port in ports.items()
        ]
        # Prometheus watches the file, and must not read half of it.
        new = self._servers.with_suffix(".new")
        new.write_text(json.dumps(groups))
        new.replace(self._servers)

    @property
    def _servers(self) -> Path:
        return self.folder / "servers.json"

    def _configuration(self) -> Mapping[str, object]:
        gateway = {
            "targets": [f"127.0.0.1:{self.gateway_metrics_port}"],
            "labels": {"instance": "gateway"},
        }
        return {
            "global": {"scrape_interval": "5s", "evaluation_interval": "5s"},
            "rule_files": [str(_ALERTS)],
            "scrape_configs": [
                {"job_name": "board", "file_sd_configs": [{"files": [str(self._servers)]}]},
                {"job_name": "gateway", "static_configs": [gateway]},
            ],
        }
