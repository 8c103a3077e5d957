"""The truth: what it publishes and tells of members that are checked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest
from tests.control.world import CONFIG, NOON, SHARED, A, B, World, member, result, site
from twisted.logger import LogEvent, capturedLogs, formatEvent

from sorryd.journal import HistoryEntry, MemberPut
from sorryd.model import Check, Config, Health, MemberState, Site
from sorryd.reports import CheckFailed, CheckPassed, MemberAnswered, MemberFailed

CHECK = Check(rise=2, fall=3)


def configured(*sites: Site) -> Config:
    return msgspec.structs.replace(CONFIG, sites=sites)


CHECKED = configured(
    site("shop", member(A), member(B), check=CHECK), site("blog", member(SHARED), check=CHECK)
)


@pytest.fixture
def checked(tmp_path: Path) -> Iterator[World]:
    world = World(str(tmp_path / "sorryd.db"), CHECKED)
    for one in CHECKED.sites:
        for each in one.members:
            world.truth.report(CheckPassed(site=one.name, url=each.url, began=world.monotonic))
    yield world
    world.journal.close()


def healths(world: World, at: int = 0) -> list[str]:
    return [view.health.value for view in world.published[-1].sites[at].members]


def passes(world: World, url: str = A, site: str = "shop") -> None:
    world.truth.report(CheckPassed(site=site, url=url, began=world.monotonic))


def fails(world: World, url: str = A, site: str = "shop", why: str = "answered 500") -> None:
    world.truth.report(CheckFailed(site=site, url=url, why=why))


def breaks(world: World, url: str = A, site: str = "shop") -> None:
    """A request fails there."""
    world.truth.report(MemberFailed(site=site, url=url, why="connection reset"))


def told(events: Sequence[LogEvent]) -> list[str]:
    return [formatEvent(event) for event in events]


def put(world: World, *settings: MemberPut) -> None:
    result(world.journal.commit(settings, HistoryEntry(at=NOON, verb="member.set")))
    world.truth.apply(settings)


def test_checks_take_a_member_down_and_up(checked: World) -> None:
    """After `fall` fails in a row, and after `rise` passes; each is one line and one snapshot."""
    with capturedLogs() as events:
        for expected in ("up", "up", "down", "down"):
            fails(checked)
            assert healths(checked) == [expected, "up"]
        assert len(checked.published) == 2
        for expected in ("down", "up", "up"):
            passes(checked)
            assert healths(checked) == [expected, "up"]
        assert len(checked.published) == 3
    assert told(events) == [
        f"site shop: member {A} is down (check failed 3 times: answered 500)",
        f"site shop: member {A} is back (check passed 2 times)",
    ]


def test_checks_of_a_site_are_its_own(checked: World) -> None:
    """A member that is down for one site is what it was for another."""
    for _ in range(3):
        fails(checked, SHARED, "blog")
        fails(checked, SHARED, "shop")
    assert healths(checked, 1) == ["down"]
    assert healths(checked) == ["up", "up"]


def test_the_first_check_decides(tmp_path: Path) -> None:
    """At the start all members serve; one failed check takes each of them down."""
    world = World(str(tmp_path / "sorryd.db"), CHECKED)
    assert healths(world) == ["up", "up"]
    with capturedLogs() as events:
        fails(world, why="connection refused")
        passes(world, B)
        fails(world, B)
    assert healths(world) == ["down", "up"]
    assert told(events) == [
        f"site shop: member {A} is down (check failed: connection refused)",
    ]
    world.journal.close()


def test_all_are_down(checked: World) -> None:
    """When its last member is down, a site has none, and the log says so once."""
    with capturedLogs() as events:
        for _ in range(4):
            fails(checked, A)
            fails(checked, B)
        passes(checked, B)
        passes(checked, B)
    assert [line for line in told(events) if "no member" in line or "up again" in line] == [
        "site shop: no member is up",
        "site shop: a member is up again",
    ]


def test_a_failed_request_rests_a_member_until_its_checks_pass(checked: World) -> None:
    """The rest is over, but nobody tries the member: the checks say when it is back."""
    with capturedLogs() as events:
        breaks(checked)
        assert healths(checked) == ["resting", "up"]
        assert checked.wakes[-1] == NOON + 5
        passes(checked)
        checked.wait(5)
        assert healths(checked) == ["resting", "up"]
        checked.truth.report(MemberAnswered(site="shop", url=A))
        assert healths(checked) == ["resting", "up"]
        assert checked.wakes[-1] > NOON + 5, "nothing more follows by itself"
        passes(checked)
        assert healths(checked) == ["up", "up"]
    assert told(events) == [
        f"site shop: member {A} failed (connection reset); it rests for 5s",
        f"site shop: member {A} is back (check passed 2 times)",
    ]


def test_checks_pass_before_the_rest_is_over(checked: World) -> None:
    """Then the member is back with the end of its rest."""
    breaks(checked)
    passes(checked)
    passes(checked)
    assert healths(checked) == ["resting", "up"]
    checked.wait(5)
    assert healths(checked) == ["up", "up"]


def test_a_member_that_comes_and_goes_rests_longer(checked: World) -> None:
    """Its checks pass, its requests do not: each rest is twice as long as the one before."""
    with capturedLogs() as events:
        for seconds in (5, 10, 20):
            breaks(checked)
            passes(checked)
            passes(checked)
            checked.wait(seconds - 0.1)
            assert healths(checked) == ["resting", "up"]
            checked.wait(0.2)
            assert healths(checked) == ["up", "up"]
    assert [line.rsplit(" ", 1)[1] for line in told(events) if "rests" in line] == [
        "5s",
        "10s",
        "20s",
    ]


def test_the_last_member_is_left_to_its_checks(checked: World) -> None:
    """Requests that fail take no site down whose last member passes its checks."""
    with capturedLogs() as events:
        breaks(checked, A)
        before = len(checked.published)
        for _ in range(3):
            breaks(checked, B)
        assert healths(checked) == ["resting", "up"]
        assert len(checked.published) == before
        passes(checked, B)
        breaks(checked, B)
        fails(checked, B)
    assert healths(checked) == ["resting", "down"]
    assert told(events)[1:] == [
        *[f"site shop: member {B} failed (connection reset); it goes on"] * 2,
        f"site shop: member {B} is down (check failed: answered 500)",
        "site shop: no member is up",
    ]


@pytest.mark.parametrize("state", [MemberState.DRAIN, MemberState.MAINT])
def test_who_gets_no_requests_is_no_other(checked: World, state: MemberState) -> None:
    """A member that the operator has taken out does not stand in for the last one."""
    put(checked, MemberPut(site="shop", url=B, state=state))
    breaks(checked, A)
    assert healths(checked)[0] == "up"


def test_out_of_maintenance(checked: World) -> None:
    """A member that was down is up at once, as in HAProxy, and its next check decides."""
    for _ in range(3):
        fails(checked)
    put(checked, MemberPut(site="shop", url=A, state=MemberState.MAINT))
    assert healths(checked) == ["down", "up"]
    put(checked, MemberPut(site="shop", url=A))
    assert healths(checked) == ["up", "up"]
    fails(checked)
    assert healths(checked) == ["down", "up"]


def test_out_of_drain(checked: World) -> None:
    """Drain is no maintenance: what the checks say of the member holds on."""
    put(checked, MemberPut(site="shop", url=A, state=MemberState.DRAIN))
    for _ in range(3):
        fails(checked)
    put(checked, MemberPut(site="shop", url=A))
    assert healths(checked) == ["down", "up"]


@pytest.mark.parametrize("site_name", ["shop", "no such site"])
def test_checks_of_strangers(checked: World, site_name: str) -> None:
    """A check of a member that is not configured changes nothing."""
    for _ in range(5):
        fails(checked, "http://stranger:1", site_name)
    assert len(checked.published) == 1


# --- another configuration ---


def test_the_check_goes(checked: World) -> None:
    """A member that is down is tried; a check that was still under way changes nothing."""
    for _ in range(3):
        fails(checked)
    checked.truth.configure(configured(site("shop", member(A), member(B))))
    assert healths(checked) == ["trial", "up"]
    for _ in range(3):
        fails(checked, B)
        passes(checked, A)
    assert healths(checked) == ["trial", "up"]


def test_a_check_comes(world: World) -> None:
    """Who is up stays so; who is on trial waits for the checks."""
    world.truth.report(MemberFailed(site="shop", url=A, why="reset"))
    world.wait(5)
    assert healths(world) == ["trial", "up", "up"]
    world.truth.configure(CHECKED)
    assert healths(world) == ["resting", "up"]
    fails(world, B)
    assert healths(world) == ["resting", "up"]
    passes(world, A)
    passes(world, A)
    assert healths(world) == ["up", "up"]


def test_members_come_and_go(checked: World) -> None:
    """A new member begins as at the start; one that goes is forgotten, and begins so again."""
    for _ in range(3):
        fails(checked)
    only_b = configured(site("shop", member(B), check=CHECK))
    checked.truth.configure(only_b)
    assert healths(checked) == ["up"]
    checked.truth.configure(CHECKED)
    assert healths(checked) == ["up", "up"]
    fails(checked)
    assert healths(checked) == ["down", "up"]


def test_a_member_that_stays_keeps_its_health(checked: World) -> None:
    """Another weight, `retry` or check does not make a member that is down serve."""
    for _ in range(3):
        fails(checked)
    other = site("shop", member(A, weight=7, retry=1.0), member(B), check=Check(rise=1))
    checked.truth.configure(configured(other))
    assert checked.published[-1].sites[0].members[0].weight == 7
    assert healths(checked) == ["down", "up"]
    passes(checked)
    assert checked.published[-1].sites[0].members[0].health is Health.UP
