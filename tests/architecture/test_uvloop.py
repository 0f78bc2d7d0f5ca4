"""Where uvloop cannot be installed, servers run on asyncio's own event loop."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from laptop import ports
from tests.eventually import eventually_blocking
from topology.contexts import CONTEXTS

ROOT = Path(__file__).resolve().parents[2]
WITHOUT_UVLOOP = """
import runpy, sys
sys.modules["uvloop"] = None  # an import raises ModuleNotFoundError
module, *sys.argv = sys.argv[1:]
sys.argv.insert(0, module)
runpy.run_module(module, run_name="__main__")
"""
TEMPLATE = {
    "Resources": {
        "Balancer": {
            "Type": "AWS::ElasticLoadBalancingV2::LoadBalancer",
            "Properties": {"Subnets": ["subnet-1", "subnet-2"]},
        },
        "Listener": {
            "Type": "AWS::ElasticLoadBalancingV2::Listener",
            "Properties": {
                "LoadBalancerArn": {"Ref": "Balancer"},
                "Port": 80,
                "Protocol": "HTTP",
                "DefaultActions": [
                    {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}
                ],
            },
        },
    }
}


SETTINGS = {
    "DRAIN_SECONDS": "0",
    "PUBLIC_ORIGIN": "http://a",
    **{context.service_url.upper(): "http://a" for context in CONTEXTS},
    **{context.service_token.upper(): "the token of a service" for context in CONTEXTS},
}


@pytest.mark.parametrize("module", ["gateway", "web.main"])
def test_server_runs_without_uvloop(module: str, tmp_path: Path) -> None:
    (port,) = ports.free(1)
    template = tmp_path / "template.json"
    template.write_text(json.dumps(TEMPLATE))
    arguments = {
        "gateway": ["--template", str(template), "--listen", f"Listener={port}"],
        "web.main": [],
    }[module]
    process = subprocess.Popen(
        [sys.executable, "-c", WITHOUT_UVLOOP, module, *arguments],
        cwd=ROOT,
        env=os.environ | SETTINGS | {"PORT": str(port)},
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:

        def answers() -> bool:
            assert process.poll() is None, process.communicate()[1]
            try:
                return httpx.get(f"http://127.0.0.1:{port}/livez", trust_env=False).is_success
            except httpx.ConnectError:
                return False

        try:
            eventually_blocking(answers, 20, f"{module} answers")
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
