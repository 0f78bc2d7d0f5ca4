"""Reads listeners and the load balancer.

Attributes and defaults: the Elastic Load Balancing API reference of version 2015-12-01. TLS
versions of a policy: "Security policies for your Application Load Balancer" of the AWS guide.
"""

from typing import Final

from gateway.http1.desync import DesyncMode
from gateway.routing.rules import Rule, Rules
from gateway.routing.settings import (
    ForwardedForMode,
    ListenerSettings,
    LoadBalancerSettings,
)
from gateway.template.resources import attributes
from gateway.template.resources.actions import read_actions
from gateway.template.resources.kinds import NAMED_MEANINGLESS, Kinds
from gateway.template.resources.properties import Properties
from gateway.template.resources.tls_policies import DEFAULT_POLICY, POLICIES, TlsPolicy

_LOAD_BALANCER_MEANINGLESS: Final = {
    **NAMED_MEANINGLESS,
    "Ipv4IpamPoolId": "a laptop has no pools of addresses",
    "MinimumLoadBalancerCapacity": "a laptop's capacity is what it is",
    "Scheme": "--bind says who can reach the gateway",
    "SecurityGroups": "a laptop has no security groups",
    "Subnets": "a laptop has no subnets",
    "SubnetMappings": "a laptop has no subnets",
}


def read_load_balancer(logical_id: str, properties: Properties) -> LoadBalancerSettings:
    """Reads an AWS::ElasticLoadBalancingV2::LoadBalancer."""
    properties.only("Type", "application")
    # --bind sets the addresses to listen on; this only limits what target groups may be.
    properties.only("IpAddressType", "ipv4", "dualstack", "dualstack-without-public-ipv4")
    read = attributes.read_attributes(
        properties, "LoadBalancerAttributes", attributes.LOAD_BALANCER
    )
    properties.close(_LOAD_BALANCER_MEANINGLESS)
    return LoadBalancerSettings(
        logical_id,
        idle_timeout=read.number("idle_timeout.timeout_seconds"),
        client_keep_alive=read.number("client_keep_alive.seconds"),
        desync_mode=DesyncMode(read.text("routing.http.desync_mitigation_mode")),
        drop_invalid_header_fields=read.flag("routing.http.drop_invalid_header_fields.enabled"),
        preserve_host_header=read.flag("routing.http.preserve_host_header.enabled"),
        tls_headers=read.flag("routing.http.x_amzn_tls_version_and_cipher_suite.enabled"),
        forwarded_for=ForwardedForMode(read.text("routing.http.xff_header_processing.mode")),
        forwarded_for_port=read.flag("routing.http.xff_client_port.enabled"),
        http2=read.flag("routing.http2.enabled"),
    )


def read_listener(
    logical_id: str,
    properties: Properties,
    rules: list[Rule],
    kinds: Kinds,
    more_certificates: tuple[str, ...] = (),
    *,
    identities: bool,
) -> ListenerSettings:
    """Reads an AWS::ElasticLoadBalancingV2::Listener with its ``rules`` and ``more_certificates``;
    its load balancer has been read. ``identities``: whether there is a file of users."""
    protocol = properties.only("Protocol", "HTTP", "HTTPS").upper()
    if not properties.has("Port") and not properties.failed("Port"):
        properties.problem(properties.line, "Port is needed")
    port = properties.integer("Port", 1, 65535, 80)
    sign_in, default = read_actions(
        properties, "DefaultActions", kinds, protocol, identities=identities
    )
    read = attributes.read_attributes(properties, "ListenerAttributes", attributes.LISTENER)
    _check_clients_need_no_certificate(properties)
    certificates: tuple[str, ...] = ()
    policy = POLICIES[DEFAULT_POLICY]
    if protocol == "HTTPS":
        certificates, policy = _tls(properties)
        certificates = tuple(dict.fromkeys(certificates + more_certificates))
    else:
        _check_no_tls(properties)
    properties.close()
    headers = {
        header: read.text(attribute) for attribute, header in attributes.RESPONSE_HEADERS.items()
    }
    return ListenerSettings(
        logical_id,
        port,
        Rules(rules, default, sign_in),
        certificates=certificates,
        tls_versions=policy.versions,
        ciphers=policy.ciphers,
        response_headers=tuple((name, value) for name, value in headers.items() if value),
        server_header=read.flag("routing.http.response.server.enabled"),
    )


def read_certificates(properties: Properties) -> tuple[str, ...]:
    """The certificates in property ``Certificates``, by ARN or by resource name."""
    certificates: list[str] = []
    for section in properties.sections("Certificates"):
        certificates.append(section.name_of("CertificateArn") or "-")
        section.close()
    return tuple(certificates)


def _check_no_tls(properties: Properties) -> None:
    for name, empty in (
        ("Certificates", not properties.sections("Certificates")),
        ("SslPolicy", not properties.has("SslPolicy")),
    ):
        if not empty:
            properties.problem(properties.line_of(name), f"an HTTP listener has no {name}")


def _check_clients_need_no_certificate(properties: Properties) -> None:
    section = properties.section("MutualAuthentication")
    if section is not None:
        section.only("Mode", "off")
        section.close()


def _tls(properties: Properties) -> tuple[tuple[str, ...], TlsPolicy]:
    certificates = read_certificates(properties)
    if len(certificates) != 1:
        properties.problem(
            properties.line_of("Certificates"), "an HTTPS listener needs exactly one certificate"
        )
    name = properties.text("SslPolicy", DEFAULT_POLICY) or DEFAULT_POLICY
    policy = POLICIES.get(name)
    if policy is None:
        properties.not_here(
            properties.line_of("SslPolicy"), f"SslPolicy {name!r} is not implemented"
        )
        policy = POLICIES[DEFAULT_POLICY]
    return certificates or ("-",), policy
