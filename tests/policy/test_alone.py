"""Members' health in an edge whose control process is gone."""

from __future__ import annotations

import pytest
from tests.configs import load

from sorryd.model import Health
from sorryd.policy.alone import Alone, alone, heard, looked
from sorryd.reports import CheckFailed, MemberAnswered, MemberFailed, Report
from sorryd.snapshot import MemberView, SiteView, Snapshot

SITE = load(
    "[site shop]\nlisten = 127.0.0.1:80\nmembers =\n"
    "    http://10.0.0.1 retry=5\n    http://10.0.0.2 retry=5\n"
).sites[0]
ONE, TWO = (member.url for member in SITE.members)


def snapshot(*healths: Health) -> Snapshot:
    members = tuple(
        MemberView(member=member, health=health, trial=2)
        for member, health in zip(SITE.members, healths, strict=True)
    )
    return Snapshot(serial=7, sites=(SiteView(site=SITE, members=members),))


def healths(of: Alone) -> list[Health]:
    return [one.health for one in of.snapshot.sites[0].members]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Health.UP, Health.UP),
        (Health.RESTING, Health.TRIAL),
        (Health.DOWN, Health.TRIAL),
        (Health.TRIAL, Health.TRIAL),
    ],
)
def test_at_first(before: Health, after: Health) -> None:
    """Who was not up is tried: nobody else will say that it is well again."""
    assert healths(alone(snapshot(before, Health.UP))) == [after, Health.UP]


def test_leave_to_try() -> None:
    """No other worker is waited for: each may try."""
    found = alone(snapshot(Health.RESTING, Health.UP))
    assert [one.trial for one in found.snapshot.sites[0].members] == [0, 0]


def test_a_member_fails_and_comes_back() -> None:
    """A member that fails rests for `retry`, is tried, and is up again when it answers."""
    state = alone(snapshot(Health.UP, Health.UP))
    story: list[tuple[float, Report | None, Health]] = [
        (100.0, MemberFailed(site="shop", url=ONE, why="refused"), Health.RESTING),
        (101.0, MemberFailed(site="shop", url=ONE, why="refused"), Health.RESTING),
        (104.9, None, Health.RESTING),
        (105.0, None, Health.TRIAL),
        (105.1, MemberFailed(site="shop", url=ONE, why="refused"), Health.RESTING),
        (110.1, None, Health.TRIAL),
        (110.2, MemberAnswered(site="shop", url=ONE), Health.UP),
    ]
    for now, report, health in story:
        state = looked(state, now) if report is None else heard(state, report, now)
        assert healths(state) == [health, Health.UP]
    assert state.snapshot.serial == 7


@pytest.mark.parametrize(
    "report",
    [
        MemberAnswered(site="shop", url=TWO),
        MemberAnswered(site="wiki", url=ONE),
        MemberFailed(site="shop", url="http://10.0.0.9", why="refused"),
        CheckFailed(site="shop", url=ONE, why="late"),
    ],
)
def test_what_changes_nothing(report: Report) -> None:
    """What says nothing new leaves the value as it is, so that nothing has to be published."""
    state = alone(snapshot(Health.RESTING, Health.UP))
    assert heard(state, report, 5.0) is state
    assert looked(state, 1e9) is state
