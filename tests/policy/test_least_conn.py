"""Least connections: the least busy for its weight, and turns among those that are even."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.policy.balanced import HEAD, TRIAL, Busy, offers, view

from sorryd.policy.balancing import shares
from sorryd.policy.least_conn import LeastConn
from sorryd.policy.round_robin import Places, RoundRobin
from sorryd.snapshot import MemberView


def least(views: list[MemberView], loads: list[Busy]) -> LeastConn:
    turns = RoundRobin(offers(views, loads), shares(views), Places(len(views)))
    return LeastConn(turns, shares(views), loads)


def pick(balancer: LeastConn, *tried: int) -> int | None:
    return balancer.pick(tried, HEAD, "192.0.2.7")


@pytest.mark.parametrize(
    ("weights", "active", "expected"),
    [
        pytest.param((1, 1, 1), (2, 1, 3), 1, id="the fewest"),
        pytest.param((4, 1, 1), (3, 1, 1), 0, id="for its weight"),
        pytest.param((3, 1), (4, 1), 1, id="more than its weight's worth"),
        pytest.param((256, 255), (256_000, 254_999), 1, id="a hair's breadth"),
    ],
)
def test_least(weights: tuple[int, ...], active: tuple[int, ...], expected: int) -> None:
    """The request goes to who has the fewest in flight, divided by the weight."""
    views = [view(at, weight=weight) for at, weight in enumerate(weights)]
    balancer = least(views, [Busy(count) for count in active])
    assert [pick(balancer) for _ in range(3)] == 3 * [expected]


def test_even_ones_take_turns() -> None:
    """On a quiet day, when nobody has anything to do, weights share exactly."""
    balancer = least([view(0, weight=3), view(1)], [Busy(), Busy()])
    assert Counter(pick(balancer) for _ in range(40)) == {0: 30, 1: 10}


def test_some_even_ones_take_turns() -> None:
    """Those that are not the least busy have no part in it."""
    balancer = least([view(0, weight=3), view(1), view(2)], [Busy(), Busy(), Busy(1)])
    assert Counter(pick(balancer) for _ in range(40)) == {0: 30, 1: 10}


@given(st.lists(st.integers(1, 20), min_size=1, max_size=5))
def test_long_requests_are_shared_by_weight(weights: list[int]) -> None:
    """Where no request ends, each member has its share of them, to one request."""
    views = [view(at, weight=weight) for at, weight in enumerate(weights)]
    loads = [Busy() for _ in views]
    balancer = least(views, loads)
    for _ in range(10 * sum(weights)):
        index = pick(balancer)
        assert index is not None
        loads[index].active += 1
    assert all(abs(load.active - 10 * weights[at]) <= 1 for at, load in enumerate(loads))


def test_slow_start() -> None:
    """A member that starts slowly has less in flight."""
    loads = [Busy(), Busy()]
    balancer = least([view(0), view(1, ramp=0.5)], loads)
    for _ in range(30):
        index = pick(balancer)
        assert index is not None
        loads[index].active += 1
    assert [load.active for load in loads] == [20, 10]


@pytest.mark.parametrize(
    ("loads", "tried", "expected"),
    [
        pytest.param([Busy(1, limit=1), Busy(9), Busy(5)], (2,), 1, id="not tried, not full"),
        pytest.param([Busy(1, limit=1), Busy(9), Busy(5)], (1, 2), None, id="only a full one"),
    ],
)  # fmt: skip
def test_who_is_left_out(loads: list[Busy], tried: tuple[int, ...], expected: int | None) -> None:
    """The least busy may have been tried, or be full."""
    assert pick(least([view(0), view(1), view(2)], loads), *tried) == expected


def test_trial_first() -> None:
    """A member on trial is tried before the least busy one."""
    loads = [Busy(), Busy(7)]
    balancer = least([view(0), view(1, health=TRIAL)], loads)
    assert pick(balancer) == 1
    loads[1].trying = 1
    assert pick(balancer) == 0
