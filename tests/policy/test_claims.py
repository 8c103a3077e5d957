"""A trusted proxy's claims, read strictly: a visitor may have written most of them."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.policy.claimed import NEAR, TRUSTED, Head

from sorryd.policy.claims import HOPS, read_claims
from sorryd.policy.forwarding import Forwarding

# --- what is malformed, and what is not -----------------------------------------------------

GOOD = b"198.51.100.7"


@pytest.mark.parametrize(
    "bad",
    [
        b"198.51.100.256", b"198.51.100", b"1.2.3.4:", b"1.2.3.4:123456", b"2001:db8::7::1",
        b"[2001:db8::7", b"2001:db8::7]:80", b"[1.2.3.4]", b"localhost", b"_", b'"198.51.100.7"',
        b"198.51.100.7 198.51.100.8", b"for=1.2.3.4", b"\xff", b"unknown1", b"fe80::1%eth0",
        b"<script>", b"1.2.3.4;x",
    ],
)  # fmt: skip
def test_chain_behind_what_is_malformed(bad: bytes) -> None:
    """What the nearer proxies wrote stays; the rest, which nobody vouches for, goes."""
    lines = [b"X-Forwarded-For: 6.6.6.6, " + bad, b"X-Forwarded-For: " + GOOD]
    assert [node.text for node in read_claims(lines).chain] == [GOOD]
    assert read_claims([b"X-Forwarded-For: " + GOOD + b", " + bad]).chain == ()


@pytest.mark.parametrize(
    "bad",
    [
        b"for=", b"for", b"for=1.2.3.4:80", b"for=2001:db8::7", b'for="2001:db8::7', b'for="',
        b'for="\\1.2.3.4"', b"for=198.51.100.256", b"for=1.2.3.4;for=1.2.3.5", b"for=1.2.3.4;by",
        b"for=1.2.3.4;proto=gopher", b"for=1.2.3.4;host=a/b", b'for=1.2.3.4;host="a b"',
        b"for = 1.2.3.4", b"f(r=1.2.3.4", b'for=1.2.3.4;x="a;b"', b'x="a,b"',
        b'x="a, for=1.2.3.4, b"', b'for="[1.2.3.4]"', b"1.2.3.4",
    ],
)  # fmt: skip
def test_elements_behind_what_is_malformed(bad: bytes) -> None:
    """So it is with Forwarded: not even a quote that was left open hides a nearer proxy's."""
    lines = [b"Forwarded: for=6.6.6.6, " + bad, b"Forwarded: for=" + GOOD]
    assert [element.node.address.encode() for element in read_claims(lines).elements] == [GOOD]
    assert read_claims([b"Forwarded: for=" + GOOD + b", " + bad]).elements == ()


@pytest.mark.parametrize(
    ("line", "node", "proto", "host"),
    [
        (b"Forwarded:;for=198.51.100.7; ;", "198.51.100.7", b"", b""),
        (b'forwarded: For="198.51.100.7:80" ; Proto=HTTPS', "198.51.100.7", b"https", b""),
        (b'Forwarded: for="[2001:DB8::7]:_a";host="[::1]:80"', "2001:db8::7", b"", b"[::1]:80"),
        (b"Forwarded: by=_a;proto=ws;host=a.b", "", b"ws", b"a.b"),
        (b'Forwarded: for="_hidden";x="!\xff "', "", b"", b""),
    ],
)
def test_element(line: bytes, node: str, proto: bytes, host: bytes) -> None:
    """The parameters that matter, in the forms that RFC 7239 §4 and §6 allow."""
    (element,) = read_claims([line]).elements
    assert (element.node.address, element.proto, element.host) == (node, proto, host)


@pytest.mark.parametrize(
    "line",
    [
        b"X-Forwarded-Proto: gopher", b"X-Forwarded-Proto: https;x", b"X-Forwarded-Proto: https,",
        b"X-Forwarded-Host: a b", b"X-Forwarded-Host: a/b", b"X-Forwarded-Host: u@a",
        b"X-Forwarded-Host: :80", b'X-Forwarded-Host: "a"', b"X-Forwarded-Host: a:b",
    ],
)  # fmt: skip
def test_malformed_protocol_or_host(line: bytes) -> None:
    """Is as if it was not sent."""
    assert read_claims([line]) == read_claims([])


