"""Differences between topology/ and the files that repeat it in their own languages.

Each function reads one kind of file as its consumer does, and returns a sentence for each
difference, which names both places.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from containers.secret_files import parts
from tests.cloudformation import ROOT, Deployment, template
from topology.contexts import BY_NAME, CALLED, CONTEXT_NAMES, CONTEXTS
from topology.deployments import (
    DEPLOYED_IMAGES,
    DEPLOYMENTS,
    GATEWAY,
    IMAGES,
    MONOLITH,
    OPERATOR,
    OPERATOR_COMMANDS,
    PAGE,
    SERVERS,
    SERVICES,
    calls_of,
    databases_of,
    module,
    tokens_known_by,
)
from topology.routing import (
    LOCAL_PARAMETERS,
    SHARES,
    TARGET_GROUP_SUFFIXES,
    internal_target_group,
    share_parameter,
    target_group,
)
from topology.secrets import SECRETS

CONTEXTS_FILE = "topology/contexts.py"


def _both(declared: Iterable[str], found: Iterable[str], file: str, what: str) -> Iterator[str]:
    """A sentence for each name that only topology/, or only the file, has."""
    declared, found = set(declared), set(found)
    for name in sorted(declared - found):
        yield f"topology/ declares {name}, but {file} has no {what} {name}"
    for name in sorted(found - declared):
        yield f"{file} has the {what} {name}, but topology/ declares no {name}"


def _same(declared: object, found: object, file: str, what: str) -> Iterator[str]:
    if declared != found:
        yield f"topology/ says {declared} of {what}, but {file} says {found}"


def compose(text: str, file: str = "docker-compose.yml") -> list[str]:
    """Compose: services, profiles, images, who calls whom, secrets, targets and shares."""
    document = yaml.load(text, yaml.CSafeLoader)  # much faster than safe_load
    services: Mapping[str, Any] = document["services"]
    gateways = {
        profile: GATEWAY if profile == "microservices" else f"{GATEWAY}-{profile}"
        for profile in DEPLOYMENTS
    }
    consumers = parts(dict.fromkeys(SECRETS, ""), "")
    known = {*SERVERS, *gateways.values(), *OPERATOR_COMMANDS, "prepare", "postgres"}
    found = list(_both(known, services, file, "service"))
    secrets = {"secrets", *(f"secrets-{consumer}" for consumer in consumers)}
    found += _both({"database", "rules", *secrets}, document["volumes"], file, "volume")
    if found:
        return found
    for name in SERVERS:
        service, what = services[name], f"the service {name}"
        profiles = {profile for profile, servers in DEPLOYMENTS.items() if name in servers}
        found += _same(profiles, set(service["profiles"]), file, f"the deployments of {name}")
        found += _same(f"board/{name}:local", service["image"], file, f"the image of {name}")
        found += _same(name, service["build"]["target"], file, f"the stage of {name}")
        urls = {
            BY_NAME[called].service_url.upper(): f"http://{called}:8000"
            for called in calls_of(name)
        }
        environment = {
            key: value
            for key, value in service["environment"].items()
            if key in {context.service_url.upper() for context in CONTEXTS}
        }
        found += _same(urls, environment, file, f"whom {name} calls")
        consumer = "databases" if name == MONOLITH else name
        mounts = [f"secrets-{consumer}:/run/secrets:ro"]
        # Those that serve the page show the shares of the traffic.
        mounts += ["rules:/rules:ro"] if name in (PAGE, MONOLITH) else []
        found += _same(mounts, service.get("volumes", []), file, f"the volumes of {what}")
    mounted = {mount for mount in services["prepare"]["volumes"] if isinstance(mount, str)}
    wanted = {f"secrets-{consumer}:/secrets/{consumer}" for consumer in consumers}
    found += _same(
        sorted({"rules:/rules", "secrets:/secrets/all", *wanted}),
        sorted(mounted),
        file,
        "what prepare fills",
    )
    for profile, gateway in gateways.items():
        found += _compose_gateway(services[gateway], profile, file)
    return found


def _compose_gateway(service: Mapping[str, Any], profile: str, file: str) -> Iterator[str]:
    servers, what = DEPLOYMENTS[profile], f"the gateway of {profile}"
    yield from _same({profile}, set(service["profiles"]), file, f"the profile of {what}")
    yield from _same(
        {*servers, "demo"}, set(service["depends_on"]), file, f"what comes before {what}"
    )
    options = [*service["entrypoint"], *service["command"]]
    targets = {f"{target_group(name)}=http://{name}:8000" for name in servers}
    yield from _same(targets, _options(options, "target"), file, f"the targets of {what}")
    shares: set[str] = set()
    if profile == MONOLITH:
        shares = {f"{share}=0" for share in SHARES}
    elif MONOLITH in servers:
        shares = {f"{share_parameter(s)}=${{{s.upper()}_SHARE:-50}}" for s in SERVICES}
    same = {f"{name}={value}" for name, value in LOCAL_PARAMETERS.items()}
    port = {"ListenerPort=${PORT:-8080}"}
    yield from _same(
        shares | same | port,
        _options(options, "parameter"),
        file,
        f"the parameters of {what}",
    )


def _options(arguments: Iterable[str], name: str) -> set[str]:
    start = f"--{name}="
    return {word.removeprefix(start) for word in arguments if word.startswith(start)}


def dockerfile(text: str, file: str = "Dockerfile") -> list[str]:
    """The Dockerfile: stages, the code in each, what it runs, and the folders of secrets."""
    # A line that ends with a backslash goes on in the next.
    lines = text.replace("\\\n", " ").split("\n")
    stages: dict[str, list[str]] = {}
    for line in lines:
        if start := re.fullmatch(r"FROM \S+ AS (\S+)", line):
            stages[start[1]] = []
        elif stages and line and not line.startswith("#"):
            stages[[*stages][-1]].append(" ".join(line.split()))
    images = {name: body for name, body in stages.items() if _instruction(body, "ENTRYPOINT")}
    found = list(_both(IMAGES, images, file, "stage"))
    if found:
        return found
    for name in (*SERVERS, OPERATOR):
        code = {path for line in _instruction(images[name], "COPY") for path in line.split()[:-1]}
        every = "services/" in code
        copied = {path.split("/")[1] for path in code if re.fullmatch(r"services/\w+/.*", path)}
        contexts = CONTEXT_NAMES if name == OPERATOR else databases_of(name)
        found += _same(
            set(contexts), set(CONTEXT_NAMES) if every else copied, file, f"the contexts in {name}"
        )
        if not every:
            packages = {path.rstrip("/") for path in code if path.endswith("/")}
            found += _same(_packages(contexts), packages & _packages(CONTEXT_NAMES), file,
                           f"the packages of the contexts in {name}")  # fmt: skip
        wanted = f'["python", "-m", "{OPERATOR if name == OPERATOR else module(name)}"]'
        found += _same([wanted], _instruction(images[name], "ENTRYPOINT"), file, f"{name} runs")
    for name in IMAGES:
        titles = re.findall(r'image\.title="board/(\w+)"', " ".join(images[name]))
        found += _same([name], titles, file, f"the title of {name}")
    folders = set(re.findall(r"/secrets/(\w+)", " ".join(images[OPERATOR])))
    consumers = parts(dict.fromkeys(SECRETS, ""), "")
    found += _same(sorted({"all", *consumers}), sorted(folders), file, "the folders of secrets")
    return found


def _packages(contexts: Iterable[str]) -> set[str]:
    """The folders of the packages inside each context's package."""
    return {
        str(path.parent.relative_to(ROOT))
        for context in contexts
        for path in (ROOT / "services" / context).glob("*/__init__.py")
    }


