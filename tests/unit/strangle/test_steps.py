"""The migration covers all contexts, whatever their number, and ends without the monolith."""

from strangle.load.recorder import service_of
from strangle.steps import SHARES, migration
from topology.contexts import CONTEXTS
from topology.deployments import SERVICES


def test_every_service_starts_before_it_gets_a_share_and_gets_each_in_order() -> None:
    names = [step.name for step in migration()]
    for service in SERVICES:
        wanted = [f"start {service}", *(f"{service} {share} %" for share in SHARES)]
        positions = [names.index(name) for name in wanted]
        assert positions == sorted(positions)


def test_monolith_stops_at_the_end_and_one_context_goes_back_before() -> None:
    names = [step.name for step in migration()]
    assert names.count("stop the monolith") == 2
    last = names.index("stop the monolith")
    back, forward = names[last + 2 : last + 4]
    assert (back.split()[1:], forward.split()[1:]) == (["0", "%"], ["100", "%"])
    assert names[-1] == "stop the monolith"


def test_every_step_names_the_command_on_aws_and_has_a_sentence() -> None:
    for step in migration():
        assert step.aws.startswith("make ")
        assert step.sentence.endswith(".")


def test_requests_belong_to_the_service_whose_paths_they_have() -> None:
    for context in CONTEXTS:
        for prefix in context.public_prefixes:
            assert service_of(f"{prefix}/7?limit=1") == context.name
            assert service_of(f"{prefix}?limit=1") == context.name
    assert service_of("/") == "web"
    assert service_of("/api/postsandmore") == "web"
