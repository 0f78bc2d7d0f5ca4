"""The tasks: the templates set what the processes read, tasks stop in time, and instances have room
for them."""

import importlib
import re
from typing import Any

import pytest

from kernel.process.serve import LONGEST_REQUEST_SECONDS
from kernel.process.settings import ProcessSettings, load
from tests.cloudformation import REGISTRY, REVISION, ROOT, SERVICES, Deployment, template
from topology.contexts import CONTEXT_NAMES

DOCKERFILE = (ROOT / "Dockerfile").read_text()
MODULES = {
    **{name: f"services.{name}.main" for name in CONTEXT_NAMES},
    "web": "web.main",
    "monolith": "monolith.main",
}
REGISTERED_MIB = {"t3.small": 1800, "t3.medium": 3700, "t3.large": 7700}
"""The memory that an instance has for tasks before ECS_RESERVED_MEMORY: a little less than its
size."""


@pytest.fixture(scope="module")
def deployment() -> Deployment:
    return Deployment()


def _container(deployment: Deployment, task: str) -> dict[str, Any]:
    [container] = deployment.resource(task)["ContainerDefinitions"]
    assert isinstance(container, dict)
    return container


def _environment(deployment: Deployment, task: str) -> dict[str, str]:
    """The environment of a task's process: from its image, from the template, and from secrets."""
    container = _container(deployment, task)
    found = {"HOST": "0.0.0.0", "PORT": "8000"}  # noqa: S104 - what the image says
    found |= {entry["Name"]: str(entry["Value"]) for entry in container["Environment"]}
    for secret in container.get("Secrets", ()):
        assert secret["Name"] not in found
        found[secret["Name"]] = "0123456789abcdefghijABCDEFGHIJ0123456789"
    return found


