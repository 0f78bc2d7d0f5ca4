"""The page that a run writes."""

from chaos.episode import Episode
from chaos.faults import everything
from chaos.figures import Figures
from chaos.report import page
from strangle.audit import Check
from strangle.history import History

FIGURES = Figures(7, ("GET /: 503",), 0.4, (), 100, (), 0.9)
FAULT = everything()[0]


def test_page_has_a_row_for_each_fault_and_what_is_wrong() -> None:
    well = Episode(FAULT, FIGURES, (Check("nothing was lost", "9 posts", ()),), ())
    lost = Check("nothing was lost", "9 posts", ("post 7 is gone",))
    episodes = [well, Episode(FAULT, FIGURES, (lost,), ())]
    text = page(episodes, [History()], ["clock of posts"], with_times=True)
    assert "1 of 2 faults passed every check." in text
    assert f"| ✓ | {FAULT.name} | 7 | 1 | 0.40 | 100 | 0 | 0.90 |" in text
    assert f"| ✗ | {FAULT.name} |" in text
    assert "post 7 is gone" in text
    assert "because containers cannot have them: clock of posts" in text


def test_times_that_are_only_reported_do_not_fail() -> None:
    late = Check("failures came quickly", "2 s", ("a failure took 2 s",))
    episode = Episode(FAULT, FIGURES, (), (late,))
    assert "0 of 1 faults" in page([episode], [History()], [], with_times=True)
    assert "1 of 1 faults" in page([episode], [History()], [], with_times=False)
