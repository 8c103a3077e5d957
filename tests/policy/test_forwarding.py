"""What a member is told of where a request came from, and whom that is believed of."""

from __future__ import annotations

import pytest
from tests.policy.claimed import HOST, NEAR, TRUSTED, Head

from sorryd.policy.forwarding import Forwarding, Trusted


def told(peer: str, *claims: bytes, host: bytes = HOST, tls: bool = False) -> list[bytes]:
    """The lines that a member gets of a request through `peer`."""
    lines = Forwarding(peer, tls, TRUSTED).lines(Head(*claims, host=host))
    assert lines.endswith(b"\r\n")
    return lines[:-2].split(b"\r\n")


# --- strangers ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "tls", "host", "fields"),
    [
        pytest.param(
            "192.0.2.1", False, b"shop.example.com",
            [b"X-Forwarded-For: 192.0.2.1", b"X-Forwarded-Proto: http",
             b"X-Forwarded-Host: shop.example.com",
             b'Forwarded: for=192.0.2.1;host="shop.example.com";proto=http'],
            id="IPv4",
        ),
        pytest.param(
            "2001:db8::1", True, b"[::1]:8443",
            [b"X-Forwarded-For: 2001:db8::1", b"X-Forwarded-Proto: https",
             b"X-Forwarded-Host: [::1]:8443",
             b'Forwarded: for="[2001:db8::1]";host="[::1]:8443";proto=https'],
            id="IPv6 and TLS",
        ),
        pytest.param(
            "fe80::1%eth0", False, b"a",
            [b"X-Forwarded-For: fe80::1", b"X-Forwarded-Proto: http", b"X-Forwarded-Host: a",
             b'Forwarded: for="[fe80::1]";host="a";proto=http'],
            id="link-local",
        ),
        pytest.param(
            "::ffff:192.0.2.1", False, b"a",
            [b"X-Forwarded-For: 192.0.2.1", b"X-Forwarded-Proto: http", b"X-Forwarded-Host: a",
             b'Forwarded: for=192.0.2.1;host="a";proto=http'],
            id="IPv4 mapped into IPv6",
        ),
        pytest.param(
            "192.0.2.1", False, b"",
            [b"X-Forwarded-For: 192.0.2.1", b"X-Forwarded-Proto: http",
             b"Forwarded: for=192.0.2.1;proto=http"],
            id="no Host",
        ),
        pytest.param(
            "", False, b"a",
            [b"X-Forwarded-Proto: http", b"X-Forwarded-Host: a",
             b'Forwarded: for=unknown;host="a";proto=http'],
            id="UNIX socket",
        ),
    ],
)  # fmt: skip
def test_what_is_seen(address: str, tls: bool, host: bytes, fields: list[bytes]) -> None:
    """Who asked, for what, and how, as Apache and HAProxy tell it, and as RFC 7239 does."""
    assert told(address, host=host, tls=tls) == fields


def test_a_stranger_is_not_believed() -> None:
    """Whatever it claims, a member is told what is seen, and so is the rest of sorryd."""
    forwarding = Forwarding("192.0.2.1", False, TRUSTED)
    liar = Head(
        b"X-Forwarded-For: 6.6.6.6", b"X-Forwarded-Proto: https", b"X-Forwarded-Host: evil",
        b"Forwarded: for=6.6.6.6", b"X-Real-IP: 6.6.6.6", b"X-Forwarded-Port: 443",
    )  # fmt: skip
    assert forwarding.lines(liar) == forwarding.lines(Head())
    assert (forwarding.client(liar), forwarding.is_secure(liar)) == ("192.0.2.1", False)
    assert forwarding.host(liar) == HOST


def test_another_host() -> None:
    """A visitor may ask for one host and then for another on the same connection."""
    forwarding = Forwarding("192.0.2.1", False, Trusted())
    first, second = forwarding.lines(Head(host=b"a")), forwarding.lines(Head(host=b"b"))
    assert b"X-Forwarded-Host: b\r\n" in second
    assert forwarding.lines(Head(host=b"a")) == first
    fresh = Forwarding("192.0.2.1", False, Trusted())
    assert forwarding.lines(Head(host=b"")) == fresh.lines(Head(host=b""))


