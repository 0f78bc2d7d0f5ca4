"""network.yml, evaluated as a router and a firewall do it: where packets leave each subnet, and
which groups reach each other."""

import ipaddress
from collections.abc import Iterator, Mapping
from itertools import product

import pytest

from tests.cloudformation import Deployment, Resource, template

NAT_MODES = ("one", "per-zone", "none", "ipv6")
SUBNETS = ("PublicSubnetA", "PublicSubnetB", "PrivateSubnetA", "PrivateSubnetB")
CERTIFICATE = "arn:aws:acm:eu-central-1:123456789012:certificate/0a1b"
_TARGETS = ("GatewayId", "NatGatewayId", "EgressOnlyInternetGatewayId")


def _routes(deployment: Deployment, subnet: str) -> Mapping[str, str]:
    """The subnet's routes out of the network: destination and gateway."""
    [table] = [
        association["RouteTableId"]
        for association in deployment.of_kind("EC2::SubnetRouteTableAssociation")
        if association["SubnetId"] == f"network.{subnet}"
    ]
    found: dict[str, str] = {}
    for route in deployment.of_kind("EC2::Route"):
        if route["RouteTableId"] != table:
            continue
        [destination] = [
            route[name]
            for name in ("DestinationCidrBlock", "DestinationIpv6CidrBlock")
            if name in route.properties
        ]
        [target] = [route[name] for name in _TARGETS if name in route.properties]
        assert destination not in found
        found[destination] = target
    return found


def _way_out(deployment: Deployment, subnet: str, address: str) -> Resource | None:
    """The gateway through which a packet to this outside address leaves the subnet; None if it is
    dropped."""
    to = ipaddress.ip_address(address)
    fitting = {
        network: target
        for destination, target in _routes(deployment, subnet).items()
        if to in (network := ipaddress.ip_network(destination))
    }
    if not fitting:
        return None
    return deployment.resource(fitting[max(fitting, key=lambda network: network.prefixlen)])


@pytest.mark.parametrize(("mode", "paused"), list(product(NAT_MODES, ("false", "true"))))
def test_from_a_private_subnet_ipv6_leaves_only_by_the_egress_only_gateway(
    mode: str, paused: str
) -> None:
    deployment = Deployment(NatMode=mode, Paused=paused)
    for subnet in ("PrivateSubnetA", "PrivateSubnetB"):
        for address in ("2001:4860:4860::8888", "2a05:d000::1", "64:ff9b::808:808"):
            way = _way_out(deployment, subnet, address)
            assert way is not None
            assert way.kind == "AWS::EC2::EgressOnlyInternetGateway"
        assert [route for route in _routes(deployment, subnet) if ":" in route] == ["::/0"]


@pytest.mark.parametrize(
    ("mode", "paused", "ways"),
    [
        ("one", "false", ("NatGatewayA", "NatGatewayA")),
        ("per-zone", "false", ("NatGatewayA", "NatGatewayB")),
        ("none", "false", (None, None)),
        ("ipv6", "false", (None, None)),
        *((mode, "true", (None, None)) for mode in NAT_MODES),
    ],
)
def test_from_a_private_subnet_ipv4_leaves_only_by_nat(
    mode: str, paused: str, ways: tuple[str | None, str | None]
) -> None:
    deployment = Deployment(NatMode=mode, Paused=paused)
    for subnet, way in zip(("PrivateSubnetA", "PrivateSubnetB"), ways, strict=True):
        for address in ("8.8.8.8", "52.95.110.1"):
            found = _way_out(deployment, subnet, address)
            assert (found and found.name) == (way and f"network.{way}")
    made = {nat.name for nat in deployment.of_kind("EC2::NatGateway")}
    assert made == {f"network.{way}" for way in ways if way}
    assert len(list(deployment.of_kind("EC2::EIP"))) == len(made)


@pytest.mark.parametrize("mode", ["one", "per-zone"])
def test_nat_gateways_are_in_the_public_subnet_of_their_zone(mode: str) -> None:
    deployment = Deployment(NatMode=mode)
    for nat in deployment.of_kind("EC2::NatGateway"):
        subnet = deployment.resource(nat["SubnetId"])
        way = _way_out(deployment, subnet.name.removeprefix("network."), "8.8.8.8")
        assert way is not None
        assert way.kind == "AWS::EC2::InternetGateway"
        assert subnet["AvailabilityZone"].endswith(nat.name[-1].lower())


