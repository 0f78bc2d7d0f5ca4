"""The address for which a request is counted."""

from ipaddress import ip_network

import pytest

from kernel.http.addresses.client import ClientAddresses

BALANCER = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


def address(peer: str | None, *forwarded: str) -> str:
    """The address of a request from this peer with these `X-Forwarded-For` fields."""
    headers = [(b"x-forwarded-for", field.encode()) for field in forwarded]
    client = None if peer is None else (peer, 1234)
    return ClientAddresses(BALANCER).of({"type": "http", "client": client, "headers": headers})


@pytest.mark.parametrize(
    ("peer", "forwarded", "counted"),
    [
        ("203.0.113.9", (), "203.0.113.9"),
        ("203.0.113.9", ("198.51.100.1",), "203.0.113.9"),
        ("10.1.2.3", ("198.51.100.1",), "198.51.100.1"),
        ("10.1.2.3", ("1.1.1.1, 198.51.100.1",), "198.51.100.1"),
        ("10.1.2.3", ("1.1.1.1", "2.2.2.2,198.51.100.1"), "198.51.100.1"),
        ("10.1.2.3", ("10.9.9.9, nonsense",), "10.1.2.3"),
        ("10.1.2.3", (), "10.1.2.3"),
        ("fd00::1", ("2001:db8:1:2:3::4",), "2001:db8:1:2::/64"),
        ("10.1.2.3", ("[2001:db8:1:2::9]",), "2001:db8:1:2::/64"),
        ("::ffff:10.1.2.3", ("198.51.100.1",), "198.51.100.1"),
        ("2001:db8::5", (), "2001:db8::/64"),
        (None, ("198.51.100.1",), ""),
    ],
)
def test_client_address_is_the_last_hop_added_by_a_trusted_load_balancer(
    peer: str | None, forwarded: tuple[str, ...], counted: str
) -> None:
    assert address(peer, *forwarded) == counted
