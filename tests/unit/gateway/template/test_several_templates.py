"""Several templates as one load balancer: names, parameters and refusals."""

from pathlib import Path

import pytest

from gateway.admin.commands import run_command
from gateway.template.files import NoTemplatesError, sources
from gateway.template.inputs import Choices, Source
from gateway.template.names import UnknownNameError, full_name
from gateway.template.reader import LoadedTemplates, RefusedTemplateError, load

CLUSTER = """\
Resources:
  Balancer: {Type: AWS::ElasticLoadBalancingV2::LoadBalancer}
  Front:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties:
      LoadBalancerArn: !Ref Balancer
      Port: 80
      Protocol: HTTP
      DefaultActions: [{Type: fixed-response, FixedResponseConfig: {StatusCode: 404}}]
Outputs:
  Front: {Value: !Ref Front, Export: {Name: front}}
"""
SERVICE = """\
Parameters:
  Path: {Type: String, Default: '/*'}
  Priority: {Type: Number, Default: 1}
Resources:
  Targets:
    Type: AWS::ElasticLoadBalancingV2::TargetGroup
    Properties: {Port: 80, Protocol: HTTP}
  Rule:
    Type: AWS::ElasticLoadBalancingV2::ListenerRule
    Properties:
      ListenerArn: !ImportValue front
      Priority: !Ref Priority
      Conditions: [{Field: path-pattern, Values: [!Ref Path]}]
      Actions: [{Type: forward, TargetGroupArn: !Ref Targets}]
"""


def load_texts(choices: Choices | None = None, **texts: str) -> LoadedTemplates:
    given = [Source(name, Path(f"{name}.yml"), text) for name, text in texts.items()]
    return load(given, choices or Choices())


def refused(choices: Choices | None = None, **texts: str) -> list[str]:
    with pytest.raises(RefusedTemplateError) as caught:
        load_texts(choices, **texts)
    return caught.value.lines


