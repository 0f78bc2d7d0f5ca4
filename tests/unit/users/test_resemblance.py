"""Names that readers could mistake for each other."""

import pytest

from services.users.resemblance import resembles


@pytest.mark.parametrize(
    "other",
    [
        "ines moreau", "INES MOREAU", "InesMoreau", "ines_moreau", "1nes Moreau", "Ines M0reau",
        "Inés Moreau", "I\u200bnes Moreau", "\u0406n\u0435s M\u043er\u0435au", "Ines Rnoreau",
        "\uff29nes Moreau", "\U0001d408nes Moreau", "lnes Moreau", "|nes Moreau",
        "Ines Moreau \u2713",
    ],
)  # fmt: skip
def test_names_that_look_alike_resemble(other: str) -> None:
    assert resembles("Ines Moreau", other)
    assert resembles(other, "Ines Moreau")


@pytest.mark.parametrize(
    "other", ["Ines", "Ines Morel", "Moreau Ines", "Agnes Moreau", "", "\u2713"]
)
def test_other_names_do_not(other: str) -> None:
    assert not resembles("Ines Moreau", other)


def test_names_without_letters_resemble_no_other() -> None:
    assert not resembles("\u2713", "\u2713")


def test_names_in_other_scripts_are_compared_too() -> None:
    assert resembles("名前", "名 前")
    assert not resembles("名前", "名")