def test_endless_chain() -> None:
    """Only the nearest hops are kept, however long a visitor made the chain."""
    hops = [b"10.1.%d.%d" % divmod(at, 256) for at in range(3000)]
    kept = [node.text for node in read_claims([b"X-Forwarded-For: " + b",".join(hops)]).chain]
    assert kept == hops[-HOPS:]
    lines = [b"Forwarded: " + b",".join(b"for=" + hop for hop in hops)]
    assert [e.node.name for e in read_claims(lines).elements] == hops[-HOPS:]


# --- whatever a proxy may pass on -----------------------------------------------------------

NAMES = st.sampled_from(
    [
        b"X-Forwarded-For",
        b"X-Forwarded-Proto",
        b"X-Forwarded-Host",
        b"Forwarded",
        b"x_forwarded-for",
    ]
)
WORDS = st.sampled_from(
    b'for= proto= host= ; , " [ ] :80 2001:db8::7 198.51.100.7 10.0.0.2 unknown _a https http a.b'
    b" \\ \t".split(b" ")
)
ELEMENTS = st.sampled_from(
    b'for=198.51.100.7 for="[2001:db8::7]:80" for=_a for=198.51.100.7;proto=https'
    b" proto=http;host=a for=10.0.0.2;host=a.b;proto=https".split(b" ")
)
NODES = st.sampled_from([b"198.51.100.7", b"2001:db8::7", b"_a", b"10.0.0.2", b"unknown"])
VALUES = st.one_of(
    st.lists(WORDS, max_size=12).map(b"".join),
    st.lists(ELEMENTS, max_size=4).map(b", ".join),
    st.lists(NODES, max_size=4).map(b", ".join),
    st.binary(max_size=30).map(lambda value: value.translate(None, b"\r\n\0")),
)
LINES = st.lists(st.builds(lambda name, value: name + b": " + value, NAMES, VALUES), max_size=4)


@given(LINES)
@example([b"Forwarded: for=198.51.100.7;proto=https;host=evil, for=198.51.100.7"])
@example([b"Forwarded: for=198.51.100.7, for=10.0.0.2;proto=https;host=a"])
def test_both_families_tell_the_same(claims: list[bytes]) -> None:
    """Whatever came in: once each, well-formed, and of the same hops, protocol and host."""
    forwarding = Forwarding(NEAR, False, TRUSTED)
    head = Head(*claims)
    lines = forwarding.lines(head)[:-2].split(b"\r\n")
    names = [line.partition(b":")[0] for line in lines]
    assert names == [b"X-Forwarded-For", b"X-Forwarded-Proto", b"X-Forwarded-Host", b"Forwarded"]
    told = read_claims(lines)
    assert [node.name.partition(b":")[0] for node in told.chain] == [
        element.node.name.partition(b":")[0] for element in told.elements
    ]
    first = next(element for element in told.elements if element.proto)
    assert (first.proto in (b"https", b"wss")) is forwarding.is_secure(head)
    named = next(element for element in told.elements if element.host)
    assert (first.proto, named.host.lower()) == (told.proto, told.host.lower())
    assert told.host == forwarding.host(head)
    assert forwarding.client(head) in [node.address for node in told.chain]
    assert told.chain[-1].address == "10.0.0.1"


@given(LINES)
def test_what_is_told_is_told_on(claims: list[bytes]) -> None:
    """A second sorryd behind the first, which trusts it, believes the same of the client."""
    first, second = (Forwarding(peer, False, TRUSTED) for peer in (NEAR, "10.0.0.2"))
    head = Head(*claims)
    on = Head(*first.lines(head)[:-2].split(b"\r\n"))
    assert second.client(on) == first.client(head)
    assert second.is_secure(on) == first.is_secure(head)
    assert second.host(on) == first.host(head)