def test_explain_names_the_template_and_the_line_of_each_rule(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("cluster.yml").write_text(CLUSTER)
    Path("users.yml").write_text(SERVICE.replace("'/*'", "'/users/*'"))
    Path("posts.yml").write_text("# Posts\n" + SERVICE.replace("Default: 1", "Default: 2"))
    files = [f"--template={name}.yml" for name in ("cluster", "users", "posts")]
    assert run_command(["explain", *files, "--listener", "Front", "GET", "/posts/1"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "GET /posts/1 at cluster.Front (HTTP 80)",
        "    1 users.Rule (users.yml:8): no, path-pattern /users/* does not match path '/posts/1'",
        "    2 posts.Rule (posts.yml:9): applies (path-pattern /*)",
        "      forward to posts.Targets (100%)",
    ]
    assert run_command(["explain", *files, "TRACE", "/", "-H", "A: b"]) == 0
    Path("posts.yml").write_text(SERVICE)
    assert run_command(["explain", *files, "GET", "/"]) == 2
    said = capsys.readouterr().err
    assert said == "posts.yml:12: Rule: priority 1 is already that of users.Rule\n"


def test_a_parameter_is_for_one_template_or_for_all_that_have_it() -> None:
    choices = Choices({"Path": "/x", "b.Path": "/y", "b.Priority": "2"})
    loaded = load_texts(choices, cluster=CLUSTER, a=SERVICE, b=SERVICE)
    [rule_a, rule_b, _] = loaded.routing.listeners[0].rules
    assert [str(condition) for condition in rule_a.conditions] == ["path-pattern /x"]
    assert [str(condition) for condition in rule_b.conditions] == ["path-pattern /y"]


@pytest.mark.parametrize(
    ("choices", "line"),
    [
        (Choices({"Nonsense": "1"}), "Nonsense: there is no such parameter"),
        (Choices({"service.Nonsense": "1"}), "service.Nonsense: there is no such parameter"),
        (Choices({"AWS::Nonsense": "1"}), "AWS::Nonsense: there is no such parameter"),
        (
            Choices(ties={"Nonsense": "cluster.Front"}),
            "Nonsense: there is no such parameter to tie",
        ),
        (
            Choices(health_check_ports={"Nobody": 1}),
            "--health-check-port: there is no target group 'Nobody', only service.Targets",
        ),
    ],
)
def test_option_for_a_missing_parameter_or_resource_is_refused(choices: Choices, line: str) -> None:
    assert refused(choices, cluster=CLUSTER, service=SERVICE) == [f"cluster.yml:1: {line}"]


def test_two_templates_have_two_names() -> None:
    given = [Source("same", Path("a.yml"), CLUSTER), Source("same", Path("b.yml"), SERVICE)]
    with pytest.raises(RefusedTemplateError, match="two templates are called 'same'"):
        load(given, Choices())


def test_a_missing_parameter_of_a_template_without_routing_is_not_needed() -> None:
    network = "Parameters:\n  Cidr: {Type: String}\nResources:\n  V: {Type: AWS::EC2::VPC}\n"
    assert load_texts(cluster=CLUSTER, service=SERVICE, network=network).routing.listeners
    exporting = network + "Outputs: {O: {Value: !Ref Cidr, Export: {Name: cidr}}}\n"
    using = SERVICE.replace("'/*'", "'/*'").replace("[!Ref Path]", "[!ImportValue cidr]")
    [line] = refused(cluster=CLUSTER, service=using, network=exporting)
    assert line == (
        "service.yml:13: Rule: parameter Cidr: has no default, so a value is needed: --parameter "
        "(network.yml:5)"
    )


def test_a_template_with_routing_needs_its_parameters() -> None:
    needy = SERVICE.replace("{Type: String, Default: '/*'}", "{Type: String}")
    assert "service.yml:2: Path: has no default, so a value is needed: --parameter" in refused(
        cluster=CLUSTER, service=needy
    )


def test_unqualified_name_is_enough_if_unambiguous() -> None:
    known = ["users.Targets", "posts.Targets", "posts.More"]
    assert full_name("posts.Targets", known, "group") == "posts.Targets"
    assert full_name("More", known, "group") == "posts.More"
    with pytest.raises(UnknownNameError, match=r"could be users\.Targets or posts\.Targets"):
        full_name("Targets", known, "group")
    with pytest.raises(UnknownNameError, match="there is no group 'argets', only users"):
        full_name("argets", known, "group")


def test_templates_are_named_after_their_files(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for name in ("a/b.yml", "Shop.template.json", "c.template", "d.json", ".e.yml", "f.txt"):
        (tmp_path / name).write_text('{"Resources": {}}' if "d." not in name else "{}")
    assert [source.name for source in sources([str(tmp_path)])] == ["Shop", "a-b", "c"]
    assert [source.name for source in sources([f"Our={tmp_path}"])] == [
        "Our-Shop",
        "Our-a-b",
        "Our-c",
    ]
    [one, other] = sources([str(tmp_path / "Shop.template.json"), f"X={tmp_path / 'a/b.yml'}"])
    assert (one.name, one.named) == ("Shop", False)
    assert (other.name, other.named) == ("X", True)
    with pytest.raises(NoTemplatesError, match="has no CloudFormation templates"):
        sources([str(tmp_path / "a"), str(tmp_path.parent / "nothing"), str(empty(tmp_path))])


def empty(folder: Path) -> Path:
    made = folder / "empty"
    made.mkdir()
    return made


def test_problems_of_all_templates_are_reported_together() -> None:
    lines = refused(
        cluster=CLUSTER.replace("Port: 80", "Port: x"),
        service=SERVICE.replace("path-pattern", "grpc-method"),
    )
    assert [line.split(": ")[:2] for line in lines] == [
        ["cluster.yml:7", "Front"],
        ["service.yml:13", "Rule"],
    ]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("Resources:", "Resourcen: {}\nResources:", "Resourcen: there is no such section"),
        ("Outputs:", "Conditions: [a]\nOutputs:", "Conditions: this section is a mapping"),
        ("{Value: !Ref Front,", "{", "Rule: output Front has no Value (cluster.yml:11)"),
        ("{Value: !Ref Front,", "{Value: !Ref Fron,", "no parameter or resource 'Fron' (clus"),
        ("{Name: front}", "{Name: frond}", "no template here exports 'front'"),
        ("{Name: front}", "{Name: !Ref Front}", "name of the export at cluster.yml:11 is not"),
        ("!Ref Front,", "!Ref Balancer,", "Rule: ListenerArn: cluster.Balancer is not a Listener"),
        ("!Ref Front,", "!GetAtt Front.Port,", "cluster.Front.Port is not an ARN of a Listener"),
    ],
)
def test_problem_is_reported_in_the_template_that_causes_it(old: str, new: str, line: str) -> None:
    assert old in CLUSTER
    lines = refused(cluster=CLUSTER.replace(old, new, 1), service=SERVICE)
    assert any(line in found for found in lines), lines
