"""Settings, read from the environment and from files of secrets when a process starts."""

import os
import socket
import sys
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, TypeAlias, TypeVar
from urllib.parse import quote, unquote, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, ValidationInfo
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from kernel.process.logs import LogFormat

Network: TypeAlias = IPv4Network | IPv6Network


def _postgresql_url(url: str, info: ValidationInfo) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"}:
        raise ValueError("must look like postgresql://role:password@host/database")
    password_name = (info.field_name or "").removesuffix("_url") + "_password"
    password = info.data.get(password_name)
    if password is None:
        return url
    role, at, server = parts.netloc.rpartition("@")
    if not role or ":" in role:
        raise ValueError(
            f"must name a role, and no password, when there is {password_name.upper()}"
        )
    return parts._replace(netloc=f"{role}:{quote(password, safe='')}{at}{server}").geturl()


def _http_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must look like http://host:port")
    return url.rstrip("/")


def _http_urls(urls: str) -> str:
    return ",".join(_http_url(url.strip()) for url in urls.split(","))


def _origin(url: str) -> str:
    parts = urlsplit(_http_url(url))
    if parts.path or parts.query or parts.fragment or parts.username:
        raise ValueError("must be scheme, host and port alone, like http://localhost:8080")
    return url.rstrip("/").lower()


def _several(value: object) -> object:
    return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value


def _long_enough(tokens: tuple[str, ...]) -> tuple[str, ...]:
    if any(len(token) < 20 for token in tokens):
        raise ValueError(
            "must be secrets of 20 characters or more, at most two, with a comma between"
        )
    return tokens


DatabasePassword = Annotated[str | None, Field(min_length=1, repr=False)]
"""The password of a database's role, if it is not in the URL."""

DatabaseUrl = Annotated[str, AfterValidator(_postgresql_url), Field(repr=False)]
"""The URL of a context's database, with the context's own role and password.

The password for `NAME_database_url` may be a separate setting, `NAME_database_password`, whose
field must be declared before the URL. The URL's value then includes the password. """

HttpUrl = Annotated[str, AfterValidator(_http_urls)]
"""The URL of another service, or several with commas between: one for each of its copies, if no
name or load balancer stands for all of them."""

CollectorUrl = Annotated[str, AfterValidator(_http_url)]
"""The URL of an OpenTelemetry collector."""

Origin = Annotated[str, AfterValidator(_origin)]
"""The scheme, host and port that browsers use."""

ServiceTokens = Annotated[
    tuple[str, ...],
    NoDecode,
    BeforeValidator(_several),
    AfterValidator(_long_enough),
    Field(min_length=1, max_length=2, repr=False),
]
"""The secrets that a service accepts from its callers, comma-separated. A caller sends the first.

To rotate without failing calls: set `old,new` for the callee, then `new` for its callers, then
`new` for the callee.
"""


def _header_fields(value: object) -> object:
    if not isinstance(value, str):
        return value
    pairs = (pair.partition("=") for pair in value.split(",") if pair.strip())
    return {name.strip(): unquote(text.strip()) for name, _, text in pairs}


OtlpHeaders = Annotated[
    Mapping[str, str], NoDecode, BeforeValidator(_header_fields), Field(repr=False)
]
"""Header fields such as `Authorization=Basic%20Zm9v`, comma-separated, with percent-encoding, as
OpenTelemetry's specification says. They may be secret."""

Networks = Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_several)]
"""Networks in CIDR notation, comma-separated."""


class ProcessSettings(BaseSettings):
    """The settings of every process. Their names are those of the environment variables.

    `trusted_networks` are those of the load balancer, whose `X-Forwarded-For` is trusted. An
    address may send `address_limit` requests in `address_window` seconds. After it was asked to
    stop, a process serves for `drain_seconds`, or less if no request arrives for
    `drain_silence_seconds`, which must be longer than the interval of health checks. The response
    cache takes at most `response_cache_bytes` of memory; 0 turns it off.

    Spans of the share `otel_traces_sampler_arg` of all traces are sent to
    `otel_exporter_otlp_endpoint`, an OpenTelemetry collector, if there is one, with
    `otel_exporter_otlp_headers`. These names are those of OpenTelemetry's specification.
    """

    model_config = SettingsConfigDict(frozen=True, hide_input_in_errors=True)

    host: str = "127.0.0.1"
    port: int = Field(ge=0, le=65535)
    instance: str = Field(default_factory=socket.gethostname, pattern=r"^[A-Za-z0-9._-]{1,64}$")
    show_instance: bool = False
    log_format: LogFormat = "json"
    drain_seconds: float = Field(default=15, ge=0)
    drain_silence_seconds: float | None = Field(default=None, gt=0)
    public_origin: Origin
    trusted_networks: Networks = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
    address_limit: int = Field(default=3000, ge=1)
    address_window: int = Field(default=60, ge=1)
    response_cache_bytes: int = Field(default=32 * 1024 * 1024, ge=0)
    otel_exporter_otlp_endpoint: CollectorUrl | None = None
    otel_exporter_otlp_headers: OtlpHeaders = Field(default_factory=dict, repr=False)
    otel_traces_sampler_arg: float = Field(default=1, ge=0, le=1)


Settings = TypeVar("Settings", bound=BaseSettings)


def load(kind: type[Settings]) -> Settings:
    """The settings of this process: environment variables, and files of the same names in the
    folder that `SETTINGS_DIR` names, if it is set. Ends the process if settings are missing
    or invalid, and names all of them, but not their values, because some are secrets."""
    folder = os.environ.get("SETTINGS_DIR") or None
    if folder is not None and not Path(folder).is_dir():
        sys.exit(f"SETTINGS_DIR: {folder} is not a folder")
    try:
        return kind(_secrets_dir=folder)
    except OSError as error:
        sys.exit(f"SETTINGS_DIR: {error}")
    except ValidationError as error:
        lines = [
            f"  {'.'.join(str(part) for part in wrong['loc'][:1]).upper()}: {wrong['msg']}"
            for wrong in error.errors(include_input=False, include_context=False)
        ]
        sys.exit("\n".join(["The settings of this process are not complete:", *lines]))
