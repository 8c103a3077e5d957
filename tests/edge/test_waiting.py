"""Members with `max_connections`: who waits, who goes next, and for how long."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.edge.crowd import Crowd, member, places
from tests.edge.scene import TIMES

from sorryd.model import Balance, Health

QUEUE = TIMES.queue

POOLED = pytest.mark.parametrize("balance", [Balance.ROUND_ROBIN, Balance.LEAST_CONN])


# --- in order -------------------------------------------------------------------------------


@POOLED
def test_first_come_first_served(balance: Balance) -> None:
    """Nobody gets more than the limit; who waits longest goes first, wherever a slot is free."""
    crowd = Crowd(member("a", 1), member("b", 1), balance=balance)
    asking = [crowd.asks() for _ in range(5)]
    assert places(*asking) == ["a", "b", "-", "-", "-"]
    asking[1].ends()
    crowd.turns()
    assert places(*asking[2:]) == ["b", "-", "-"]
    asking[0].ends()
    asking[2].ends()
    crowd.turns()
    assert sorted(places(*asking[3:])) == ["a", "b"]
    assert len(crowd.choosing.queue) == 0


@POOLED
def test_nobody_overtakes(balance: Balance) -> None:
    """Who comes when a slot is free that others wait for, comes after them."""
    crowd = Crowd(member("a", 1), balance=balance)
    first, second = crowd.asks(), crowd.asks()
    first.ends()
    third = crowd.asks()
    crowd.turns()
    assert places(second, third) == ["a", "-"]
    second.ends()
    crowd.turns()
    assert places(third) == ["a"]


def test_slot_taken_again() -> None:
    """A slot that its own exchange takes again at once, on a fresh connection, is not given."""
    crowd = Crowd(member("a", 1))
    first, second = crowd.asks(), crowd.asks()
    first.ends()
    crowd.pool("a").active += 1
    crowd.turns()
    assert places(second) == ["-"]
    first.ends()
    crowd.turns()
    assert places(second) == ["a"]


def test_room_is_shared_by_weight() -> None:
    """A member with room is taken before anybody waits; a full one holds no other up."""
    crowd = Crowd(member("a", 2, weight=3), member("b", weight=1))
    asking = [crowd.asks() for _ in range(6)]
    assert sorted(places(*asking)) == ["a", "a", "b", "b", "b", "b"]


def test_standby_does_not_help_out() -> None:
    """A standby is for members that are lost, not for members that are full."""
    crowd = Crowd(member("a", 1), member("b", standby=True))
    first, second = crowd.asks(), crowd.asks()
    assert places(first, second) == ["a", "-"]
    crowd.set("a", health=Health.DOWN)
    crowd.turns()
    assert places(second) == ["b"]


def test_tried_member() -> None:
    """Who has been at a member waits for another one, and lets others pass."""
    crowd = Crowd(member("a", 1), member("b", 1))
    a, b = crowd.asks(), crowd.asks()
    retried, other = crowd.asks(crowd.pool("a")), crowd.asks()
    a.ends()
    crowd.turns()
    assert places(retried, other) == ["-", "a"]
    b.ends()
    crowd.turns()
    assert places(retried) == ["b"]


def test_full_on_trial() -> None:
    """The only member is on trial and full of what it had before: that is waited for."""
    crowd = Crowd(member("a", 1))
    old = crowd.asks()
    crowd.set("a", health=Health.TRIAL)
    new = crowd.asks()
    assert places(new) == ["-"]
    old.ends()
    crowd.turns()
    assert places(new) == ["a"]


# --- how many, how long ---------------------------------------------------------------------


def test_queue_is_bounded() -> None:
    """One more than `max_queue` is refused at once, until somebody has gone."""
    crowd = Crowd(member("a", 1), max_queue=2)
    asking = [crowd.asks() for _ in range(4)]
    assert places(*asking) == ["a", "-", "-", "x"]
    asking[1].leaves()
    assert places(crowd.asks(), crowd.asks()) == ["-", "x"]
    assert len(crowd.choosing.queue) == 2


def test_no_queue() -> None:
    """With `max_queue` 0 nobody waits."""
    crowd = Crowd(member("a", 1), max_queue=0)
    assert places(crowd.asks(), crowd.asks()) == ["a", "x"]


@POOLED
def test_time_is_up(balance: Balance) -> None:
    """After `timeout_queue`, not before; those who came later have their own time."""
    crowd = Crowd(member("a", 1), balance=balance)
    crowd.asks()
    early = crowd.asks()
    crowd.passes(QUEUE - 1)
    late = crowd.asks()
    assert places(early, late) == ["-", "-"]
    crowd.passes(1)
    assert places(early, late) == ["x", "-"]
    crowd.passes(QUEUE)
    assert places(late) == ["x"]
    assert len(crowd.wheel) == 0


def test_who_leaves_is_forgotten() -> None:
    """A visitor who goes away while waiting leaves nothing behind."""
    crowd = Crowd(member("a", 1))
    first, second, third = (crowd.asks() for _ in range(3))
    second.leaves()
    assert len(crowd.choosing.queue) == 1
    first.ends()
    crowd.turns()
    assert places(third) == ["a"]
    assert len(crowd.wheel) == 0


def test_everyone_leaves() -> None:
    """A slot that nobody waits for any more is for whoever comes."""
    crowd = Crowd(member("a", 1))
    first, second = crowd.asks(), crowd.asks()
    first.ends()
    second.leaves()
    assert places(crowd.asks()) == ["a"]
    crowd.turns()


# --- new snapshots --------------------------------------------------------------------------


@POOLED
def test_member_comes_back(balance: Balance) -> None:
    """Who waits goes on when a member returns, in order."""
    crowd = Crowd(member("a", 1), member("b", 1), balance=balance)
    crowd.set("b", health=Health.RESTING)
    asking = [crowd.asks() for _ in range(3)]
    assert places(*asking) == ["a", "-", "-"]
    crowd.set("b", health=Health.UP)
    crowd.turns()
    assert places(*asking) == ["a", "b", "-"]


@pytest.mark.parametrize("limit", [2, 0])
def test_limit_is_raised(limit: int) -> None:
    """A reload that gives a member more room, or all of it, lets those who wait go on."""
    crowd = Crowd(member("a", 1))
    asking = [crowd.asks() for _ in range(2)]
    crowd.set("a", member=member("a", limit))
    crowd.turns()
    assert places(*asking) == ["a", "a"]


def test_members_change() -> None:
    """A reload with other members: those who wait go to the new ones."""
    crowd = Crowd(member("a", 1))
    asking = [crowd.asks() for _ in range(2)]
    crowd.views = {"b": replace(crowd.views["a"], member=member("b"))}
    crowd.publish()
    crowd.turns()
    assert places(*asking) == ["a", "b"]
    asking[0].ends()
    crowd.turns()


@POOLED
def test_nobody_is_left(balance: Balance) -> None:
    """Where all members are lost, who waits already does so until the time is up."""
    crowd = Crowd(member("a", 1), balance=balance)
    asking = [crowd.asks() for _ in range(2)]
    crowd.set("a", health=Health.DOWN)
    crowd.turns()
    assert places(*asking, crowd.asks()) == ["a", "-", "x"]
    crowd.passes(QUEUE)
    assert places(asking[1]) == ["x"]


def test_a_bug_holds_nobody_up() -> None:
    """Where a request that goes fails for a bug of ours, those behind it go on."""
    crowd = Crowd(member("a", 2))
    first, second, bad, good = (crowd.asks() for _ in range(4))
    bad.member = "gone already"
    first.ends()
    second.ends()
    with pytest.raises(AssertionError, match="told twice"):
        crowd.turns()
    crowd.turns()
    assert places(good) == ["a"]
