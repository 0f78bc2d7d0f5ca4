"""The list of what the emulator cannot do is true today."""

import pytest

from tests.rehearsal.emulator import ROOT
from tests.rehearsal.gaps import GAPS, Gap
from tests.rehearsal.stage import Stage


@pytest.mark.parametrize("gap", GAPS, ids=lambda gap: f"{gap.template}-{gap.what}")
def test_the_emulator_has_not_learned_what_the_list_says_it_cannot_do(aws: Stage, gap: Gap) -> None:
    assert not gap.learned(aws.aws), f"take it off the list: {gap}"


def test_what_is_not_on_the_list_is_deployed_as_it_is() -> None:
    listed = {gap.template for gap in GAPS}
    templates = {path.stem for path in (ROOT / "infra").glob("*.yml")}
    assert listed < templates