@pytest.mark.parametrize(("mode", "paused"), list(product(NAT_MODES, ("false", "true"))))
def test_from_a_public_subnet_everything_leaves_by_the_internet_gateway(
    mode: str, paused: str
) -> None:
    deployment = Deployment(NatMode=mode, Paused=paused)
    for subnet, address in product(("PublicSubnetA", "PublicSubnetB"), ("8.8.8.8", "2a05::1")):
        way = _way_out(deployment, subnet, address)
        assert way is not None
        assert way.kind == "AWS::EC2::InternetGateway"


def test_subnets_do_not_overlap_and_lie_within_the_network() -> None:
    deployment = Deployment(VpcCidr="172.20.0.0/18")
    subnets = [deployment.resource(f"network.{name}") for name in SUBNETS]
    for family, whole in (
        ("CidrBlock", "172.20.0.0/18"),
        ("Ipv6CidrBlock", "2001:db8:1200::/56"),
    ):
        blocks = [ipaddress.ip_network(subnet[family]) for subnet in subnets]
        assert all(block.subnet_of(ipaddress.ip_network(whole)) for block in blocks)  # type: ignore[arg-type]  # both of one family
        assert not any(
            one.overlaps(other) for one, other in product(blocks, blocks) if one is not other
        )
    assert {ipaddress.ip_network(subnet["Ipv6CidrBlock"]).prefixlen for subnet in subnets} == {64}
    assert all(subnet["AssignIpv6AddressOnCreation"] is True for subnet in subnets)
    for pair in (subnets[:2], subnets[2:]):
        assert len({subnet["AvailabilityZone"] for subnet in pair}) == 2


def test_ipv6_block_is_created_before_the_subnets_that_need_it() -> None:
    resources = template("network")["Resources"]
    needing = {
        name
        for name, resource in resources.items()
        if {"Ipv6CidrBlock", "DestinationIpv6CidrBlock"} & resource["Properties"].keys()
        or resource["Type"] == "AWS::EC2::EgressOnlyInternetGateway"
    }
    assert needing > set(SUBNETS)
    for name in needing:
        depends = resources[name]["DependsOn"]
        assert "Ipv6" in ([depends] if isinstance(depends, str) else depends), name


def test_resources_behind_the_internet_gateway_depend_on_it() -> None:
    # EC2 refuses routes to a gateway that is not attached, and public addresses behind it. It does
    # not detach a gateway while public addresses are behind it.
    resources = template("network")["Resources"]

    def before(name: str) -> set[str]:
        depends = resources[name].get("DependsOn", [])
        direct = {depends} if isinstance(depends, str) else set(depends)
        return direct | {further for one in direct for further in before(one)}

    behind = [
        name
        for name, resource in resources.items()
        if resource["Type"] in ("AWS::EC2::EIP", "AWS::EC2::NatGateway")
        or resource["Properties"].get("GatewayId") == {"Ref": "InternetGateway"}
    ]
    assert len(behind) == 6
    for name in behind:
        assert "InternetGatewayAttachment" in before(name), name


@pytest.mark.parametrize("mode", NAT_MODES)
def test_instances_are_in_public_subnets_only_without_nat(mode: str) -> None:
    deployment = Deployment(NatMode=mode)
    group = deployment.resource("cluster.AutoScalingGroup")
    public = {"network.PublicSubnetA", "network.PublicSubnetB"}
    private = {"network.PrivateSubnetA", "network.PrivateSubnetB"}
    assert set(group["VPCZoneIdentifier"]) == (public if mode == "none" else private)
    for name in SUBNETS:
        gives = deployment.resource(f"network.{name}").properties.get("MapPublicIpOnLaunch", False)
        assert gives is (mode == "none" and name.startswith("Public"))


def test_pause_moves_no_instance() -> None:
    for mode in NAT_MODES:
        before, after = Deployment(NatMode=mode), Deployment(NatMode=mode, Paused="true")
        assert before.output("InstanceSubnets") == after.output("InstanceSubnets")


