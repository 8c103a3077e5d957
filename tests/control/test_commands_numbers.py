"""numbers.get: what was counted, as it is told."""

from __future__ import annotations

import pytest
from tests.control.world import NOON, World

from sorryd.errors import ControlError, ErrorCode
from sorryd.messages import NumbersGet, SiteDown
from sorryd.model import Phase
from sorryd.numbers import Answered, EdgeNumbers, MemberNumbers, SiteNumbers, place
from sorryd.reports import WorkerSeen


def test_counted(world: World) -> None:
    """Codes are told by class, whatever the phase in which they were counted."""
    (url, *_) = (one.url for one in world.config.sites[0].members)
    answers = list(Answered().answers)
    answers[place(Phase.LIVE, "2xx")] = 4
    answers[place(Phase.DRAINING, "2xx")] = 3
    answers[place(Phase.LIVE, "none")] = 1
    member = MemberNumbers(url=url, answered=Answered(answers=tuple(answers)), in_flight=2)
    world.numbers = EdgeNumbers(sites=(SiteNumbers(site="shop", members=(member,), open=5),))
    site = next(one for one in world.ask(NumbersGet()).sites if one.name == "shop")
    first = site.members[0]
    assert (site.connections, first.in_flight) == (5, 2)
    assert {kind: count for kind, count in first.answered.codes.items() if count} == {
        "2xx": 7, "none": 1,
    }  # fmt: skip


def test_nothing_counted_yet(world: World) -> None:
    """Sites and members of which no edge has told yet are there, with zeros."""
    result = world.ask(NumbersGet())
    assert [one.name for one in result.sites] == [one.name for one in world.config.sites]
    for site, configured in zip(result.sites, world.config.sites, strict=True):
        assert [one.url for one in site.members] == [one.url for one in configured.members]
        assert not sum(site.itself.codes.values())


def test_one_site(world: World) -> None:
    """With a site, that alone; with one that there is not, a refusal."""
    assert [one.name for one in world.ask(NumbersGet(site="shop")).sites] == ["shop"]
    with pytest.raises(ControlError) as refused:
        world.ask(NumbersGet(site="nosuch"))
    assert refused.value.code is ErrorCode.NOT_FOUND


def test_phase(world: World) -> None:
    """The phase and its end are told along, so that one answer makes a picture."""
    world.ask(SiteDown(site="shop", for_="10m", drain="0s"))
    (site,) = world.ask(NumbersGet(site="shop")).sites
    assert (site.phase, site.cause) == (Phase.DOWN, "manual")
    assert site.until is not None


def test_workers(world: World) -> None:
    """How many there are to be, how many are missing, and how often one died."""
    assert world.ask(NumbersGet()).workers == 0
    one = WorkerSeen(number=1, pid=7, since=NOON, restarts=0, restarted=None)
    world.workers = [
        one,
        WorkerSeen(number=2, pid=None, since=None, restarts=3, restarted=NOON),
        WorkerSeen(number=1, pid=6, since=NOON, restarts=0, restarted=None, is_leaving=True),
    ]
    result = world.ask(NumbersGet())
    assert (result.workers, result.missing, result.restarts) == (2, 1, 3)
