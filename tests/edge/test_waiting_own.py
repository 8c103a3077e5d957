"""Requests that wait for a member of their own, by a cookie or a hash, as in HAProxy."""

from __future__ import annotations

import functools
from collections.abc import Callable

import pytest
from tests.edge.crowd import Asking, Crowd, member, places
from tests.edge.scene import TIMES

from sorryd.edge.wheel import TICK
from sorryd.model import Balance, Health, MemberState

QUEUE = TIMES.queue

OWNED = pytest.mark.parametrize("balance", [Balance.HASH, Balance.STICKY])


def client_of(crowd: Crowd, *names: str) -> Callable[[], Asking]:
    """Makes requests that are for the first member, and if they were there for the second."""
    for last in range(99):
        client, cookie = f"192.0.2.{last}", b""
        found: list[Asking] = []
        for _ in names:
            tried = [crowd.pool(asking.member) for asking in found]
            found.append(crowd.asks(*tried, client=client))
            cookie = cookie or found[0].set_cookie()
            found[-1].ends()
        if [asking.member for asking in found] == list(names):
            return functools.partial(crowd.asks, client=client, cookie=cookie)
    raise AssertionError(names)


@OWNED
def test_own_member_is_waited_for(balance: Balance) -> None:
    """As in HAProxy: others have room, and those who wait are in nobody's way."""
    crowd = Crowd(member("a", 1), member("b", 1), balance=balance)
    ask_a, ask_b = client_of(crowd, "a"), client_of(crowd, "b")
    first, second, third = (ask_a() for _ in range(3))
    other = ask_b()
    assert places(first, second, third, other) == ["a", "-", "-", "b"]
    other.ends()
    crowd.turns()
    assert places(second, third) == ["-", "-"]
    first.ends()
    newcomer = ask_b()
    crowd.turns()
    assert places(second, third, newcomer) == ["a", "-", "b"]


@OWNED
def test_own_member_in_vain(balance: Balance) -> None:
    """After `timeout_queue` another member will do; where that is full too, the time is up."""
    crowd = Crowd(member("a", 1), member("b", 1), balance=balance)
    ask_a = client_of(crowd, "a")
    asking = [ask_a() for _ in range(2)]
    crowd.passes(TICK)
    asking.append(ask_a())
    crowd.passes(QUEUE - TICK)
    assert places(*asking) == ["a", "b", "-"]
    crowd.passes(TICK)
    assert places(*asking) == ["a", "b", "x"]


@OWNED
def test_own_member_is_lost(balance: Balance) -> None:
    """Who waits for a member that goes down goes to another one at once."""
    crowd = Crowd(member("a", 1), member("b"), balance=balance)
    ask_a = client_of(crowd, "a")
    asking = [ask_a() for _ in range(3)]
    assert places(*asking) == ["a", "-", "-"]
    crowd.set("a", health=Health.RESTING)
    crowd.turns()
    assert places(*asking[1:]) == ["b", "b"]


def test_own_members_are_found_anew() -> None:
    """Who waited for the same lost member may be for different ones then: none holds another."""
    crowd = Crowd(member("a", 1), member("b", 1), member("c", 1), balance=Balance.HASH)
    ask_b = client_of(crowd, "b")
    then_b, then_c = client_of(crowd, "a", "b"), client_of(crowd, "a", "c")
    asking = [then_b(), ask_b(), then_b(), then_c()]
    assert places(*asking) == ["a", "b", "-", "-"]
    crowd.set("a", health=Health.RESTING)
    crowd.turns()
    assert places(*asking) == ["a", "b", "-", "c"]


def test_sticky_in_drain() -> None:
    """A drained member keeps its clients, and its limit."""
    crowd = Crowd(member("a", 1), member("b"), balance=Balance.STICKY)
    ask_a = client_of(crowd, "a")
    crowd.set("a", state=MemberState.DRAIN)
    asking = [ask_a() for _ in range(2)]
    assert places(*asking) == ["a", "-"]
    asking[0].ends()
    crowd.turns()
    assert places(*asking) == ["a", "a"]
