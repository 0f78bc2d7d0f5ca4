"""The versions and ciphers of TLS that a listener's ``SslPolicy`` allows.

Source: the tables of "Security policies for your Application Load Balancer" of the AWS guide.
"""

from dataclasses import dataclass
from typing import Final

from gateway.routing.settings import TlsVersion

DEFAULT_POLICY: Final = "ELBSecurityPolicy-2016-08"


@dataclass(frozen=True, slots=True)
class TlsPolicy:
    """``versions`` are the lowest and the highest; ``ciphers`` are those of TLS 1.2, with OpenSSL's
    names, in order of preference.

    TLS 1.0, TLS 1.1 and DES-CBC3-SHA are left out, because OpenSSL no longer has them.
    """

    versions: tuple[TlsVersion, TlsVersion]
    ciphers: tuple[str, ...] = ()


def _without(ciphers: tuple[str, ...], *ends: str) -> tuple[str, ...]:
    return tuple(cipher for cipher in ciphers if not cipher.endswith(ends))


_ALL: Final = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES128-SHA256",
    "ECDHE-RSA-AES128-SHA256",
    "ECDHE-ECDSA-AES128-SHA",
    "ECDHE-RSA-AES128-SHA",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-AES256-SHA384",
    "ECDHE-RSA-AES256-SHA384",
    "ECDHE-RSA-AES256-SHA",
    "ECDHE-ECDSA-AES256-SHA",
    "AES128-GCM-SHA256",
    "AES128-SHA256",
    "AES128-SHA",
    "AES256-GCM-SHA384",
    "AES256-SHA256",
    "AES256-SHA",
)
_SHA2: Final = _without(_ALL, "-SHA")
_FORWARD_SECRET: Final = tuple(cipher for cipher in _ALL if cipher.startswith("ECDHE-"))
_FORWARD_SECRET_SHA2: Final = _without(_FORWARD_SECRET, "-SHA")
_GCM: Final = tuple(cipher for cipher in _FORWARD_SECRET if "-GCM-" in cipher)

_ONLY_1_3: Final = TlsPolicy((TlsVersion.TLS_1_3, TlsVersion.TLS_1_3))


def _both(ciphers: tuple[str, ...]) -> TlsPolicy:
    return TlsPolicy((TlsVersion.TLS_1_2, TlsVersion.TLS_1_3), ciphers)


def _only_1_2(ciphers: tuple[str, ...]) -> TlsPolicy:
    return TlsPolicy((TlsVersion.TLS_1_2, TlsVersion.TLS_1_2), ciphers)


POLICIES: Final = {
    f"ELBSecurityPolicy-{name}": policy
    for names, policy in (
        (("TLS13-1-3-2021-06", "TLS13-1-3-PQ-2025-09"), _ONLY_1_3),
        (("TLS13-1-3-FIPS-2023-04", "TLS13-1-3-FIPS-PQ-2025-09"), _ONLY_1_3),
        (("TLS13-1-2-Res-2021-06", "TLS13-1-2-Res-PQ-2025-09"), _both(_GCM)),
        (("TLS13-1-2-Res-FIPS-2023-04", "TLS13-1-2-Res-FIPS-PQ-2025-09"), _both(_GCM)),
        (("TLS13-1-2-2021-06", "TLS13-1-2-PQ-2025-09"), _both(_FORWARD_SECRET_SHA2)),
        (("TLS13-1-2-FIPS-2023-04", "TLS13-1-2-FIPS-PQ-2025-09"), _both(_FORWARD_SECRET_SHA2)),
        (
            ("TLS13-1-2-Ext0-FIPS-2023-04", "TLS13-1-2-Ext0-FIPS-PQ-2025-09"),
            _both(_FORWARD_SECRET),
        ),
        (("TLS13-1-2-Ext1-2021-06", "TLS13-1-2-Ext1-PQ-2025-09"), _both(_SHA2)),
        (("TLS13-1-2-Ext1-FIPS-2023-04", "TLS13-1-2-Ext1-FIPS-PQ-2025-09"), _both(_SHA2)),
        (("TLS13-1-2-Ext2-2021-06", "TLS13-1-2-Ext2-PQ-2025-09"), _both(_ALL)),
        (("TLS13-1-2-Ext2-FIPS-2023-04", "TLS13-1-2-Ext2-FIPS-PQ-2025-09"), _both(_ALL)),
        (("TLS13-1-1-2021-06", "TLS13-1-1-FIPS-2023-04"), _both(_ALL)),
        (("TLS13-1-0-2021-06", "TLS13-1-0-PQ-2025-09"), _both(_ALL)),
        (("TLS13-1-0-FIPS-2023-04", "TLS13-1-0-FIPS-PQ-2025-09"), _both(_ALL)),
        (("2016-08", "2015-05", "TLS-1-0-2015-04", "TLS-1-1-2017-01"), _only_1_2(_ALL)),
        (("TLS-1-2-Ext-2018-06",), _only_1_2(_ALL)),
        (("TLS-1-2-2017-01",), _only_1_2(_SHA2)),
        (("FS-2018-06", "FS-1-1-2019-08", "FS-1-2-2019-08"), _only_1_2(_FORWARD_SECRET)),
        (("FS-1-2-Res-2019-08",), _only_1_2(_FORWARD_SECRET_SHA2)),
        (("FS-1-2-Res-2020-10",), _only_1_2(_GCM)),
    )
    for name in names
}
"""The policies by name, without those for RFC 9151."""
