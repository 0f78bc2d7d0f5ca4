"""The settings that turn the board's limits off name every limit there is."""

from monolith.main import Settings
from topology.limits import NO_LIMITS

_STAYS = "sign_in_name_failures"
_LIMITS = ("_limit", "_interval", "_failures")


def test_no_limits_names_every_limit_of_the_board() -> None:
    fields = Settings.model_fields
    limits = {name.upper() for name in fields if name.endswith(_LIMITS) and name != _STAYS}
    assert limits == {*NO_LIMITS}
