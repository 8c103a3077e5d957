"""All workers of a daemon when one control process takes the place of another."""

from __future__ import annotations

import pytest
from tests.workers.lives import has_fired, snapshot
from tests.workers.played import Played, Stage

from sorryd.policy.shares import Share


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_left_to_themselves(stage: Stage) -> None:
    """Before an upgrade all are left, also those that retire; none is told to end."""
    one, other = stage.serving(2)
    stage.fit(1)
    stage.fleet.leave()
    assert [played.deeds[-1] for played in (one, other)] == ["leave", "leave"]
    one.serve()
    assert not any(deed.startswith(("retire", "stop")) for deed in other.deeds)


def test_nothing_is_settled_once_they_are_left(stage: Stage) -> None:
    """A command that comes too late for them is not answered: they may not know of it."""
    both = stage.serving(2)
    under_way = stage.fleet.settled()
    stage.fleet.leave()
    late = stage.fleet.settled()
    for one in both:
        one.settle()  # its channel has ended
    assert not has_fired(under_way)
    assert not has_fired(late)


def test_who_is_here(stage: Stage) -> None:
    """An edge in this process counts as long as it has visitors, also when others serve."""
    stage.serving(0)
    assert stage.fleet.is_local
    stage.fit(2)
    for one in stage.all:
        one.serve()
    assert stage.fleet.is_local
    stage.all[0].over.callback(None)
    assert not stage.fleet.is_local


def test_those_of_another_control_process(stage: Stage) -> None:
    """They go on until all of ours serve, however long that takes; then they retire."""
    old = Played("remote", Share())
    stage.fleet.apply(snapshot(1))
    one, other = stage.fit(2)
    done: list[None] = []
    stage.fleet.supersede([old]).addCallback(done.append)
    one.serve()
    other.settle()  # it has died
    stage.fleet.look()
    assert old.deeds == ["look"]
    other.serves = True
    stage.fleet.look()
    assert old.deeds == ["look", "look", "retire 60"]
    assert done == [None]


def test_vacated_for_an_upgrade(stage: Stage) -> None:
    """A worker takes the place of the edge in this process, which then has its time to finish."""
    (here,) = stage.serving(0)
    gone: list[None] = []
    stage.fleet.vacate().addCallback(gone.append)
    worker = stage.all[-1]
    assert (worker.name, worker.deeds[0]) == ("remote", "fit")
    worker.serve()
    here.settle()
    assert here.deeds[-1] == "retire 60"
    assert gone == []
    here.over.callback(None)
    assert gone == [None]


def test_vacated_in_vain(stage: Stage) -> None:
    """Where nothing comes of the upgrade, there is an edge in this process again."""
    (here,) = stage.serving(0)
    stage.fleet.vacate()
    worker = stage.all[-1]
    stage.fleet.move_back()
    again = stage.all[-1]
    assert again.name == "local"
    for one in stage.all:
        one.serve()
    assert worker.deeds[-1] == "retire 60"
    assert here.deeds[-1] == "retire 60"


def test_nobody_is_here(stage: Stage) -> None:
    """With workers there is nothing to vacate."""
    stage.serving(2)
    gone: list[None] = []
    stage.fleet.vacate().addCallback(gone.append)
    assert gone == [None]
    assert len(stage.all) == 2


def test_nobody_moves_back_who_was_not_moved(stage: Stage) -> None:
    """An edge here that workers have replaced is waited for, and is not what was asked for."""
    stage.serving(0)
    workers = stage.fit(2)
    for one in stage.all:
        one.serve()
    vacated = stage.fleet.vacate()
    stage.fleet.move_back()
    assert not vacated.called
    assert len(stage.all) == 3
    assert not any("retire 60" in one.deeds for one in workers)
