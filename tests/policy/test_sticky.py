"""Sticky: what the cookie says, how it is read and taken out, and who is kept at a member."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.policy.balanced import DOWN, DRAIN, MAINT, RESTING, TRIAL, Busy, Head, offers, url, view

from sorryd.policy.balancing import shares
from sorryd.policy.round_robin import Places, RoundRobin
from sorryd.policy.sticky import Cookies, Sticky
from sorryd.snapshot import MemberView

KEY = bytes(32)
URLS = [url(0), url(1), url(2)]
HOST = b"Host: shop.example"

cookies = Cookies(KEY, "shop", "SRV", URLS)


def value_of(port: int, made: Cookies = cookies) -> bytes:
    """What the cookie says of a member."""
    line = made.line(Head(), url(port), False)
    found = re.match(rb"Set-Cookie: \w+=([^;]+);", line)
    assert found is not None
    return found[1]


ZERO, ONE = value_of(0), value_of(1)

# --- what is set ----------------------------------------------------------------------------


def test_line() -> None:
    """The whole site gets the cookie, scripts do not; no shared cache keeps the answer."""
    assert cookies.line(Head(), url(1), False) == (
        b"Set-Cookie: SRV=" + ONE + b"; Path=/; HttpOnly; SameSite=Lax\r\n"
        b"Cache-Control: private\r\n"
    )


def test_line_over_https() -> None:
    """A cookie that was set over https goes over nothing else."""
    assert b"; SameSite=Lax; Secure\r\n" in cookies.line(Head(), url(1), True)


def test_value_names_no_address() -> None:
    """The value is of fixed form, and another one under another key, site or member."""
    others = [
        value_of(0, Cookies(b"1" * 32, "shop", "SRV", URLS)),
        value_of(0, Cookies(KEY, "blog", "SRV", URLS)),
        value_of(0, Cookies(KEY, "shop", "SRV", URLS)),
        ONE,
    ]
    assert len({ZERO, *others}) == 4
    assert others[2] == ZERO
    assert all(re.fullmatch(rb"[A-Za-z0-9_-]{22}", value) for value in (ZERO, *others))


def test_set_only_where_it_is_not_there() -> None:
    """Who has the cookie of its member is told nothing."""
    head = Head(HOST, b"Cookie: SRV=" + ONE)
    assert cookies.member(head) == url(1)
    assert cookies.line(head, url(1), False) == b""
    assert cookies.line(head, url(0), False) != b""
    assert cookies.line(head, "http://gone", False) == b""


# --- what is read ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "expected", "left"),
    [
        pytest.param([b"Cookie: SRV=%b"], 1, [], id="alone"),
        pytest.param([b"cOOKIE:SRV=%b"], 1, [], id="name in any case"),
        pytest.param([b"Cookie: a=b; SRV=%b; c=d"], 1, [b"Cookie: a=b; c=d"], id="in the middle"),
        pytest.param([b"Cookie: SRV=%b; c=d"], 1, [b"Cookie: c=d"], id="first"),
        pytest.param([b"Cookie: a=b;SRV=%b"], 1, [b"Cookie: a=b"], id="last, without a space"),
        pytest.param([b"Cookie: a=b", b"Cookie: SRV=%b"], 1, [b"Cookie: a=b"], id="two lines"),
        pytest.param([b'Cookie: SRV="%b"'], 1, [], id="quoted"),
        pytest.param([b"Cookie:\t SRV \t=  %b \t; c=d"], 1, [b"Cookie: c=d"], id="spaces"),
        pytest.param([b"Cookie: SRV=%b; SRV=x"], 1, [], id="twice: the first counts"),
        pytest.param([b"Cookie: SRV=x; SRV=%b"], None, [], id="twice: the second does not"),
        pytest.param([b"Cookie: SRV=x", b"Cookie: SRV=%b"], None, [], id="nor on another line"),
        pytest.param([b"Cookie: SRV="], None, [], id="no value"),
        pytest.param([b"Cookie: SRV"], None, [b"Cookie: SRV"], id="no equals sign"),
        pytest.param([b"Cookie: SRV=%b%b"], None, [], id="longer"),
        pytest.param([b"Cookie: srv=%b"], None, [b"Cookie: srv=%b"], id="another name"),
        pytest.param([b"Cookie: XSRV=%b"], None, [b"Cookie: XSRV=%b"], id="the end of a name"),
        pytest.param([b"Cookie: SRVX=%b"], None, [b"Cookie: SRVX=%b"], id="the start of a name"),
        pytest.param([b"Cookie: a=SRV=%b"], None, [b"Cookie: a=SRV=%b"], id="in a value"),
        pytest.param([b"Cookie: a=x:SRV=%b"], None, [b"Cookie: a=x:SRV=%b"], id="behind a colon"),
        pytest.param([b"X: ;SRV=%b"], None, [b"X: ;SRV=%b"], id="in another field"),
        pytest.param([b"Cookie: ;; ; SRV=%b;;"], 1, [], id="empty ones"),
        pytest.param([], None, [], id="no cookie"),
    ],
)  # fmt: skip
def test_read_and_taken(lines: list[bytes], expected: int | None, left: list[bytes]) -> None:
    """The cookie is found wherever it is, and the member does not get it."""
    lines, left = ([line.replace(b"%b", ONE) for line in some] for some in (lines, left))
    for head in (Head(HOST, *lines, b"X: y"), Head(*lines, HOST, b"X: y")):
        member = cookies.member(head)
        assert member == (None if expected is None else url(expected))
        assert sorted(head.lines) == sorted([HOST, *left, b"X: y"])
        assert head.lines[head.host_at] == HOST
        assert cookies.member(head) == member


def test_without_host() -> None:
    """HTTP/1.0 may do without."""
    head = Head(b"Cookie: SRV=" + ONE)
    assert cookies.member(head) == url(1)
    assert (head.lines, head.host_at) == ([], -1)


@given(st.lists(st.sampled_from([b"SRV", b"=", b";", b" ", b'"', ONE, b"a", b"\xff", b"\t"])))
def test_garbage(pieces: list[bytes]) -> None:
    """Whatever comes, it is read, other cookies stay, and ours is gone."""
    given = b"".join(pieces)
    head = Head(b"Cookie: " + given, HOST)
    member = cookies.member(head)
    ours: list[bytes] = []
    others: list[bytes] = []
    for pair in given.split(b";"):
        name, equals, value = pair.partition(b"=")
        is_ours = bool(equals) and name.strip(b" \t") == b"SRV"
        (ours if is_ours else others).append(value.strip(b' \t"') if is_ours else pair)
    assert member == (url(1) if ours and ours[0] == ONE else None)
    assert head.lines[head.host_at] == HOST
    left = b"; ".join(line.partition(b":")[2] for line in head.lines if line != HOST)
    assert left.strip(b"; \t") == b";".join(others).strip(b"; \t")


def test_time_is_linear() -> None:
    """A line of what is nearly the cookie, longer than any head, is read in a moment.

    It would be hours if the time grew with the square.
    """
    for piece in (b";", b" ", b"; SRV", b"; SRV ", b";SRV=;a", b'SRV="', b"; \t"):
        head = Head(b"Cookie: " + piece * 200_000)
        cookies.member(head)


# --- who is kept ----------------------------------------------------------------------------


def sticky(views: list[MemberView], loads: list[Busy] | None = None) -> Sticky:
    others = RoundRobin(offers(views, loads), shares(views), Places(len(views)))
    return Sticky(others, cookies, views)


@pytest.mark.parametrize(
    ("zero", "loads", "tried", "expected"),
    [
        pytest.param(view(0), [Busy(), Busy()], (), 0, id="up"),
        pytest.param(view(0, state=DRAIN), [Busy(), Busy()], (), 0, id="drain"),
        pytest.param(view(0, weight=0), [Busy(), Busy()], (), 0, id="weight 0"),
        pytest.param(view(0, standby=True), [Busy(), Busy()], (), 0, id="standby"),
        pytest.param(view(0, state=MAINT), [Busy(), Busy()], (), 1, id="maint"),
        pytest.param(view(0, health=RESTING), [Busy(), Busy()], (), 1, id="resting"),
        pytest.param(view(0, health=DOWN), [Busy(), Busy()], (), 1, id="down"),
        pytest.param(view(0, state=DRAIN, health=DOWN), [Busy(), Busy()], (), 1, id="drain, down"),
        pytest.param(view(0, health=TRIAL), [Busy(), Busy()], (), 0, id="trial"),
        pytest.param(view(0, health=TRIAL), [Busy(1, trying=1), Busy()], (), 1, id="busy trial"),
        pytest.param(view(0), [Busy(), Busy()], (0,), 1, id="tried"),
        pytest.param(view(0), [Busy(1, limit=1), Busy()], (), None, id="full"),
        pytest.param(view(0, state=DRAIN), [Busy(1, limit=1), Busy()], (), None, id="full, drain"),
    ],
)  # fmt: skip
def test_who_keeps_its_clients(
    zero: MemberView, loads: list[Busy], tried: tuple[int, ...], expected: int | None
) -> None:
    """As in HAProxy: drained members keep theirs, lost ones lose them, and full ones are waited
    for."""
    balancer = sticky([zero, view(1)], loads)
    head = Head(HOST, b"Cookie: SRV=" + ZERO)
    assert balancer.pick(tried, head, "") == expected
    own = balancer.own(tried, head, "")
    assert own == (None if expected == 1 else 0)


def test_newcomers_go_round() -> None:
    """Without a cookie, or with one of no member, each gets the next by weight."""
    balancer = sticky([view(0, weight=2), view(1)])
    heads = [Head(HOST), Head(b"Cookie: SRV=forged"), Head(b"Cookie: SRV=" + value_of(2))]
    assert [balancer.pick((), head, "") for head in heads * 2] == [0, 1, 0, 0, 1, 0]
    assert balancer.own((), Head(HOST), "") is None
