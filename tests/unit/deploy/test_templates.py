"""Templates are sent unchanged, and refused if they are invalid or too long."""

from pathlib import Path

import pytest

from deploy.errors import CannotDeployError
from deploy.stacks.templates import MAX_BYTES, read

INFRA = Path(__file__).resolve().parents[3] / "infra"


@pytest.mark.parametrize("path", sorted(INFRA.glob("*.yml")), ids=lambda path: path.stem)
def test_every_template_can_be_sent_unchanged(path: Path) -> None:
    template = read(INFRA, path.stem)
    assert template.body == path.read_text()
    assert "Project" in template.parameters


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("Resources: [", "cannot be read"),
        ("Parameters: {}", "has no Resources"),
        ("Resources: {}\n" + "# long\n" * MAX_BYTES, f"CloudFormation accepts {MAX_BYTES}"),
        ("Resources: {}\nParameters: none", "Parameters is not a mapping"),
        ("- Resources", "a template is a mapping of sections"),
    ],
    ids=["no yaml", "no resources", "too long", "no parameters", "a list"],
)
def test_rejects_an_invalid_template_with_the_reason(tmp_path: Path, body: str, said: str) -> None:
    (tmp_path / "network.yml").write_text(body)
    with pytest.raises(CannotDeployError, match=said):
        read(tmp_path, "network")


def test_names_a_missing_template(tmp_path: Path) -> None:
    with pytest.raises(CannotDeployError, match=r"network\.yml"):
        read(tmp_path, "network")