@pytest.fixture
def nothing_else(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment without settings."""
    for name in ("PORT", "HOST", "INSTANCE", "SETTINGS_DIR", "PUBLIC_ORIGIN"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def _settings(
    deployment: Deployment, name: str, environment: pytest.MonkeyPatch
) -> ProcessSettings:
    for key, value in _environment(deployment, f"{name}.Task").items():
        environment.setenv(key, value)
    kind: type[ProcessSettings] = importlib.import_module(MODULES[name]).Settings
    return load(kind)


@pytest.mark.parametrize("name", SERVICES)
def test_process_starts_with_the_settings_of_its_task(
    deployment: Deployment, name: str, nothing_else: pytest.MonkeyPatch
) -> None:
    settings = _settings(deployment, name, nothing_else)
    assert settings.public_origin == "http://routing.loadbalancer.dnsname"
    assert [str(network) for network in settings.trusted_networks] == [
        "10.20.0.0/20",
        "10.20.16.0/20",
    ]
    known = {field.upper() for field in type(settings).model_fields}
    assert _environment(deployment, f"{name}.Task").keys() <= known


@pytest.mark.parametrize("name", ["cases", "monolith"])
@pytest.mark.parametrize("after", ["loop", "fail"])
def test_process_that_runs_the_workflow_itself_does_what_the_state_machine_does(
    name: str, after: str, nothing_else: pytest.MonkeyPatch
) -> None:
    deployment = Deployment(NatMode="ipv6", AfterEscalation=after)
    settings = _settings(deployment, name, nothing_else).model_dump()
    assert settings["case_state_machine_arn"] is settings["case_queue"] is None
    assert settings["case_after_escalation"] == after
    substitutions = deployment.resource("workflow.StateMachine")["DefinitionSubstitutions"]
    assert substitutions["AfterEscalation"] == {"loop": "Work on Case", "fail": "Fail"}[after]


@pytest.mark.parametrize("name", [*CONTEXT_NAMES, "monolith"])
def test_tasks_use_verified_tls_and_the_contexts_own_role(
    deployment: Deployment, name: str, nothing_else: pytest.MonkeyPatch
) -> None:
    settings = _settings(deployment, name, nothing_else)
    contexts = CONTEXT_NAMES if name == "monolith" else (name,)
    for context in contexts:
        url = getattr(settings, f"{context}_database_url")
        assert re.fullmatch(
            rf"postgresql://{context}:\w{{40}}@data\.Database\.Endpoint\.Address:"
            rf"5432/{context}\?sslmode=verify-full&sslrootcert=/board/containers/rds-ca\.pem",
            url,
        )
    databases = {field for field in type(settings).model_fields if field.endswith("_database_url")}
    assert databases == {f"{context}_database_url" for context in contexts}


def test_services_call_each_other_by_the_internal_name(
    deployment: Deployment, nothing_else: pytest.MonkeyPatch
) -> None:
    settings = _settings(deployment, "posts", nothing_else)
    origin = deployment.output("InternalOrigin")
    assert origin == "http://services.board-eu-central-1.internal"
    assert getattr(settings, "users_url") == getattr(settings, "threads_url") == origin  # noqa: B009 - of which kind it is, the type does not say


@pytest.mark.parametrize("task", ["BootstrapTask", "MigrateTask"])
def test_operators_commands_start_with_the_settings_of_their_task(
    deployment: Deployment, task: str, nothing_else: pytest.MonkeyPatch
) -> None:
    from board.settings import Bootstrap, Databases
    from board.waking import Waking

    environment = _environment(deployment, f"operator.{task}")
    for key, value in environment.items():
        nothing_else.setenv(key, value)
    assert load(Waking).database_wakes_within == 90
    kind = Bootstrap if task == "BootstrapTask" else Databases
    settings = load(kind)
    assert set(settings.by_context()) == set(CONTEXT_NAMES)
    assert ("ADMIN_DATABASE_URL" in environment) is (kind is Bootstrap)
    if kind is Bootstrap:
        administrator = f"//{deployment.resource('data.Database')['MasterUsername']}:"
        assert administrator in environment["ADMIN_DATABASE_URL"].replace("@", ":")


def test_bootstrap_and_migrate_are_commands_that_the_image_has(deployment: Deployment) -> None:
    from board.__main__ import _STEPS

    for task, command in (("BootstrapTask", "bootstrap"), ("MigrateTask", "migrate")):
        assert _container(deployment, f"operator.{task}")["Command"] == [command]
        assert command in _STEPS


def test_outside_address_is_a_command_without_secrets_in_the_instances_network(
    deployment: Deployment,
) -> None:
    task = deployment.resource("operator.OutsideAddressTask")
    container = _container(deployment, "operator.OutsideAddressTask")
    # Behind Docker's bridge a task has no IPv6, so it would show less than the instance has.
    assert task["NetworkMode"] == "host"
    assert container["Command"] == ["outside-address"]
    assert "Secrets" not in container
    assert "PortMappings" not in container


IMAGES = [f"{name}.Task" for name in SERVICES] + [
    "operator.BootstrapTask",
    "operator.MigrateTask",
    "operator.OutsideAddressTask",
]


@pytest.mark.parametrize("task", IMAGES)
def test_every_containers_image_is_the_one_that_deploy_pins(
    deployment: Deployment, task: str
) -> None:
    stack = task.partition(".")[0]
    image = stack if stack in SERVICES else "board"
    assert _container(deployment, task)["Image"] == f"{REGISTRY}/board/{image}:{REVISION}"


@pytest.mark.parametrize("name", ["service", "operator"])
@pytest.mark.parametrize(
    ("image", "is_pinned"),
    [
        (f"{REGISTRY}/board/users:{REVISION}", True),
        (f"{REGISTRY}/board/users:{REVISION[:12]}", True),
        (f"{REGISTRY}/board/users:{REVISION}-changed", True),
        (f"{REGISTRY}/board/users@sha256:{'0' * 64}", True),
        ("123456789012.dkr-ecr.eu-central-1.on.aws/board/users:0123456789ab", True),
        (f"{REGISTRY}/board/users", False),
        (f"{REGISTRY}/board/users:latest", False),
        (f"{REGISTRY}/board/users:0.1.0", False),
        (f"{REGISTRY}/board/users@sha256:abc", False),
        (f"docker.io/board/users:{REVISION}", False),
        ("board/users:0.1.0", False),
    ],
)
def test_an_image_is_pinned_by_its_digest_or_its_revision(
    name: str, image: str, is_pinned: bool
) -> None:
    pattern = template(name)["Parameters"]["Image"]["AllowedPattern"]
    assert bool(re.fullmatch(pattern, image)) is is_pinned


@pytest.mark.parametrize("task", IMAGES)
def test_container_is_read_only_and_unprivileged(deployment: Deployment, task: str) -> None:
    container = _container(deployment, task)
    assert container["ReadonlyRootFilesystem"] is True
    assert container["User"] == re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)[0]
    assert container["LinuxParameters"]["Capabilities"] == {"Drop": ["ALL"]}
    assert container["DockerSecurityOptions"] == ["no-new-privileges"]
    assert "Privileged" not in container


@pytest.mark.parametrize("name", SERVICES)
def test_a_task_listens_on_the_images_port_and_any_port_of_the_instance(
    deployment: Deployment, name: str
) -> None:
    [mapping] = _container(deployment, f"{name}.Task")["PortMappings"]
    assert re.findall(r"^EXPOSE (\d+)$", DOCKERFILE, re.MULTILINE)[0] == str(
        mapping["ContainerPort"]
    )
    assert mapping["HostPort"] == 0
    service = deployment.resource(f"{name}.Service")
    for balanced in service["LoadBalancers"]:
        assert balanced["ContainerPort"] == mapping["ContainerPort"]
        assert balanced["ContainerName"] == _container(deployment, f"{name}.Task")["Name"]


@pytest.mark.parametrize("name", SERVICES)
def test_health_check_depends_on_the_process_alone(deployment: Deployment, name: str) -> None:
    command = _container(deployment, f"{name}.Task")["HealthCheck"]["Command"]
    in_image = re.search(r"CMD \[(.+?), \"/readyz\"\]", DOCKERFILE)
    assert in_image is not None
    assert command == ["CMD", *re.findall(r'"([^"]+)"', in_image[1]), "/livez"]


@pytest.mark.parametrize("name", SERVICES)
def test_stopping_task_loses_no_request(
    deployment: Deployment, name: str, nothing_else: pytest.MonkeyPatch
) -> None:
    settings = _settings(deployment, name, nothing_else)
    container = _container(deployment, f"{name}.Task")
    for balanced in deployment.resource(f"{name}.Service")["LoadBalancers"]:
        group = deployment.resource(balanced["TargetGroupArn"])
        attributes = {entry["Key"]: entry["Value"] for entry in group["TargetGroupAttributes"]}
        deregistration_delay = int(attributes["deregistration_delay.timeout_seconds"])
        interval = group["HealthCheckIntervalSeconds"]
        noticed = interval * group["UnhealthyThresholdCount"] + group["HealthCheckTimeoutSeconds"]
        # The task answers the requests that it has when the load balancer deregisters it.
        assert LONGEST_REQUEST_SECONDS < deregistration_delay < container["StopTimeout"]
        # A task that is not deregistered serves until its health checks have failed.
        assert group["HealthCheckPath"] == "/readyz"
        assert noticed < settings.drain_seconds
        # No request for so long means that its health is not checked any more.
        assert settings.drain_silence_seconds is not None
        assert interval + group["HealthCheckTimeoutSeconds"] <= settings.drain_silence_seconds
        assert settings.drain_silence_seconds < settings.drain_seconds
    # It is never killed before it has stopped by itself.
    assert container["StopTimeout"] > settings.drain_seconds + LONGEST_REQUEST_SECONDS


def test_deploy_stops_a_task_only_after_its_successor_serves(deployment: Deployment) -> None:
    for name in SERVICES:
        service = deployment.resource(f"{name}.Service")
        configuration = service["DeploymentConfiguration"]
        assert configuration["MinimumHealthyPercent"] == 100
        assert configuration["MaximumPercent"] == 200
        assert configuration["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}
        # The time that Aurora takes to resume.
        assert service["HealthCheckGracePeriodSeconds"] > 30


def test_tasks_use_the_capacity_provider(
    deployment: Deployment,
) -> None:
    provider = deployment.output("CapacityProvider")
    for name in SERVICES:
        service = deployment.resource(f"{name}.Service")
        assert "LaunchType" not in service.properties
        [strategy] = service["CapacityProviderStrategy"]
        assert strategy["CapacityProvider"] == provider
    managed = deployment.resource("cluster.CapacityProvider")["AutoScalingGroupProvider"]
    assert managed["ManagedScaling"]["Status"] == managed["ManagedDraining"] == "ENABLED"
    # It would keep the last instances, and so the stack could not be deleted.
    assert managed["ManagedTerminationProtection"] == "DISABLED"
    group = deployment.resource("cluster.AutoScalingGroup")
    assert group["MinSize"] == "0"
    assert "DesiredCapacity" not in group.properties


def _room(deployment: Deployment) -> int:
    """The memory that the tasks on one instance may use together, in MiB."""
    launch = deployment.resource("cluster.LaunchTemplate")["LaunchTemplateData"]
    reserved = re.search(r"ECS_RESERVED_MEMORY=(\d+)", launch["UserData"])
    assert reserved is not None
    return REGISTERED_MIB[launch["InstanceType"]] - int(reserved[1])


def _most(deployment: Deployment) -> int:
    return int(deployment.resource("cluster.AutoScalingGroup")["MaxSize"])


def test_one_instance_has_room_for_all_services_and_one_more_task(
    deployment: Deployment,
) -> None:
    needed = [int(_container(deployment, f"{name}.Task")["Memory"]) for name in SERVICES]
    assert sum(needed) + max(needed) <= _room(deployment)


def test_maximum_number_of_tasks_fits_on_the_instances(deployment: Deployment) -> None:
    on_one = _room(deployment) // max(
        int(_container(deployment, f"{name}.Task")["Memory"]) for name in SERVICES
    )
    most = {
        name: int(deployment.resource(f"{name}.Scaling")["MaxCapacity"])
        for name in SERVICES
        if name != "monolith"
    }
    assert sum(most.values()) <= _most(deployment) * on_one


def test_traces_are_sent_only_if_a_collector_is_named(deployment: Deployment) -> None:
    collector = {"OtlpEndpoint": "http://collector.internal:4318", "TracedShare": "0.5"}
    traced = Deployment(**collector)
    for name in SERVICES:
        found = _environment(traced, f"{name}.Task")
        assert found["OTEL_EXPORTER_OTLP_ENDPOINT"] == collector["OtlpEndpoint"]
        assert found["OTEL_TRACES_SAMPLER_ARG"] == collector["TracedShare"]
        assert not [key for key in _environment(deployment, f"{name}.Task") if "OTEL" in key]


def test_paused_service_has_no_tasks_and_no_scaling() -> None:
    paused = Deployment(Paused="true")
    for name in SERVICES:
        assert paused.resource(f"{name}.Service")["DesiredCount"] == 0
    assert not list(paused.of_kind("ApplicationAutoScaling::ScalableTarget"))
    # A running service's references to the load balancers must not change while there are none.
    up = Deployment()
    for name in SERVICES:
        before, after = (d.resource(f"{name}.Service")["LoadBalancers"] for d in (up, paused))
        assert before == after


@pytest.mark.parametrize(("most", "scales"), [("0", False), ("1", False), ("2", True), ("4", True)])
def test_service_scales_only_if_more_tasks_are_allowed(most: str, scales: bool) -> None:
    deployment = Deployment(MaxCount=most, DesiredCount="1")
    assert bool(list(deployment.of_kind("ApplicationAutoScaling::ScalingPolicy"))) is scales


def test_instances_declare_support_for_security_options(deployment: Deployment) -> None:
    # ContainerDefinition.dockerSecurityOptions in the Amazon ECS API reference.
    launch = deployment.resource("cluster.LaunchTemplate")["LaunchTemplateData"]
    assert "ECS_SELINUX_CAPABLE=true\n" in launch["UserData"]


def test_instances_are_of_the_images_architecture(deployment: Deployment) -> None:
    platform = {
        task["RuntimePlatform"]["CpuArchitecture"]
        for task in deployment.of_kind("ECS::TaskDefinition")
    }
    assert platform == {"X86_64"}
    parameters = template("cluster")["Parameters"]
    assert "arm64" not in parameters["Ami"]["Default"]
    # In AWS's instance types, a g after the generation means Graviton.
    assert not [kind for kind in parameters["InstanceType"]["AllowedValues"] if "g." in kind]


@pytest.mark.parametrize(("count", "spread"), [("1", False), ("2", True), ("5", True)])
def test_single_tasks_are_packed_and_several_are_spread(count: str, spread: bool) -> None:
    # From zero, managed scaling starts two instances at once. With binpack, the second one stays
    # empty and is ended (aws/containers-roadmap#1716).
    for service in Deployment(DesiredCount=count, MaxCount="5").of_kind("ECS::Service"):
        strategies = [one["Type"] for one in service["PlacementStrategies"]]
        assert strategies == (["spread", "binpack"] if spread else ["binpack"])
