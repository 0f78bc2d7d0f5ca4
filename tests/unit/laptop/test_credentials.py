"""The stored passwords and tokens are private, and generated once."""

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from laptop import credentials
from laptop.credentials import Credentials, load_or_create
from laptop.errors import CannotRunError
from topology.secrets import SECRETS


def test_credentials_are_generated_once(tmp_path: Path) -> None:
    first = load_or_create(tmp_path)
    assert load_or_create(tmp_path) == first


def test_only_the_owner_can_read_the_file_and_no_copy_is_left(tmp_path: Path) -> None:
    load_or_create(tmp_path)
    (path,) = tmp_path.iterdir()
    assert path.name == credentials.FILE_NAME
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_secrets_are_long_and_unique(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    secrets = [
        *load_or_create(tmp_path).by_name.values(),
        *load_or_create(tmp_path / "other").by_name.values(),
    ]
    assert len({*secrets}) == len(secrets) == 2 * len(SECRETS)
    assert all(len(secret) >= 43 for secret in secrets)


def test_concurrent_processes_load_the_same_credentials(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = [*pool.map(load_or_create, [tmp_path] * 32)]
    assert all(one == found[0] for one in found)
    assert len([*tmp_path.iterdir()]) == 1


@pytest.mark.parametrize("text", ["", "{", "[]", '"a"', '{"admin_password": 7}'])
def test_damaged_file_is_rejected_with_its_path_and_kept(tmp_path: Path, text: str) -> None:
    path = tmp_path / credentials.FILE_NAME
    path.write_text(text)
    with pytest.raises(CannotRunError, match=credentials.FILE_NAME):
        load_or_create(tmp_path)
    assert path.read_text() == text


def test_missing_admin_password_is_rejected_by_name(tmp_path: Path) -> None:
    content = dict(load_or_create(tmp_path).by_name)
    del content["admin_password"]
    (tmp_path / credentials.FILE_NAME).write_text(json.dumps(content))
    with pytest.raises(CannotRunError, match="lacks admin_password"):
        load_or_create(tmp_path)


def test_empty_secret_is_rejected_by_name(tmp_path: Path) -> None:
    content = {**load_or_create(tmp_path).by_name, "posts_password": ""}
    (tmp_path / credentials.FILE_NAME).write_text(json.dumps(content))
    with pytest.raises(CannotRunError, match=r"damaged \(posts_password\)"):
        load_or_create(tmp_path)


def test_secrets_of_a_new_context_are_added_once_and_the_others_stay(tmp_path: Path) -> None:
    content = dict(load_or_create(tmp_path).by_name)
    before = {name: value for name, value in content.items() if not name.startswith("posts_")}
    (tmp_path / credentials.FILE_NAME).write_text(json.dumps(before))
    with ThreadPoolExecutor(8) as pool:
        found = [*pool.map(load_or_create, [tmp_path] * 32)]
    assert before.items() < found[0].by_name.items()
    assert {*found[0].by_name} == {*content}
    assert all(one == found[0] for one in found)


def test_representation_has_no_secret() -> None:
    made = Credentials.generate()
    assert made.admin_password not in f"{made} {made!r}"