def test_only_the_public_load_balancer_is_public() -> None:
    deployment = Deployment()
    private = ["network.PrivateSubnetA", "network.PrivateSubnetB"]
    assert deployment.resource("data.SubnetGroup")["SubnetIds"] == private
    internal = deployment.resource("routing.InternalLoadBalancer")
    assert (internal["Scheme"], internal["Subnets"]) == ("internal", private)
    entrance = deployment.resource("routing.LoadBalancer")
    assert entrance["Subnets"] == ["network.PublicSubnetA", "network.PublicSubnetB"]
    assert (entrance["Scheme"], entrance["IpAddressType"]) == ("internet-facing", "dualstack")
    assert deployment.resource("data.DatabaseInstance")["PubliclyAccessible"] is False


def test_client_addresses_are_trusted_from_the_public_load_balancer_alone() -> None:
    deployment = Deployment()
    subnets = [deployment.resource(f"network.PublicSubnet{zone}") for zone in "AB"]
    assert deployment.output("TrustedNetworks").split(",") == [s["CidrBlock"] for s in subnets]


def test_image_layers_bypass_the_nat_gateway() -> None:
    deployment = Deployment()
    [endpoint] = deployment.of_kind("EC2::VPCEndpoint")
    tables = {table.name for table in deployment.of_kind("EC2::RouteTable")}
    assert endpoint["VpcEndpointType"] == "Gateway"
    assert endpoint["ServiceName"] == "com.amazonaws.eu-central-1.s3"
    assert set(endpoint["RouteTableIds"]) == tables


# Which groups reach each other. An edge is (from, to, ports); the Internet is named by its address
# family.

IPV4, IPV6 = "the world over IPv4", "the world over IPv6"
ALB, INTERNAL, INSTANCES, DATABASE = (
    "AlbSecurityGroup",
    "InternalAlbSecurityGroup",
    "InstanceSecurityGroup",
    "DatabaseSecurityGroup",
)
TASKS = (32768, 60999)
EDGES = {
    (IPV4, ALB, (80, 80)),
    (IPV6, ALB, (80, 80)),
    (ALB, INSTANCES, TASKS),
    (INSTANCES, INTERNAL, (80, 80)),
    (INTERNAL, INSTANCES, TASKS),
    (INSTANCES, DATABASE, (5432, 5432)),
    (INSTANCES, IPV4, (443, 443)),
    (INSTANCES, IPV6, (443, 443)),
}

Rule = tuple[str, str, tuple[int, int]]
_NOBODY = "127.0.0.1/32"


def _peers(rule: Mapping[str, object]) -> Iterator[str]:
    """The source or destination of a rule."""
    for name, value in rule.items():
        if name in ("SourceSecurityGroupId", "DestinationSecurityGroupId"):
            yield str(value).removeprefix("network.")
        elif name == "CidrIp" and value != _NOBODY:
            assert value == "0.0.0.0/0"
            yield IPV4
        elif name == "CidrIpv6":
            assert value == "::/0"
            yield IPV6


def _rules(deployment: Deployment, direction: str) -> set[Rule]:
    """What the rules let out of groups (`Egress`) or into them (`Ingress`), as (from, to,
    ports)."""
    written: list[tuple[str, Mapping[str, object]]] = [
        (group.name, rule)
        for group in deployment.of_kind("EC2::SecurityGroup")
        for rule in group.properties.get(f"SecurityGroup{direction}", ())
    ]
    written += [
        (str(rule["GroupId"]), rule.properties)
        for rule in deployment.of_kind(f"EC2::SecurityGroup{direction}")
    ]
    found: set[Rule] = set()
    for group, rule in written:
        name = group.removeprefix("network.")
        for peer in _peers(rule):
            assert rule["IpProtocol"] == "tcp"
            ports = (int(str(rule["FromPort"])), int(str(rule["ToPort"])))
            found.add((name, peer, ports) if direction == "Egress" else (peer, name, ports))
    return found


def _edges(deployment: Deployment) -> set[Rule]:
    """Which groups reach each other: one side's rules let the packet out, and the other's let it
    in."""
    out, into = _rules(deployment, "Egress"), _rules(deployment, "Ingress")
    world = (IPV4, IPV6)
    return {edge for edge in out if edge[1] in world or edge in into} | {
        edge for edge in into if edge[0] in world
    }


