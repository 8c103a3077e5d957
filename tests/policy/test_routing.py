"""Which site a Host is for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorryd.policy.routing import LONGEST_NAME, Routes, host_name, without_port


@pytest.mark.parametrize(
    ("host", "bare", "name"),
    [
        pytest.param(b"shop.example", b"shop.example", b"shop.example", id="plain"),
        pytest.param(b"Shop.EXAMPLE", b"Shop.EXAMPLE", b"shop.example", id="letters' case"),
        pytest.param(b"shop.example:8080", b"shop.example", b"shop.example", id="port"),
        pytest.param(b"shop.example:", b"shop.example", b"shop.example", id="empty port"),
        pytest.param(b"shop.example.", b"shop.example.", b"shop.example", id="last dot"),
        pytest.param(b"shop.example.:80", b"shop.example.", b"shop.example", id="dot and port"),
        pytest.param(b"shop.example..", b"shop.example..", b"shop.example.", id="two dots"),
        pytest.param(b"192.0.2.1:80", b"192.0.2.1", b"192.0.2.1", id="IPv4"),
        pytest.param(b"[2001:DB8::1]:80", b"[2001:DB8::1]", b"[2001:db8::1]", id="IPv6"),
        pytest.param(b"[2001:db8:0::0:1]", b"[2001:db8:0::0:1]", b"[2001:db8::1]", id="long IPv6"),
        pytest.param(b"[1:2]:80", b"[1:2]", b"[1:2]", id="no IPv6"),
        pytest.param(b"", b"", b"", id="none"),
        pytest.param(b":80", b"", b"", id="port alone"),
    ],
)
def test_host_name(host: bytes, bare: bytes, name: bytes) -> None:
    """A Host may have a port, capitals and a last dot: the name has none of them."""
    assert without_port(host) == bare
    assert host_name(host) == name


SITES = [
    ["first.example"],
    ["shop.example", "*.shop.example"],
    ["*.eu.shop.example", "*.example"],
    ["pay.shop.example", "192.0.2.1", "[2001:db8::1]"],
]


@pytest.mark.parametrize(
    ("name", "place"),
    [
        pytest.param(b"shop.example", 1, id="exact"),
        pytest.param(b"www.shop.example", 1, id="wildcard"),
        pytest.param(b"a.b.shop.example", 1, id="wildcard, two labels"),
        pytest.param(b"pay.shop.example", 3, id="exact before wildcard"),
        pytest.param(b"a.pay.shop.example", 1, id="below an exact name"),
        pytest.param(b"de.eu.shop.example", 2, id="longest wildcard"),
        pytest.param(b"eu.shop.example", 1, id="not the wildcard's own name"),
        pytest.param(b"other.example", 2, id="short wildcard"),
        pytest.param(b"example", 0, id="the name of a wildcard without its exact name"),
        pytest.param(b".shop.example", 2, id="an empty label is none"),
        pytest.param(b"shop.example.com", 0, id="the beginning of a name"),
        pytest.param(b"myshop.example", 2, id="the end of a label"),
        pytest.param(b"192.0.2.1", 3, id="IPv4"),
        pytest.param(b"[2001:db8::1]", 3, id="IPv6"),
        pytest.param(b"nobody.test", 0, id="nobody's"),
        pytest.param(b"", 0, id="none"),
        pytest.param(b"x." * 120 + b"shop.example", 1, id="long"),
        pytest.param(b"x." * 121 + b"shop.example", 0, id="too long for a name"),
    ],
)
def test_find(name: bytes, place: int) -> None:
    """The site that names it, else the first one."""
    assert Routes(SITES).find(name) == place


@pytest.mark.parametrize(
    ("hosts", "name", "named", "found"),
    [
        pytest.param([["a"], [], []], b"b", None, 1, id="a site without hosts takes any"),
        pytest.param([["a"], []], b"a", 0, 0, id="but not what another names"),
        pytest.param([["a"], ["b"]], b"c", None, 0, id="else the first"),
        pytest.param([[]], b"c", None, 0, id="one site"),
        pytest.param([["a"], ["a", "*.b"], ["*.b"]], b"a", 0, 0, id="named twice"),
        pytest.param([["a"], ["a", "*.b"], ["*.b"]], b"x.b", 1, 1, id="wildcard twice"),
    ],
)
def test_others(hosts: list[list[str]], name: bytes, named: int | None, found: int) -> None:
    """What nobody names goes to the first site without hosts, else to the first site."""
    routes = Routes(hosts)
    assert routes.named(name) == named
    assert routes.find(name) == found


LABELS = st.lists(st.sampled_from(["a", "b", "shop"]), min_size=1, max_size=5)
PATTERNS = st.tuples(st.booleans(), LABELS).map(lambda it: "*." * it[0] + ".".join(it[1]))


@given(st.lists(st.lists(PATTERNS, max_size=3), min_size=1, max_size=4), LABELS)
def test_as_it_is_written(hosts: list[list[str]], labels: list[str]) -> None:
    """The same as comparing all patterns, the best first."""
    name = ".".join(labels)
    by_length = sorted(
        (
            (pattern == name, len(pattern), -place)
            for place, patterns in enumerate(hosts)
            for pattern in patterns
            if pattern == name or (pattern[0] == "*" and name.endswith(pattern[1:]))
        ),
        reverse=True,
    )
    assert len(name) <= LONGEST_NAME
    assert Routes(hosts).named(name.encode()) == (-by_length[0][2] if by_length else None)
