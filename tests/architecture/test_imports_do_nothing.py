"""Nothing happens at import: no socket, no process, no file written, no environment read."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = (
    "kernel",
    "services",
    "web",
    "monolith",
    "gateway",
    "board",
    "laptop",
    "containers",
    "deploy",
    "topology",
    "workflow",
)


def _modules() -> list[str]:
    return [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        # Alembic runs these two kinds itself.
        if "migrations" not in path.parts and "alembic" not in path.parts
    ]


_WATCH = """
import importlib, os, sys

forbidden = ("socket.bind", "socket.connect", "subprocess.Popen", "os.fork", "os.mkdir")
third_party = {"asyncpg", "httpx", "uvicorn", "fastapi", "prometheus_client", "argon2", "alembic",
               "sqlalchemy", "pydantic_settings", "markdown_it", "nh3", "linkify_it", "zxcvbn",
               "uvloop", "httptools", "yaml", "cachetools", "starlette", "psutil", "boto3",
               "botocore", "cyclonedx", "packageurl"}
for name in third_party:
    try:
        importlib.import_module(name)
    except ImportError:
        pass
seen = []

def watch(event, arguments):
    if event in forbidden:
        seen.append(event)
    if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        seen.append(f"opened {arguments[0]} for writing")

sys.dont_write_bytecode = True
sys.addaudithook(watch)
environment = type(os.environ)
ours = {name.partition(".")[0] for name in sys.argv[1:]}
read = environment.__getitem__

def read_by_us(self, key):
    caller = sys._getframe(1)
    while caller.f_globals.get("__name__", "") in ("os", "collections.abc", "_collections_abc"):
        caller = caller.f_back
    if caller.f_globals.get("__name__", "").partition(".")[0] in ours:
        seen.append(f"read {key} from the environment")
    return read(self, key)

environment.__getitem__ = read_by_us
for name in sys.argv[1:]:
    before = len(seen)
    importlib.import_module(name)
    for what in seen[before:]:
        print(f"importing {name}: {what}")
sys.exit(bool(seen))
"""


def test_importing_our_modules_does_nothing() -> None:
    modules = _modules()
    assert "services.posts.main" in modules
    done = subprocess.run(
        [sys.executable, "-c", _WATCH, *modules], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_import_watch_detects_effects_at_import(tmp_path: Path) -> None:
    (tmp_path / "guilty.py").write_text(
        "import os, socket\nos.environ['HOME']\nsocket.create_server(('127.0.0.1', 0))\n"
        "open('written', 'w')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", _WATCH, "guilty"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "read HOME" in done.stdout
    assert "socket.bind" in done.stdout
    assert "for writing" in done.stdout