@pytest.mark.parametrize("mode", NAT_MODES)
def test_security_groups_allow_exactly_these_connections(mode: str) -> None:
    assert _edges(Deployment(NatMode=mode)) == EDGES


def test_a_certificate_opens_port_443_to_the_world_and_nothing_else() -> None:
    opened = {(IPV4, ALB, (443, 443)), (IPV6, ALB, (443, 443))}
    assert (
        _edges(Deployment(CertificateArn=CERTIFICATE, DomainName="board.example")) == EDGES | opened
    )


def test_clients_reach_the_listener_port() -> None:
    edges = _edges(Deployment(ListenerPort="8080"))
    assert {edge for edge in edges if edge[0] in (IPV4, IPV6)} == {
        (IPV4, ALB, (8080, 8080)),
        (IPV6, ALB, (8080, 8080)),
    }


def test_every_egress_rule_has_its_ingress_rule() -> None:
    deployment = Deployment(CertificateArn=CERTIFICATE, DomainName="board.example")
    world = {IPV4, IPV6}
    out, into = (
        {rule for rule in _rules(deployment, direction) if not world & set(rule[:2])}
        for direction in ("Egress", "Ingress")
    )
    assert out == into


def test_group_without_egress_declares_it() -> None:
    # Without any egress rule, EC2 lets everything out.
    for group in Deployment().of_kind("EC2::SecurityGroup"):
        assert group["SecurityGroupEgress"]


def test_tasks_listen_on_the_ports_that_are_open_to_load_balancers() -> None:
    launch = Deployment().resource("cluster.LaunchTemplate")
    user_data = launch["LaunchTemplateData"]["UserData"]
    assert f"ECS_DYNAMIC_HOST_PORT_RANGE={TASKS[0]}-{TASKS[1]}\n" in user_data


@pytest.mark.parametrize("mode", NAT_MODES)
def test_instances_use_ipv6_alone_only_in_that_mode(mode: str) -> None:
    launch = Deployment(NatMode=mode).resource("cluster.LaunchTemplate")
    user_data = launch["LaunchTemplateData"]["UserData"]
    for switch in (
        "ECS_INSTANCE_IP_COMPATIBILITY=ipv6",
        '"ip6tables": true',
        '"UseDualStackEndpoint": true',
    ):
        assert (switch in user_data) is (mode == "ipv6")
    # The ECS service starts after user data has ended, so user data must not wait for it.
    assert "start ecs" not in user_data


def test_images_can_be_pulled_over_ipv6_alone() -> None:
    image = "123456789012.dkr-ecr.eu-central-1.on.aws/board/users:0123456789ab"
    deployment = Deployment(NatMode="ipv6", Image=image)
    assert deployment.output("RegistryHostOverIpv6") == image.partition("/")[0]
    [container] = deployment.resource("users.Task")["ContainerDefinitions"]
    assert container["Image"] == image


@pytest.mark.parametrize("mode", NAT_MODES)
@pytest.mark.parametrize("paused", ["false", "true"])
def test_tasks_call_aws_only_where_they_can_reach_it(mode: str, paused: str) -> None:
    # The names of SQS and Step Functions have IPv4 addresses only, or both, and a container prefers
    # IPv4 then. A pause changes no task definition.
    deployment = Deployment(NatMode=mode, Paused=paused)
    calling = [
        task.name
        for task in deployment.of_kind("ECS::TaskDefinition")
        if "TaskRoleArn" in task.properties
    ]
    assert calling == ([] if mode == "ipv6" else ["cases.Task"])
    [container] = deployment.resource("cases.Task")["ContainerDefinitions"]
    told = {entry["Name"] for entry in container["Environment"]}
    addresses = {"CASE_STATE_MACHINE_ARN", "CASE_QUEUE"}
    assert told & addresses == (set() if mode == "ipv6" else addresses)


def test_task_cannot_use_the_permissions_of_its_instance() -> None:
    launch = Deployment().resource("cluster.LaunchTemplate")
    options = launch["LaunchTemplateData"]["MetadataOptions"]
    # Behind Docker's bridge, a task is a second hop away.
    assert (options["HttpTokens"], options["HttpPutResponseHopLimit"]) == ("required", 1)
