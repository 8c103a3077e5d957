"""Windows that wait for healthy members: dialogues with a control side."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.control.checks import breaks, fails, passes
from tests.control.world import ALICE, CONFIG, HOUR, SHARED, A, B, World, member, night, site
from twisted.logger import capturedLogs, formatEvent

from sorryd.messages import (
    HistoryList,
    MemberSet,
    SiteUp,
    Status,
    WindowEnd,
    WindowExtend,
    WindowGet,
    WindowSchedule,
)
from sorryd.model import Check, Config, MemberState
from sorryd.replies import WindowPhase
from sorryd.window import GiveUp

CHECK = Check(rise=2, fall=3)
MEMBERS = (member(A, weight=3), member(B), member(SHARED, standby=True))


def config(check: Check | None) -> Config:
    shop = site("shop", *MEMBERS, check=check, drain=0.0)
    blog = site("blog", member(SHARED), check=check, drain=0.0)
    return msgspec.structs.replace(CONFIG, sites=(shop, blog))


@pytest.fixture
def checked(tmp_path: Path) -> Iterator[World]:
    world = World(str(tmp_path / "sorryd.db"), config(CHECK))
    yield world
    world.journal.close()


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[World]:
    """Without a check."""
    world = World(str(tmp_path / "sorryd.db"), config(None))
    yield world
    world.journal.close()


def tonight(**fields: Any) -> WindowSchedule:
    return night(from_="now", for_="1h", until_healthy="10m", **fields)


def to_its_end(world: World, **fields: Any) -> None:
    world.ask(tonight(**fields))
    world.wait(HOUR)


def verbs(world: World) -> list[str]:
    return [entry.verb for entry in world.journal.commits]


def written(world: World) -> list[str]:
    """What the journal has on windows."""
    entries = world.ask(HistoryList()).entries
    return [one.action for one in entries if one.action.startswith("window.")]


def test_it_reopens_when_all_are_healthy(checked: World) -> None:
    """At its end the site verifies, until every member passed a check; then it is live."""
    checked.ask(tonight())
    passes(checked)
    checked.wait(HOUR - 1)
    assert checked.phase() == "down"
    checked.wait(1)
    assert checked.phase() == "verifying"
    (shop,) = checked.ask(Status(site="shop")).sites
    assert (shop.phase, shop.until, shop.cause) == ("verifying", None, "window")
    assert shop.window.phase is WindowPhase.VERIFYING
    passes(checked, A)
    assert checked.phase() == "verifying"
    checked.wait(5)
    passes(checked, B)
    assert checked.phase() == "live"
    window = checked.ask(WindowGet(id="night"))
    assert window.phase is WindowPhase.ENDED
    assert window.verified == "2026-11-21T14:00:05+01:00"
    assert verbs(checked)[-1] == "window.verified"


def test_a_check_before_the_end_does_not_count(checked: World) -> None:
    """A check counts that began after the end was seen, whatever the wall clock does."""
    checked.ask(tonight())
    before = checked.monotonic
    checked.step(HOUR)
    checked.monotonic += 1
    checked.truth.look()
    passes(checked, began=before)
    assert checked.phase() == "verifying"
    passes(checked)
    assert checked.phase() == "live"


def test_a_member_that_fails_again_is_waited_for(checked: World) -> None:
    """One whose check failed, or a request, after it passed must pass again."""
    to_its_end(checked)
    passes(checked, A)
    fails(checked, A, times=1)
    passes(checked, B)
    assert checked.phase() == "verifying"
    passes(checked, A)
    assert checked.phase() == "live"


def test_a_request_that_fails_counts_too(checked: World) -> None:
    """A member that broke a request of an operator must pass again."""
    to_its_end(checked)
    passes(checked, A)
    breaks(checked, A)
    passes(checked, B)
    assert checked.phase() == "verifying"


def test_members_that_are_down_must_rise(checked: World) -> None:
    """A member whose checks failed is up again after as many as its site wants."""
    checked.ask(tonight())
    fails(checked)
    checked.wait(HOUR)
    passes(checked)
    assert checked.phase() == "verifying"
    passes(checked)
    assert checked.phase() == "live"


@pytest.mark.parametrize("state", [MemberState.MAINT, MemberState.DRAIN])
def test_only_those_who_would_serve(checked: World, state: MemberState) -> None:
    """Members that the operator took out are not waited for, nor is a standby member."""
    checked.ask(MemberSet(url=A, state=state))
    to_its_end(checked)
    passes(checked, B)
    assert checked.phase() == "live"


def test_nobody_would_serve(checked: World) -> None:
    """Where no other member would, the standby members are waited for; and somebody must be."""
    for url in (A, B):
        checked.ask(MemberSet(url=url, state=MemberState.MAINT))
    to_its_end(checked)
    assert checked.phase() == "verifying"
    checked.ask(MemberSet(url=f"shop/{SHARED}", weight=0))
    passes(checked, SHARED)
    assert checked.phase() == "verifying"
    checked.ask(MemberSet(url=f"shop/{SHARED}", weight=1))
    passes(checked, SHARED)
    assert checked.phase() == "live"


def test_without_a_check(plain: World) -> None:
    """A site without a check is told to be checked by connections while it verifies."""
    plain.ask(tonight())
    breaks(plain, A)
    assert not plain.published[-1].sites[0].verifying
    plain.wait(HOUR)
    assert [view.verifying for view in plain.published[-1].sites] == [True, False]
    passes(plain)  # A is on trial since its rest is over: a connection is enough
    assert plain.phase() == "live"
    assert not plain.published[-1].sites[0].verifying
    assert plain.published[-1].sites[0].members[0].health == "up"


def test_it_gives_up_and_opens(checked: World) -> None:
    """Where that was asked for, it opens when its time is over, and says so loudly."""
    to_its_end(checked, give_up=GiveUp.OPEN)
    with capturedLogs() as events:
        checked.wait(599)
        assert checked.phase() == "verifying"
        checked.wait(1)
    assert checked.phase() == "live"
    loud = [formatEvent(event) for event in events if event["log_level"].name == "error"]
    assert loud == [
        "window night of shop: no healthy members within 10m after its end; it is over all the same"
    ]
    window = checked.ask(WindowGet(id="night"))
    assert (window.phase, window.gave_up) == (WindowPhase.ENDED, "2026-11-21T14:10:00+01:00")
    assert verbs(checked)[-1] == "window.gave_up"


def test_it_gives_up_and_stays(checked: World) -> None:
    """Unless told otherwise it stays down, whoever gets well, and whatever the clock does."""
    to_its_end(checked)
    with capturedLogs() as events:
        checked.wait(600)
    assert checked.phase() == "down"
    loud = [formatEvent(event) for event in events if event["log_level"].name == "error"]
    assert loud == [
        "window night of shop: no healthy members within 10m after its end; "
        "it stays until it is ended by hand (sorryctl end night)"
    ]
    passes(checked)
    for step in (-2 * HOUR, 5 * HOUR):
        checked.step(step)
        checked.truth.look()
        assert checked.phase() == "down"
    checked.restart()
    assert checked.phase() == "down"
    (shop,) = checked.ask(Status(site="shop")).sites
    assert (shop.until, shop.window.gave_up) == (None, "2026-11-21T14:10:00+01:00")
    assert verbs(checked) == []


@pytest.mark.parametrize("seconds", [0, 10, 600, 10_000])
@pytest.mark.parametrize("request_", [SiteUp(site="shop"), WindowEnd(id="night")])
def test_by_hand(checked: World, seconds: float, request_: SiteUp | WindowEnd) -> None:
    """`up` and `end` open a site that verifies, or gave up, at once; before its end too."""
    to_its_end(checked)
    checked.wait(seconds)
    checked.ask(request_)
    assert checked.phase() == "live"
    checked.restart()
    checked.step(-HOUR)
    checked.truth.look()
    assert checked.phase() == "live"


def test_ended_early_it_is_not_verified(checked: World) -> None:
    """A window that is ended by hand in its time opens at once."""
    checked.ask(tonight())
    fails(checked)
    checked.wait(60)
    checked.ask(WindowEnd(id="night"))
    assert checked.phase() == "live"


def test_extended_it_goes_on(checked: World) -> None:
    """A window that verifies, or gave up, can get a later end, and verifies then."""
    to_its_end(checked)
    checked.wait(700)
    checked.ask(WindowExtend(id="night", until="+10m"))
    assert checked.phase() == "down"
    (shop,) = checked.ask(Status(site="shop")).sites
    assert (shop.until, shop.window.gave_up) == ("2026-11-21T14:21:40+01:00", None)
    checked.wait(600)
    assert checked.phase() == "verifying"
    passes(checked)
    assert checked.phase() == "live"


def test_every_site_by_itself(checked: World) -> None:
    """Of a window for every site each is verified by itself, the last one ends it."""
    to_its_end(checked, site=None)
    passes(checked, SHARED, site="blog")
    assert [checked.phase(name) for name in ("shop", "blog")] == ["verifying", "live"]
    assert verbs(checked)[-1] == "window.verified"
    checked.restart()
    assert [checked.phase(name) for name in ("shop", "blog")] == ["verifying", "live"]
    checked.step(-HOUR / 2)
    checked.truth.look()
    assert [checked.phase(name) for name in ("shop", "blog")] == ["down", "live"]
    checked.step(HOUR / 2)
    checked.truth.look()
    passes(checked)
    assert [checked.phase(name) for name in ("shop", "blog")] == ["live", "live"]
    assert checked.ids() == set()


def test_a_restart_checks_anew(checked: World) -> None:
    """A daemon that starts while it verifies waits for checks of its own."""
    to_its_end(checked)
    passes(checked, A)
    checked.restart()
    assert checked.phase() == "verifying"
    passes(checked, B)
    assert checked.phase() == "verifying"
    passes(checked, A)
    assert checked.phase() == "live"


@pytest.mark.parametrize("step", [-HOUR, HOUR, -50 * HOUR])
def test_what_is_verified_is_final(checked: World, step: float) -> None:
    """A clock that is set reopens nothing that was verified."""
    to_its_end(checked)
    passes(checked)
    checked.step(step)
    for _ in range(100):
        checked.wait(120)
        assert checked.phase() == "live"


def test_the_clock_steps_back_before_the_end(checked: World) -> None:
    """What was not verified is down again, and at its end all is checked anew."""
    to_its_end(checked)
    passes(checked, A)
    checked.step(-60)
    checked.truth.look()
    assert checked.phase() == "down"
    passes(checked, B)
    assert checked.phase() == "down"
    checked.wait(60)
    assert checked.phase() == "verifying"
    checked.monotonic += 1
    passes(checked, began=checked.monotonic - 30)
    assert checked.phase() == "verifying"
    passes(checked)
    assert checked.phase() == "live"


def test_another_window_opens_meanwhile(checked: World) -> None:
    """The site is down for that one; both must be over."""
    checked.ask(tonight())
    checked.ask(night("other", from_="+1h1m", for_="1h", site="shop"))
    checked.wait(HOUR)
    assert checked.phase() == "verifying"
    checked.wait(60)
    (shop,) = checked.ask(Status(site="shop")).sites
    assert (shop.phase, shop.window.id, shop.until) == (
        "down",
        "other",
        "2026-11-21T15:01:00+01:00",
    )
    passes(checked)
    assert checked.ids() == {"other"}
    assert checked.phase() == "down"
    checked.wait(HOUR)
    assert checked.phase() == "live"


def test_the_journal_follows(checked: World) -> None:
    """What was verified is so while the journal fails; it is told when it can be."""
    to_its_end(checked, site=None)
    checked.journal.broken = True
    passes(checked, SHARED, site="blog")
    passes(checked)
    assert [checked.phase(name) for name in ("shop", "blog")] == ["live", "live"]
    assert written(checked) == ["window.schedule"]
    checked.journal.broken = False
    checked.wait(1)
    checked.wait(1)
    assert written(checked) == ["window.schedule", "window.verified", "window.verified"]
    checked.restart()
    assert checked.ids() == set()


def test_an_end_by_hand_overtakes_the_journal(checked: World) -> None:
    """A line that the journal had refused does not bring back a window that was ended since."""
    to_its_end(checked)
    checked.journal.broken = True
    checked.wait(600)
    checked.journal.broken = False
    checked.journal.waiting = []
    deferred = checked.commands.execute(WindowEnd(id="night"), ALICE)
    checked.journal.let_go()
    assert deferred.called
    checked.wait(1)
    checked.restart()
    assert checked.ids() == set()
    assert checked.phase() == "live"
