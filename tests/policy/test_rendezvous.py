"""Hash: shares by weight, who moves when members change, and who is asked when one can't be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.policy.balanced import DOWN, HEAD, RESTING, TRIAL, Busy, offers, view

from sorryd.policy import rendezvous
from sorryd.policy.balancing import shares
from sorryd.policy.rendezvous import Rendezvous
from sorryd.snapshot import MemberView

ADDRESSES = [f"10.{at >> 16}.{at >> 8 & 255}.{at & 255}" for at in range(0, 1 << 20, 97)]

members = st.lists(
    st.builds(view, st.integers(1, 99), weight=st.integers(1, 9)),
    min_size=1,
    max_size=6,
    unique_by=lambda view: view.member.port,
)
addresses = st.lists(st.ip_addresses().map(str), min_size=1, max_size=20)


def hashed(views: Sequence[MemberView], loads: list[Busy] | None = None) -> Rendezvous:
    return Rendezvous(offers(views, loads), [v.member.url for v in views], shares(views))


def owners(views: Sequence[MemberView], asking: Sequence[str]) -> list[int | None]:
    """The ports of the members that have these addresses."""
    balancer = hashed(views)
    found = [balancer.pick((), HEAD, address) for address in asking]
    return [None if index is None else views[index].member.port for index in found]


def test_the_same_everywhere() -> None:
    """Who has an address does not depend on the process, the machine or the order in the file."""
    four = [view(port) for port in (3000, 3001, 3002, 3003)]
    asking = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1", ""]
    expected = [3000, 3003, 3000, 3001, 3002]
    assert owners(four, asking) == expected
    assert owners(four[::-1], asking) == expected


@pytest.mark.parametrize("weights", [(1, 1), (3, 1), (1, 2, 3, 4), (256, 1, 255)])
def test_shares(weights: tuple[int, ...]) -> None:
    """Of many addresses each member has its share by weight."""
    found = Counter(owners([view(at, weight=w) for at, w in enumerate(weights)], ADDRESSES))
    for at, weight in enumerate(weights):
        share = weight / sum(weights)
        spread = (share * (1 - share) / len(ADDRESSES)) ** 0.5
        assert abs(found[at] / len(ADDRESSES) - share) < 4 * spread


@given(members, addresses, st.data())
def test_a_lost_member_moves_only_its_own(
    views: list[MemberView], asking: list[str], data: st.DataObject
) -> None:
    """Everybody else's clients stay, and its own are back when it is."""
    before = owners(views, asking)
    lost = data.draw(st.sampled_from(views))
    left = [view for view in views if view is not lost]
    after = owners(left, asking) if left else [None for _ in asking]
    for was, now in zip(before, after, strict=True):
        assert now == was or was == lost.member.port
    resting = [
        view(v.member.port, weight=v.weight, health=RESTING) if v is lost else v for v in views
    ]
    assert owners(resting, asking) == after
    assert owners(views, asking) == before


@given(members, addresses, st.integers(1, 9), st.data())
def test_a_weight_moves_only_what_it_must(
    views: list[MemberView], asking: list[str], weight: int, data: st.DataObject
) -> None:
    """One that grows takes clients, one that shrinks gives some; nobody else moves."""
    changed = data.draw(st.sampled_from(views))
    port = changed.member.port
    after = [view(port, weight=weight) if v is changed else v for v in views]
    for was, now in zip(owners(views, asking), owners(after, asking), strict=True):
        assert now == was or (now if weight > changed.weight else was) == port


def test_a_ramp_is_a_weight() -> None:
    """A member that starts slowly has a part of the clients that it will have."""
    half, whole = [view(0), view(1, ramp=0.5)], [view(0), view(1)]
    early, late = owners(half, ADDRESSES), owners(whole, ADDRESSES)
    assert all(now == was or now == 1 for was, now in zip(early, late, strict=True))
    assert 0.30 < early.count(1) / len(ADDRESSES) < 0.36


ONE = "192.0.2.1"  # has 3000, then 3001, then 3002


@pytest.mark.parametrize(
    ("views", "loads", "tried", "expected"),
    [
        pytest.param([view(3000), view(3002), view(3001)], None, (), 3000, id="its own"),
        pytest.param([view(3000), view(3002), view(3001)], None, (0,), 3001, id="the second"),
        pytest.param([view(3000), view(3002), view(3001)], None, (0, 2), 3002, id="the third"),
        pytest.param([view(3000), view(3002), view(3001)], None, (0, 1, 2), None, id="nobody"),
        pytest.param([view(3000, health=DOWN), view(3002)], None, (), 3002, id="its own is down"),
        pytest.param(
            [view(3000), view(3002)], [Busy(1, limit=1), Busy()], (), None, id="its own is full"
        ),
        pytest.param(
            [view(3000, health=TRIAL), view(3002)], None, (), 3000, id="its own is on trial"
        ),
        pytest.param(
            [view(3000, health=TRIAL), view(3002)], [Busy(trying=1), Busy()], (), 3002,
            id="its own is on trial with another",
        ),
        pytest.param(
            [view(3000), view(3002, health=TRIAL)], None, (), 3000, id="another is on trial"
        ),
        pytest.param(
            [view(3000, standby=True), view(3002)], None, (), 3002, id="standby waits"
        ),
        pytest.param(
            [view(3000, standby=True), view(3002)], None, (1,), 3000, id="standby after all tried"
        ),
        pytest.param(
            [view(3000, standby=True), view(3002, health=DOWN)], None, (), 3000, id="standby serves"
        ),
        pytest.param(
            [view(3000, standby=True), view(3002, health=TRIAL)], [Busy(), Busy(trying=1)], (),
            3000, id="standby while the only trial is busy",
        ),
        pytest.param([], None, (), None, id="no members"),
    ],
)  # fmt: skip
def test_pick(
    views: list[MemberView], loads: list[Busy] | None, tried: tuple[int, ...], expected: int | None
) -> None:
    """The first of those that may take it, in the order of an address's own."""
    balancer = hashed(views, loads)
    for _ in range(2):
        index = balancer.pick(tried, HEAD, ONE)
        assert (None if index is None else views[index].member.port) == expected


def test_own_is_waited_for() -> None:
    """A request waits for its own member, though others have room."""
    balancer = hashed([view(3000), view(3002)], [Busy(1, limit=1), Busy()])
    assert balancer.own((), HEAD, ONE) == 0
    assert balancer.own((0,), HEAD, ONE) == 1


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many addresses come, few are remembered, and none is remembered wrongly."""
    monkeypatch.setattr(rendezvous, "REMEMBERED", 10)
    balancer = hashed([view(3000), view(3002)])
    first = [balancer.pick((), HEAD, address) for address in ADDRESSES[:100]]
    assert len(balancer._known) <= 10
    assert [balancer.pick((), HEAD, address) for address in ADDRESSES[:100]] == first
