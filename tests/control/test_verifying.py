"""Windows that wait for healthy members: dialogues with a control side."""

from __future__ import annotations

import pytest
from tests.control.checks import breaks, fails, passes, to_its_end, tonight
from tests.control.world import HOUR, SHARED, A, B, World, night
from twisted.logger import capturedLogs, formatEvent

from sorryd.messages import MemberSet, SiteUp, Status, WindowEnd, WindowExtend, WindowGet
from sorryd.model import MemberState
from sorryd.replies import WindowPhase
from sorryd.window import GiveUp


def verbs(world: World) -> list[str]:
    return [entry.verb for entry in world.journal.commits]


def test_it_reopens_when_all_are_healthy(guarded: World) -> None:
    """At its end the site verifies, until every member passed a check; then it is live."""
    guarded.ask(tonight())
    passes(guarded)
    guarded.wait(HOUR - 1)
    assert guarded.phase() == "down"
    guarded.wait(1)
    assert guarded.phase() == "verifying"
    (shop,) = guarded.ask(Status(site="shop")).sites
    assert (shop.phase, shop.until, shop.cause) == ("verifying", None, "window")
    assert shop.window.phase is WindowPhase.VERIFYING
    passes(guarded, A)
    assert guarded.phase() == "verifying"
    guarded.wait(5)
    passes(guarded, B)
    assert guarded.phase() == "live"
    window = guarded.ask(WindowGet(id="night"))
    assert window.phase is WindowPhase.ENDED
    assert window.verified == "2026-11-21T14:00:05+01:00"
    assert verbs(guarded)[-1] == "window.verified"


def test_a_check_before_the_end_does_not_count(guarded: World) -> None:
    """A check counts that began after the end was seen, whatever the wall clock does."""
    guarded.ask(tonight())
    before = guarded.monotonic
    guarded.step(HOUR)
    guarded.monotonic += 1
    guarded.truth.look()
    passes(guarded, began=before)
    assert guarded.phase() == "verifying"
    passes(guarded)
    assert guarded.phase() == "live"


def test_a_member_that_fails_again_is_waited_for(guarded: World) -> None:
    """One whose check failed, or a request, after it passed must pass again."""
    to_its_end(guarded)
    passes(guarded, A)
    fails(guarded, A, times=1)
    passes(guarded, B)
    assert guarded.phase() == "verifying"
    passes(guarded, A)
    assert guarded.phase() == "live"


def test_a_request_that_fails_counts_too(guarded: World) -> None:
    """A member that broke a request of an operator must pass again."""
    to_its_end(guarded)
    passes(guarded, A)
    breaks(guarded, A)
    passes(guarded, B)
    assert guarded.phase() == "verifying"


def test_members_that_are_down_must_rise(guarded: World) -> None:
    """A member whose checks failed is up again after as many as its site wants."""
    guarded.ask(tonight())
    fails(guarded)
    guarded.wait(HOUR)
    passes(guarded)
    assert guarded.phase() == "verifying"
    passes(guarded)
    assert guarded.phase() == "live"


@pytest.mark.parametrize("state", [MemberState.MAINT, MemberState.DRAIN])
def test_only_those_who_would_serve(guarded: World, state: MemberState) -> None:
    """Members that the operator took out are not waited for, nor is a standby member."""
    guarded.ask(MemberSet(url=A, state=state))
    to_its_end(guarded)
    passes(guarded, B)
    assert guarded.phase() == "live"


def test_nobody_would_serve(guarded: World) -> None:
    """Where no other member would, the standby members are waited for; and somebody must be."""
    for url in (A, B):
        guarded.ask(MemberSet(url=url, state=MemberState.MAINT))
    to_its_end(guarded)
    assert guarded.phase() == "verifying"
    guarded.ask(MemberSet(url=f"shop/{SHARED}", weight=0))
    passes(guarded, SHARED)
    assert guarded.phase() == "verifying"
    guarded.ask(MemberSet(url=f"shop/{SHARED}", weight=1))
    passes(guarded, SHARED)
    assert guarded.phase() == "live"


def test_without_a_check(plain: World) -> None:
    """A site without a check is told to be guarded by connections while it verifies."""
    plain.ask(tonight())
    breaks(plain, A)
    assert not plain.published[-1].sites[0].verifying
    plain.wait(HOUR)
    assert [view.verifying for view in plain.published[-1].sites] == [True, False]
    passes(plain)  # A is on trial since its rest is over: a connection is enough
    assert plain.phase() == "live"
    assert not plain.published[-1].sites[0].verifying
    assert plain.published[-1].sites[0].members[0].health == "up"


