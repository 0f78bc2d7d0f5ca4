"""The list of what the emulator cannot do is true today."""

import pytest

from tests.rehearsal.emulator import ROOT
from tests.rehearsal.gaps import GAPS, Gap
from tests.rehearsal.stage import Stage


@pytest.mark.parametrize("gap", GAPS, ids=lambda gap: f"{gap.template}-{gap.what}")
def test_emulator_still_lacks_every_listed_feature(aws: Stage, gap: Gap) -> None:
    assert not gap.learned(aws.aws), f"take it off the list: {gap}"


def test_unlisted_templates_are_deployed_unchanged() -> None:
    listed = {gap.template for gap in GAPS}
    templates = {path.stem for path in (ROOT / "infra").glob("*.yml")}
    assert listed < templates
