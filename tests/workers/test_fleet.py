"""All workers of a daemon: as many as are asked for, and never fewer who serve."""

from __future__ import annotations

import pytest
from tests.control.world import result
from tests.workers.lives import snapshot
from tests.workers.played import Stage, shares

from sorryd.numbers import EdgeNumbers, SiteNumbers
from sorryd.policy.shares import Share


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_one_process(stage: Stage) -> None:
    """Without workers there is one edge here, and it is as good as in one that has them."""
    (local,) = stage.serving(0)
    assert local.name == "local"
    assert local.applied == [(1, Share())]
    assert local.deeds == ["fit"]
    assert stage.fleet.workers() == []


def test_several_processes(stage: Stage) -> None:
    """Each has its part from its first snapshot on."""
    fresh = stage.serving(3)
    assert [one.name for one in fresh] == ["remote"] * 3
    assert shares(fresh) == [(1, 3), (2, 3), (3, 3)]
    assert [one.applied for one in fresh] == [[(1, one.share)] for one in fresh]
    assert [one.number for one in stage.fleet.workers()] == [1, 2, 3]


def test_more(stage: Stage) -> None:
    """Those that are there stay, with smaller parts."""
    before = stage.serving(1)
    fresh = stage.fit(3)
    assert len(fresh) == 2
    assert shares(stage.all) == [(1, 3), (2, 3), (3, 3)]
    assert before[0].applied == [(1, Share(number=1, of=1)), (1, Share(number=1, of=3))]
    assert before[0].deeds == ["fit", "fit"]


def test_same_again(stage: Stage) -> None:
    """A reload that leaves their number alone makes and ends none."""
    before = stage.serving(2)
    assert stage.fit(2) == []
    for one in before:
        one.serve()
    assert [one.deeds for one in before] == [["fit", "fit"]] * 2


def test_fewer(stage: Stage) -> None:
    """Those that are too many serve on until the others do as they were told, and then retire."""
    first, second, third = stage.serving(3)
    first.serves = False  # it was told something new
    stage.fit(1, retire=7)
    assert [one.deeds for one in (first, second, third)] == [["fit", "fit"]] * 3
    for one in (second, third):
        one.settle()
    assert "retire 7" not in second.deeds
    first.serve()
    assert second.deeds[-1] == third.deeds[-1] == "retire 7"
    assert "retire 7" not in first.deeds
    stage.fleet.apply(snapshot(2))
    assert [one.applied[-1][0] for one in stage.all] == [2, 2, 2]
    second.over.callback(None)
    stage.fleet.apply(snapshot(3))
    assert [one.applied[-1][0] for one in stage.all] == [3, 2, 3]


@pytest.mark.parametrize(("before", "after"), [(0, 2), (2, 0), (0, 1), (1, 0)])
def test_other_kind(stage: Stage, before: int, after: int) -> None:
    """From one process to several and back: the old ones go when the new ones serve."""
    old = stage.serving(before)
    fresh = stage.fit(after)
    assert {one.name for one in fresh} == {"local" if after == 0 else "remote"}
    assert [one.applied for one in fresh] == [[(1, one.share)] for one in fresh]
    for one in (*old, *fresh[:-1]):
        one.serve()
    assert not any("retire 60" in one.deeds for one in stage.all)
    fresh[-1].serve()
    assert all(one.deeds[-1] == "retire 60" for one in old)
    assert not any("retire 60" in one.deeds for one in fresh)


def test_new_ones_that_die(stage: Stage) -> None:
    """Where the new ones can't live, the old one serves on, until they can."""
    (old,) = stage.serving(0)
    fresh = stage.fit(2)
    for one in stage.all:
        one.settle()  # as those do that are dead
    assert stage.fleet.missing == [1, 2]
    stage.fleet.look()
    assert "retire 60" not in old.deeds
    for one in fresh:
        one.serves = True
    stage.fleet.look()
    assert old.deeds[-1] == "retire 60"
    assert stage.fleet.missing == []


