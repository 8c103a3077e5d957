"""Socket names as Twisted's addresses."""

from __future__ import annotations

import pytest
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress

from sorryd.edge.addresses import Address, SocketName, address_of


@pytest.mark.parametrize(
    ("name", "address"),
    [
        pytest.param(("192.0.2.1", 80), IPv4Address("TCP", "192.0.2.1", 80), id="IPv4"),
        pytest.param(("::1", 80, 0, 0), IPv6Address("TCP", "::1", 80), id="IPv6"),
        pytest.param(
            ("::ffff:192.0.2.1", 80, 0, 0), IPv4Address("TCP", "192.0.2.1", 80), id="mapped"
        ),
        pytest.param(("fe80::1%eth0", 80, 0, 2), IPv6Address("TCP", "fe80::1", 80), id="zone"),
        pytest.param("/run/a.sock", UNIXAddress("/run/a.sock"), id="UNIX"),
        pytest.param("", UNIXAddress(None), id="a UNIX socket's peer"),
        pytest.param(b"", UNIXAddress(None), id="... as bytes"),
    ],
)
def test_address_of(name: SocketName, address: Address) -> None:
    """Each kind of name."""
    assert address_of(name) == address