@pytest.mark.parametrize("tls", [False, True])
def test_for_all_connections(tls: bool) -> None:
    """Connections of one peer share what is told of it; those over TLS are told as such."""
    trusted = Trusted(["10.0.0.0/8"])
    shared = trusted.forwarding("192.0.2.1", tls)
    assert trusted.forwarding("192.0.2.1", tls) is shared
    assert shared.lines(Head()) == Forwarding("192.0.2.1", tls, trusted).lines(Head())
    assert trusted.forwarding("192.0.2.1", not tls).lines(Head()) != shared.lines(Head())
    assert trusted.forwarding("192.0.2.2", tls).lines(Head()) != shared.lines(Head())
    assert (shared.is_believed, trusted.forwarding("10.0.0.1", tls).is_believed) == (False, True)


# --- trusted proxies ------------------------------------------------------------------------

OURS = b'for=10.0.0.1;host="shop.example";proto=http'


@pytest.mark.parametrize(
    ("claims", "fields"),
    [
        pytest.param(
            (b"x-forwarded-FOR:198.51.100.7 ,10.0.0.2:567",),
            [b"X-Forwarded-For: 198.51.100.7, 10.0.0.2:567, 10.0.0.1", b"X-Forwarded-Proto: http",
             b"X-Forwarded-Host: shop.example",
             b'Forwarded: for=198.51.100.7;host="shop.example";proto=http, for=10.0.0.2, ' + OURS],
            id="a chain",
        ),
        pytest.param(
            (b"X-Forwarded-For: 6.6.6.6, [2001:db8::7]:80", b"X-Forwarded-Proto: HTTPS",
             b"X-Forwarded-Host: a:8443"),
            [b"X-Forwarded-For: 6.6.6.6, [2001:db8::7]:80, 10.0.0.1", b"X-Forwarded-Proto: https",
             b"X-Forwarded-Host: a:8443",
             b'Forwarded: for=6.6.6.6, for="[2001:db8::7]";host="a:8443";proto=https, ' + OURS],
            id="all three, and a chain that the client began",
        ),
        pytest.param(
            (b'Forwarded: for="[2001:db8::7]:80";proto=https;by=_x, FOR=10.0.0.2',),
            [b"X-Forwarded-For: 2001:db8::7, 10.0.0.2, 10.0.0.1", b"X-Forwarded-Proto: https",
             b"X-Forwarded-Host: shop.example",
             b'Forwarded: for="[2001:db8::7]:80";proto=https;by=_x;host="shop.example",'
             b" FOR=10.0.0.2, " + OURS],
            id="Forwarded alone",
        ),
        pytest.param(
            (b"Forwarded: for=198.51.100.7", b"Forwarded: host=b;proto=https"),
            [b"X-Forwarded-For: 198.51.100.7, unknown, 10.0.0.1", b"X-Forwarded-Proto: https",
             b"X-Forwarded-Host: b",
             b"Forwarded: for=198.51.100.7, host=b;proto=https, " + OURS],
            id="a hop without a name",
        ),
        pytest.param(
            (b"X-Forwarded-For: 198.51.100.7", b"X-Forwarded-Proto: https",
             b'Forwarded: for="198.51.100.7:80";proto=https;secret=x'),
            [b"X-Forwarded-For: 198.51.100.7, 10.0.0.1", b"X-Forwarded-Proto: https",
             b"X-Forwarded-Host: shop.example",
             b'Forwarded: for="198.51.100.7:80";proto=https;secret=x;host="shop.example", '
             + OURS],
            id="both, and they agree",
        ),
        pytest.param(
            (b"X-Forwarded-For: 198.51.100.7", b"Forwarded: for=6.6.6.6;proto=https;host=evil"),
            [b"X-Forwarded-For: 198.51.100.7, 10.0.0.1", b"X-Forwarded-Proto: http",
             b"X-Forwarded-Host: shop.example",
             b'Forwarded: for=198.51.100.7;host="shop.example";proto=http, ' + OURS],
            id="both, with other hops",
        ),
        pytest.param(
            (b"X-Forwarded-Proto: https", b"Forwarded: for=198.51.100.7;proto=http"),
            [b"X-Forwarded-For: 198.51.100.7, 10.0.0.1", b"X-Forwarded-Proto: https",
             b"X-Forwarded-Host: shop.example",
             b'Forwarded: for=198.51.100.7;host="shop.example";proto=https, ' + OURS],
            id="both, with other protocols",
        ),
        pytest.param(
            (b"X-Forwarded-Host: a", b"Forwarded: for=198.51.100.7"),
            [b"X-Forwarded-For: 198.51.100.7, 10.0.0.1", b"X-Forwarded-Proto: http",
             b"X-Forwarded-Host: a",
             b'Forwarded: for=198.51.100.7;host="a";proto=http, ' + OURS],
            id="both, and one says more",
        ),
        pytest.param(
            (b"Forwarded: for=6.6.6.6;proto=https;host=evil, for=198.51.100.7,"
             b" for=10.0.0.2;proto=ws",),
            [b"X-Forwarded-For: 6.6.6.6, 198.51.100.7, 10.0.0.2, 10.0.0.1",
             b"X-Forwarded-Proto: http", b"X-Forwarded-Host: shop.example",
             b'Forwarded: for=6.6.6.6, for=198.51.100.7;host="shop.example";proto=http,'
             b" for=10.0.0.2;proto=ws, " + OURS],
            id="what a stranger says of protocol and host",
        ),
        pytest.param(
            (b"X-Forwarded-Proto: https", b"X-Forwarded-Host: a"),
            [b"X-Forwarded-For: 10.0.0.1", b"X-Forwarded-Proto: https", b"X-Forwarded-Host: a",
             b'Forwarded: for=10.0.0.1;host="a";proto=https'],
            id="no chain: the proxy speaks of itself",
        ),
        pytest.param(
            (b"X-Forwarded-Port: 443", b"X-Real-IP: 198.51.100.7", b"x-forwarded-ssl:on"),
            [b"X-Forwarded-For: 10.0.0.1", b"X-Forwarded-Proto: http",
             b"X-Forwarded-Host: shop.example", b"Forwarded: " + OURS,
             b"X-Forwarded-Port: 443", b"X-Real-IP: 198.51.100.7", b"x-forwarded-ssl:on"],
            id="others",
        ),
        pytest.param(
            (b"X-Forwarded_For: 6.6.6.6", b"X_FORWARDED_PORT: 1", b"X-Forwarded_Proto: https"),
            [b"X-Forwarded-For: 10.0.0.1", b"X-Forwarded-Proto: http",
             b"X-Forwarded-Host: shop.example", b"Forwarded: " + OURS],
            id="underscores",
        ),
        pytest.param(
            (b"X-Forwarded-Proto: http", b"X-Forwarded-Proto: http, https",
             b"X-Forwarded-Host: evil", b"X-Forwarded-Host: a"),
            [b"X-Forwarded-For: 10.0.0.1", b"X-Forwarded-Proto: https", b"X-Forwarded-Host: a",
             b'Forwarded: for=10.0.0.1;host="a";proto=https'],
            id="repeated: the last is the proxy's own",
        ),
    ],
)  # fmt: skip
def test_a_proxy_is_believed(claims: tuple[bytes, ...], fields: list[bytes]) -> None:
    """What it says is kept, what we see is put behind it, and both families tell the same."""
    assert told(NEAR, *claims) == fields


def test_a_proxy_on_a_unix_socket() -> None:
    """It has no address to add to a chain, and none to show in Forwarded."""
    assert told("", b"X-Forwarded-For: 198.51.100.7", b"X-Forwarded-Proto: https") == [
        b"X-Forwarded-For: 198.51.100.7", b"X-Forwarded-Proto: https",
        b"X-Forwarded-Host: shop.example",
        b'Forwarded: for=198.51.100.7;host="shop.example";proto=https, '
        b'for=unknown;host="shop.example";proto=http',
    ]  # fmt: skip


def test_each_request_has_its_own_claims() -> None:
    """One proxy's connection carries the requests of many."""
    forwarding = Forwarding(NEAR, False, TRUSTED)
    first, second = Head(b"X-Forwarded-For: 198.51.100.7"), Head(b"X-Forwarded-For: 198.51.100.8")
    seen = [forwarding.client(head) for head in (first, second, first, Head(), second)]
    assert [name.rpartition(".")[2] for name in seen] == ["7", "8", "7", "1", "8"]
    assert b"198.51.100.8, 10.0.0.1" in forwarding.lines(second)
