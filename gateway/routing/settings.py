"""A template's routing settings as checked, complete values, independent of CloudFormation."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gateway.http1.desync import DesyncMode
from gateway.routing.rules import Rules


class Algorithm(StrEnum):
    """How a group's next target is chosen: the attribute ``load_balancing.algorithm.type``."""

    ROUND_ROBIN = "round_robin"
    LEAST_OUTSTANDING_REQUESTS = "least_outstanding_requests"
    WEIGHTED_RANDOM = "weighted_random"


class ForwardedForMode(StrEnum):
    """The attribute ``routing.http.xff_header_processing.mode``."""

    APPEND = "append"
    PRESERVE = "preserve"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class HealthCheckSettings:
    """How the targets of one group are checked. Times are in seconds."""

    path: str
    port: int | None
    """None is the target's own port (``traffic-port``)."""
    interval: float
    timeout: float
    healthy_threshold: int
    unhealthy_threshold: int
    matcher: frozenset[int]
    enabled: bool = True
    """Only for functions it may be False; they are then healthy at once."""


@dataclass(frozen=True, slots=True)
class Stickiness:
    """How long a session stays with its target, in seconds.

    ``app_cookie`` is the name of the application's cookie; None means the load balancer's.
    """

    duration: int
    app_cookie: str | None = None


@dataclass(frozen=True, slots=True)
class FunctionSettings:
    """The settings of a target group whose targets are Lambda functions.

    ``multi_value``: the attribute ``lambda.multi_value_headers.enabled``.
    """

    group_arn: str
    multi_value: bool = False


@dataclass(frozen=True, slots=True)
class TargetGroupSettings:
    """One target group; ``logical_id`` is its name in the template."""

    logical_id: str
    ipv6: bool
    health_check: HealthCheckSettings
    deregistration_delay: float
    algorithm: Algorithm = Algorithm.ROUND_ROBIN
    slow_start: float = 0
    """Seconds in which a new target's share grows to the full share; 0 is off."""
    stickiness: Stickiness | None = None
    minimum_healthy_count: int = 1
    """With fewer healthy targets, requests also go to unhealthy ones."""
    minimum_healthy_percentage: int | None = None
    """The same, in percent of the registered targets; None is off."""
    function: FunctionSettings | None = None
    """Set when the targets are Lambda functions."""


@dataclass(frozen=True, slots=True)
class LoadBalancerSettings:
    """The load balancer's own attributes. Times are in seconds.

    Source: "Edit attributes for your Application Load Balancer" of the AWS guide.
    """

    logical_id: str
    idle_timeout: float
    client_keep_alive: float
    desync_mode: DesyncMode = DesyncMode.DEFENSIVE
    drop_invalid_header_fields: bool = False
    preserve_host_header: bool = False
    tls_headers: bool = False
    forwarded_for: ForwardedForMode = ForwardedForMode.APPEND
    forwarded_for_port: bool = False
    http2: bool = True


class TlsVersion(StrEnum):
    """Earlier versions are not supported, whatever the policy allows, because OpenSSL lacks
    them."""

    TLS_1_2 = "TLSv1.2"
    TLS_1_3 = "TLSv1.3"


@dataclass(frozen=True, slots=True)
class ListenerSettings:
    """One listener; ``logical_id`` is its name in the template."""

    logical_id: str
    port: int
    rules: Rules
    certificates: tuple[str, ...] = ()
    """The values of CertificateArn: an ARN, or the logical id of the certificate's resource. An
    HTTPS listener has at least one, of which the first is the default; an HTTP listener has
    none."""
    tls_versions: tuple[TlsVersion, TlsVersion] = (TlsVersion.TLS_1_2, TlsVersion.TLS_1_3)
    """The lowest and the highest."""
    ciphers: tuple[str, ...] = ()
    """The ciphers of TLS 1.2, with OpenSSL's names, in order of preference."""
    response_headers: tuple[tuple[str, str], ...] = ()
    """Headers of every response; they replace the target's."""
    server_header: bool = True
    """Whether the load balancer's own answers have ``Server: awselb/2.0``."""

    @property
    def protocol(self) -> str:
        """``HTTP`` or ``HTTPS``."""
        return "HTTPS" if self.certificates else "HTTP"


@dataclass(frozen=True, slots=True)
class Routing:
    """A load balancer with its listeners, rules and target groups."""

    load_balancer: LoadBalancerSettings
    listeners: tuple[ListenerSettings, ...]
    target_groups: Mapping[str, TargetGroupSettings]

    @property
    def listener_port(self) -> int:
        """The first listener's port."""
        return self.listeners[0].port

    @property
    def rules(self) -> Rules:
        """The first listener's rules."""
        return self.listeners[0].rules
