"""Who the client is, as far as those who say so are trusted."""

from __future__ import annotations

import pytest
from tests.policy.claimed import HOST, NEAR, TRUSTED, Head

from sorryd.policy.forwarding import Forwarding, Trusted

# --- who the client is ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claim", "client"),
    [
        (b"X-Forwarded-For: 198.51.100.7", "198.51.100.7"),
        (b"X-Forwarded-For: 6.6.6.6, 198.51.100.7", "198.51.100.7"),
        (b"X-Forwarded-For: 6.6.6.6, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
        (b"X-Forwarded-For: 198.51.100.7:567, 10.0.0.2:80", "198.51.100.7"),
        (b"X-Forwarded-For: [2001:DB8:0::7]:567", "2001:db8::7"),
        (b"X-Forwarded-For: 2001:db8::7, 2001:db8:1::2", "2001:db8::7"),
        (b"X-Forwarded-For: ::ffff:198.51.100.7, ::ffff:10.0.0.2", "198.51.100.7"),
        (b"X-Forwarded-For: 10.0.0.3, 10.0.0.2", "10.0.0.3"),
        (b"X-Forwarded-For: 198.51.100.7, unknown", "10.0.0.1"),
        (b"X-Forwarded-For: 198.51.100.7, _hidden:80, 10.0.0.2", "10.0.0.2"),
        (b"X-Forwarded-For:", "10.0.0.1"),
        (b"X-Forwarded-For: , 198.51.100.7,, ", "198.51.100.7"),
        (b'Forwarded: for=6.6.6.6, For="198.51.100.7:_x";by=10.0.0.1', "198.51.100.7"),
        (b'Forwarded: for="[2001:db8::7]", for=10.0.0.2', "2001:db8::7"),
        (b"Forwarded: for=198.51.100.7, proto=https", "10.0.0.1"),
    ],
)
def test_client(claim: bytes, client: str) -> None:
    """The rightmost address that is not trusted; unknown names end the walk."""
    assert Forwarding(NEAR, True, TRUSTED).client(Head(claim)) == client


@pytest.mark.parametrize(
    ("claims", "is_secure"),
    [
        ((b"X-Forwarded-Proto: https",), True),
        ((b"X-Forwarded-Proto: wss",), True),
        ((b"X-Forwarded-Proto: http",), False),
        ((b"X-Forwarded-Proto: gopher",), None),
        ((b"X-Forwarded-Port: 443",), None),
        ((b"Forwarded: for=6.6.6.6;proto=https, for=198.51.100.7;proto=http",), False),
        ((b"Forwarded: for=198.51.100.7;proto=https, for=10.0.0.2;proto=http",), True),
        ((), None),
    ],
)
def test_is_secure(claims: tuple[bytes, ...], is_secure: bool | None) -> None:
    """As the client asked, not the last proxy; None: as is seen."""
    for tls in (False, True):
        forwarding = Forwarding(NEAR, tls, TRUSTED)
        assert forwarding.is_secure(Head(*claims)) == (tls if is_secure is None else is_secure)


def test_host_that_the_client_asked() -> None:
    """Is what a trusted proxy says it was."""
    forwarding = Forwarding(NEAR, False, TRUSTED)
    assert forwarding.host(Head(b"X-Forwarded-Host: a:8443")) == b"a:8443"
    assert forwarding.host(Head(b"Forwarded: for=198.51.100.7;host=b")) == b"b"
    assert forwarding.host(Head(b"X-Forwarded-For: 198.51.100.7")) == HOST


# --- trust ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "is_believed"),
    [
        ("10.255.0.1", True), ("11.0.0.1", False), ("::ffff:10.0.0.1", True),
        ("2001:db8:1::9", True), ("2001:db8:2::9", False), ("172.16.5.1", True),
        ("fe80::1%eth0", True), ("", False), ("unix", False), ("nonsense", False),
    ],
)  # fmt: skip
def test_trusted(address: str, is_believed: bool) -> None:
    """By network, mapped addresses as the IPv4 ones that they are."""
    networks = ("10.0.0.0/8", "2001:db8:1::/48", "::ffff:172.16.0.0/108", "fe80::/10")
    assert Trusted(networks).believes(address) is is_believed
    assert not Trusted().believes(address)


def test_trusted_on_unix_sockets() -> None:
    """They have no address; the word for them is no network."""
    assert Trusted(("unix",)).believes("")
    assert not Trusted(("unix",)).believes("127.0.0.1")
    with pytest.raises(ValueError, match="loopback"):
        Trusted(("loopback",))