def test_another_reload_meanwhile(stage: Stage) -> None:
    """Back to what was before: all that are too many retire, whoever made them so."""
    (old,) = stage.serving(0)
    failing = stage.fit(2)
    (local,) = stage.fit(0)
    for one in stage.all:
        one.settle()
    local.serve()
    stage.fleet.look()
    assert [one.deeds[-1] for one in (old, *failing)] == ["retire 60"] * 3


def test_replaced(stage: Stage) -> None:
    """One that an operator wants to go does so when another one serves in its place."""
    first, second = stage.serving(2)
    stage.fleet.replace(second)
    fresh = stage.all[-1]
    assert fresh.share == second.share
    assert fresh.applied == [(1, second.share)]
    assert fresh.deeds == ["fit"]
    for one in (first, second):
        one.settle()
    assert "retire 60" not in second.deeds
    fresh.serve()
    assert second.deeds[-1] == "retire 60"
    assert first.deeds == ["fit"]
    stage.fleet.replace(second)
    assert len(stage.all) == 3, "one that goes anyhow is not replaced again"


def test_settled(stage: Stage) -> None:
    """All are waited for, those that retire among them."""
    first, second = stage.serving(2)
    stage.fit(1)
    settled = stage.fleet.settled()
    first.serve()
    assert not settled.called
    second.settle()
    assert settled.called


def test_all_are_told(stage: Stage) -> None:
    """Certificates, rotation and time concern those too that retire."""
    first, _ = stage.serving(2)
    first.serves = False
    stage.fit(1)
    stage.fleet.show({})
    stage.fleet.reopen()
    stage.fleet.look()
    stage.fleet.hurry()
    assert [one.deeds[2:] for one in stage.all] == [["show", "reopen", "look", "hurry"]] * 2


def test_in_flight(stage: Stage) -> None:
    """Requests in flight are those of all workers."""
    stage.serving(2)
    stage.fit(1)
    active = result(stage.fleet.active())
    assert sum(one.requests for one in active) == 2


def test_stop(stage: Stage) -> None:
    """All stop, and it is over when the last one has; none retires after that."""
    first, second = stage.serving(2)
    first.serves = False
    stage.fit(1)
    over = stage.fleet.stop(30)
    assert first.deeds[-1] == second.deeds[-1] == "stop 30"
    first.serve()
    second.settle()
    stage.fleet.look()
    assert "retire 60" not in second.deeds
    first.over.callback(None)
    assert not over.called
    second.over.callback(None)
    assert over.called


# --- what is counted ---


def numbers_of(stage: Stage) -> list[EdgeNumbers]:
    """What the fleet says, once it does."""
    told: list[EdgeNumbers] = []
    stage.fleet.numbers().addCallback(told.append)
    return told


def counted(count: int) -> EdgeNumbers:
    return EdgeNumbers(sites=(SiteNumbers(site="shop", accepted=count, open=1),))


def test_numbers(stage: Stage) -> None:
    """They are those of all workers together, when each has said what it has counted."""
    first, second = stage.serving(2)
    told = numbers_of(stage)
    first.numbers = counted(3)
    first.measuring.pop().callback(EdgeNumbers())
    assert told == []
    second.numbers = counted(4)
    second.measuring.pop().callback(EdgeNumbers())
    assert [(one.accepted, one.open) for one in told[0].sites] == [(7, 2)]


def test_numbers_of_one_that_dies_meanwhile(stage: Stage) -> None:
    """It counts once, whether it has answered before or not."""
    first, second = stage.serving(2)
    told = numbers_of(stage)
    first.numbers = counted(3)
    first.measuring.pop().callback(EdgeNumbers())
    stage.ledger.keep(first.numbers)
    first.numbers = EdgeNumbers()
    second.measuring.pop().callback(EdgeNumbers())
    assert [(one.accepted, one.open) for one in told[0].sites] == [(3, 0)]


def test_numbers_of_what_is_gone(stage: Stage) -> None:
    """A site that a reload has removed is forgotten."""
    stage.serving(0)
    stage.ledger.keep(EdgeNumbers(sites=(SiteNumbers(site="gone", accepted=9),)))
    stage.fit(0)
    told = numbers_of(stage)
    stage.all[0].measuring.pop().callback(EdgeNumbers())
    assert told[0].sites == ()