def test_a_connection_that_fails(plain: World) -> None:
    """Without a check, a member that can't be connected to rests, and must take one then."""
    plain.ask(tonight())
    plain.wait(HOUR)
    passes(plain, B)
    fails(plain, A, times=1)
    members = plain.published[-1].sites[0].members
    assert [view.health for view in members] == ["resting", "up", "up"]
    passes(plain, A)
    assert plain.phase() == "verifying"
    plain.wait(5)
    passes(plain, A)
    assert plain.phase() == "live"


def test_it_gives_up_and_opens(guarded: World) -> None:
    """Where that was asked for, it opens when its time is over, and says so loudly."""
    to_its_end(guarded, give_up=GiveUp.OPEN)
    with capturedLogs() as events:
        guarded.wait(599)
        assert guarded.phase() == "verifying"
        guarded.wait(1)
    assert guarded.phase() == "live"
    loud = [formatEvent(event) for event in events if event["log_level"].name == "error"]
    assert loud == [
        "window night of shop: no healthy members within 10m after its end; it is over all the same"
    ]
    window = guarded.ask(WindowGet(id="night"))
    assert (window.phase, window.gave_up) == (WindowPhase.ENDED, "2026-11-21T14:10:00+01:00")
    assert verbs(guarded)[-1] == "window.gave_up"


def test_it_gives_up_and_stays(guarded: World) -> None:
    """Unless told otherwise it stays down, whoever gets well, and whatever the clock does."""
    to_its_end(guarded)
    with capturedLogs() as events:
        guarded.wait(600)
    assert guarded.phase() == "down"
    loud = [formatEvent(event) for event in events if event["log_level"].name == "error"]
    assert loud == [
        "window night of shop: no healthy members within 10m after its end; "
        "it stays until it is ended by hand (sorryctl end night)"
    ]
    passes(guarded)
    for step in (-2 * HOUR, 5 * HOUR):
        guarded.step(step)
        guarded.truth.look()
        assert guarded.phase() == "down"
    guarded.restart()
    assert guarded.phase() == "down"
    (shop,) = guarded.ask(Status(site="shop")).sites
    assert (shop.until, shop.window.gave_up) == (None, "2026-11-21T14:10:00+01:00")
    assert verbs(guarded) == []


@pytest.mark.parametrize("seconds", [0, 10, 600, 10_000])
@pytest.mark.parametrize("request_", [SiteUp(site="shop"), WindowEnd(id="night")])
def test_by_hand(guarded: World, seconds: float, request_: SiteUp | WindowEnd) -> None:
    """`up` and `end` open a site that verifies, or gave up, at once; before its end too."""
    to_its_end(guarded)
    guarded.wait(seconds)
    guarded.ask(request_)
    assert guarded.phase() == "live"
    guarded.restart()
    guarded.step(-HOUR)
    guarded.truth.look()
    assert guarded.phase() == "live"


def test_ended_early_it_is_not_verified(guarded: World) -> None:
    """A window that is ended by hand in its time opens at once."""
    guarded.ask(tonight())
    fails(guarded)
    guarded.wait(60)
    guarded.ask(WindowEnd(id="night"))
    assert guarded.phase() == "live"


def test_extended_it_goes_on(guarded: World) -> None:
    """A window that verifies, or gave up, can get a later end, and verifies then."""
    to_its_end(guarded)
    guarded.wait(700)
    guarded.ask(WindowExtend(id="night", until="+10m"))
    assert guarded.phase() == "down"
    (shop,) = guarded.ask(Status(site="shop")).sites
    assert (shop.until, shop.window.gave_up) == ("2026-11-21T14:21:40+01:00", None)
    guarded.wait(600)
    assert guarded.phase() == "verifying"
    passes(guarded)
    assert guarded.phase() == "live"


def test_another_window_opens_meanwhile(guarded: World) -> None:
    """The site is down for that one; both must be over."""
    guarded.ask(tonight())
    guarded.ask(night("other", from_="+1h1m", for_="1h", site="shop"))
    guarded.wait(HOUR)
    assert guarded.phase() == "verifying"
    guarded.wait(60)
    (shop,) = guarded.ask(Status(site="shop")).sites
    assert (shop.phase, shop.window.id, shop.until) == (
        "down",
        "other",
        "2026-11-21T15:01:00+01:00",
    )
    passes(guarded)
    assert guarded.ids() == {"other"}
    assert guarded.phase() == "down"
    guarded.wait(HOUR)
    assert guarded.phase() == "live"