def _instruction(body: Iterable[str], name: str) -> list[str]:
    return [line.removeprefix(f"{name} ") for line in body if line.startswith(f"{name} ")]


def templates(folder: Path, file: str = "infra") -> list[str]:
    """The templates: paths, target groups, shares, repositories, databases, tokens, callers."""
    allowed = template("service", folder)["Parameters"]["Name"]["AllowedValues"]
    found = list(_both(SERVERS, allowed, f"{file}/service.yml", "service"))
    declared = {name for name in template("routing", folder)["Parameters"] if "Share" in name}
    found += _both(SHARES, declared, f"{file}/routing.yml", "parameter")
    secrets = {
        *(f"{context.capitalize()}DatabaseSecret" for context in CONTEXT_NAMES),
        *(f"{context.capitalize()}ServiceSecret" for context in CALLED),
    }
    made = template("data", folder)["Resources"]
    found += _both(
        secrets, (n for n in made if n.endswith("Secret")), f"{file}/data.yml", "resource"
    )
    if found:
        return found
    # Each service has a different share, so that swapped ones are detected.
    shares = {name: str(share) for share, name in enumerate(SHARES)}
    deployment = Deployment(folder, **shares)
    found += _routing(deployment, shares, f"{file}/routing.yml")
    found += _names(deployment, file)
    for name in SERVERS:
        found += _task(deployment, name, f"{file}/service.yml")
    for task, admin in (("BootstrapTask", True), ("MigrateTask", False)):
        wanted = {BY_NAME[context].database_url.upper() for context in CONTEXT_NAMES}
        passwords = {BY_NAME[context].database_password.upper() for context in CONTEXT_NAMES}
        if admin:
            wanted, passwords = (
                wanted | {"ADMIN_DATABASE_URL"},
                passwords | {"ADMIN_DATABASE_PASSWORD"},
            )
        container = deployment.resource(f"operator.{task}")["ContainerDefinitions"][0]
        for key, names in (("Environment", wanted), ("Secrets", passwords)):
            # The time to wait for the database is not in topology/.
            seen = {entry["Name"] for entry in container[key]} - {"DATABASE_WAKES_WITHIN"}
            found += _same(sorted(names), sorted(seen), f"{file}/operator.yml", f"{task}'s {key}")
    return found


