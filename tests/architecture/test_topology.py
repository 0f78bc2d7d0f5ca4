"""Compose, the Dockerfile and the templates agree with topology/."""

import shutil
from pathlib import Path

import pytest
import yaml

from tests.architecture.topology_differences import compose, dockerfile, templates
from tests.cloudformation import INFRA, ROOT
from topology.contexts import BY_NAME, CONTEXTS
from topology.deployments import SERVICES, calls_of

COMPOSE = (ROOT / "docker-compose.yml").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def test_compose_agrees_with_the_topology() -> None:
    assert compose(COMPOSE) == []


def test_dockerfile_agrees_with_the_topology() -> None:
    assert dockerfile(DOCKERFILE) == []


def test_templates_agree_with_the_topology() -> None:
    assert templates(INFRA) == []


def test_a_context_calls_only_contexts_declared_before_it() -> None:
    for place, context in enumerate(CONTEXTS):
        assert set(context.calls) <= {earlier.name for earlier in CONTEXTS[:place]}
    for place, service in enumerate(SERVICES):
        assert set(calls_of(service)) <= set(SERVICES[:place])


def test_a_context_has_a_package_and_a_package_is_a_context() -> None:
    packages = {path.parent.name for path in (ROOT / "services").glob("*/__init__.py")}
    assert packages == set(BY_NAME)


def test_a_context_missing_from_compose_is_named_with_both_files() -> None:
    document = yaml.safe_load(COMPOSE)
    del document["services"]["posts"]
    assert "topology/ declares posts, but docker-compose.yml has no service posts" in compose(
        yaml.safe_dump(document)
    )


def test_a_context_missing_from_the_topology_is_named_with_both_files() -> None:
    document = yaml.safe_load(COMPOSE)
    document["services"]["reactions"] = document["services"]["posts"]
    assert compose(yaml.safe_dump(document)) == [
        "docker-compose.yml has the service reactions, but topology/ declares no reactions"
    ]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("profiles: [microservices, strangler]", "profiles: [strangler]", "the deployments of"),
        ("USERS_URL: http://users:8000", "USERS_URL: http://posts:8000", "whom threads calls"),
        ("      THREADS_URL: http://threads:8000\n", "", "whom posts calls"),
        ("secrets-users:/run/secrets:ro", "secrets:/run/secrets:ro", "the volumes of the service"),
        ("secrets-posts:/secrets/posts", "secrets-posts:/secrets/threads", "what prepare fills"),
        ("--target=UsersTargets=http://users", "--target=UsersTargets=http://web", "the targets"),
        ("--parameter=WebShare=0", "--parameter=WebShare=1", "the parameters of the gateway"),
        ("VpcId=vpc-00000000000000000", "VpcId=vpc-1", "the parameters of the gateway"),
        ("image: board/web:local", "image: board/users:local", "the image of web"),
    ],
)
def test_a_difference_in_compose_is_named(old: str, new: str, sentence: str) -> None:
    assert old in COMPOSE
    assert any(sentence in line for line in compose(COMPOSE.replace(old, new)))


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("AS posts\n", "AS reactions\n", "topology/ declares posts, but Dockerfile has no stage"),
        ("AS posts\n", "AS reactions\n", "Dockerfile has the stage reactions, but topology/"),
        ("COPY services/users/*.py services/users/\n", "", "the contexts in users"),
        (
            "COPY services/posts/stores/ services/posts/stores/\n",
            "",
            "the packages of the contexts",
        ),
        ("services.posts.main", "services.users.main", "posts runs"),
        ("/secrets/users /secrets/threads", "/secrets/users", "the folders of secrets"),
    ],
)
def test_a_difference_in_the_dockerfile_is_named(old: str, new: str, sentence: str) -> None:
    assert old in DOCKERFILE
    assert any(sentence in line for line in dockerfile(DOCKERFILE.replace(old, new)))


@pytest.mark.parametrize(
    ("name", "old", "new", "sentence"),
    [
        (
            "service",
            "AllowedValues: [users, threads, posts, cases, web, monolith]",
            "AllowedValues: [users, threads, cases, web, monolith]",
            "topology/ declares posts, but infra/service.yml has no service posts",
        ),
        (
            "service",
            "AllowedValues: [users, threads, posts, cases, web, monolith]",
            "AllowedValues: [users, threads, posts, cases, reactions, web, monolith]",
            "infra/service.yml has the service reactions, but topology/ declares no reactions",
        ),
        ("service", "KnowsThreads: !Or [!Condition IsThreads, !Condition IsPosts, ",
         "KnowsThreads: !Or [!Condition IsThreads, ", "the secrets of posts"),
        ("service", "AsksUsers: !Or [!Condition IsThreads, !Condition IsPosts, ",
         "AsksUsers: !Or [!Condition IsThreads, ", "the URLs of posts"),
        ("routing", "[/api/sessions, /api/sessions/*]", "[/api/session, /api/session/*]",
         "infra/routing.yml has no path of Listener /api/sessions"),
        ("routing", "!FindInMap [Weights, !Ref PostsShare, Service]",
         "!FindInMap [Weights, !Ref ThreadsShare, Service]", "who answers /api/posts"),
        ("routing", "Values: [/internal/users/*]", "Values: [/internal/*]",
         "has no path of InternalListener /internal/users/*"),
        ("routing", "Name: !Sub '${Project}-threads-in'", "Name: !Sub '${Project}-inner'",
         "no target group threads-in"),
        ("registry", "RepositoryName: !Sub '${Project}/posts'",
         "RepositoryName: !Sub '${Project}/post'", "no repository posts"),
        ("data", "ThreadsServiceSecret:\n    Type", "ThreadsSecret:\n    Type",
         "no resource ThreadsServiceSecret"),
        ("operator", "- {Name: ADMIN_DATABASE_PASSWORD, ValueFrom", "- {Name: OTHER, ValueFrom",
         "BootstrapTask's Secrets"),
        ("observability", "AlarmName: !Sub '${Project}-web-unhealthy'",
         "AlarmName: !Sub '${Project}-page-unhealthy'", "no alarm on the health of web"),
        ("observability", '["...", "posts", {"label": "posts"}],', "",
         "has no line in the chart 'Processors of tasks, percent' for posts"),
    ],
)  # fmt: skip
def test_a_difference_in_a_template_is_named(
    tmp_path: Path, name: str, old: str, new: str, sentence: str
) -> None:
    shutil.copytree(INFRA, tmp_path, dirs_exist_ok=True)
    altered = tmp_path / f"{name}.yml"
    text = altered.read_text()
    assert old in text
    altered.write_text(text.replace(old, new))
    assert any(sentence in line for line in templates(tmp_path)), templates(tmp_path)