def _rules(deployment: Deployment, listener: str) -> dict[str, dict[str, int]]:
    """The weights of the target groups of each path pattern that a listener forwards."""
    found: dict[str, dict[str, int]] = {}
    for rule in deployment.of_kind("ElasticLoadBalancingV2::ListenerRule"):
        [action] = rule["Actions"]
        if rule["ListenerArn"] != f"routing.{listener}" or action["Type"] != "forward":
            continue
        groups = {
            group["TargetGroupArn"].removeprefix("routing."): int(group["Weight"])
            for group in action["ForwardConfig"]["TargetGroups"]
        }
        for condition in rule["Conditions"]:
            for pattern in condition["PathPatternConfig"]["Values"]:
                found[pattern] = groups
    return found


def _routing(deployment: Deployment, shares: Mapping[str, str], file: str) -> Iterator[str]:
    public: dict[str, dict[str, int]] = {}
    internal: dict[str, dict[str, int]] = {}
    for context in CONTEXTS:
        share = int(shares[share_parameter(context.name)])
        weights = {target_group(context.name): share, target_group(MONOLITH): 100 - share}
        for prefix in context.public_prefixes:
            public |= {prefix: weights, f"{prefix}/*": weights}
        if context.name in CALLED:
            internal[f"{context.internal_prefix}/*"] = {internal_target_group(context.name): 1}
    for listener, wanted in (("Listener", public), ("InternalListener", internal)):
        seen = _rules(deployment, listener)
        yield from _both(wanted, seen, file, f"path of {listener}")
        for pattern in wanted.keys() & seen.keys():
            yield from _same(wanted[pattern], seen[pattern], file, f"who answers {pattern}")


def _names(deployment: Deployment, folder: str) -> Iterator[str]:
    """Names on AWS, each with the project's name as prefix."""
    groups = deployment.of_kind("ElasticLoadBalancingV2::TargetGroup")
    suffixes = {group["Name"].removeprefix("board-") for group in groups}
    yield from _both(TARGET_GROUP_SUFFIXES, suffixes, f"{folder}/routing.yml", "target group")
    repositories = deployment.of_kind("ECR::Repository")
    images = {each["RepositoryName"].removeprefix("board/") for each in repositories}
    yield from _both(DEPLOYED_IMAGES, images, f"{folder}/registry.yml", "repository")
    alarms = {alarm["AlarmName"] for alarm in deployment.of_kind("CloudWatch::Alarm")}
    watched = {name[6:-10] for name in alarms if name.endswith("-unhealthy")}
    yield from _both(SERVERS, watched, f"{folder}/observability.yml", "alarm on the health of")
    [dashboard] = deployment.of_kind("CloudWatch::Dashboard")
    for widget in json.loads(dashboard["DashboardBody"])["widgets"]:
        chart = widget["properties"]
        labels = {
            str(e.get("label")) for line in chart["metrics"] for e in line if isinstance(e, dict)
        }
        if labels & set(SERVERS):
            file, what = f"{folder}/observability.yml", f"line in the chart {chart['title']!r} for"
            yield from _both(SERVERS, labels, file, what)


def _task(deployment: Deployment, name: str, file: str) -> Iterator[str]:
    container = deployment.resource(f"{name}.Task")["ContainerDefinitions"][0]
    databases = databases_of(name)
    urls = {
        *(BY_NAME[context].database_url.upper() for context in databases),
        *(BY_NAME[called].service_url.upper() for called in calls_of(name)),
    }
    seen = {entry["Name"] for entry in container["Environment"]}
    seen = {key for key in seen if key.endswith("_URL")}
    yield from _same(sorted(urls), sorted(seen), file, f"the URLs of {name}")
    secrets = {
        *(BY_NAME[context].database_password.upper() for context in databases),
        *(BY_NAME[known].service_token.upper() for known in tokens_known_by(name)),
    }
    held = {entry["Name"] for entry in container.get("Secrets", [])}
    yield from _same(sorted(secrets), sorted(held), file, f"the secrets of {name}")
