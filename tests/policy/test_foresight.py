"""What a worker takes for so until the control side has said it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec.structs import replace
from tests.policy.balanced import DOWN, RESTING, TRIAL, UP, view
from tests.policy.windows import site

from sorryd.model import Check, Health
from sorryd.policy.foresight import foreseen
from sorryd.reports import EdgePassed, MemberAnswered, MemberFailed, Report
from sorryd.snapshot import SiteView, Snapshot

FAILED = MemberFailed(site="shop", url=view(1).member.url, why="connection refused")
ANSWERED = MemberAnswered(site="shop", url=view(1).member.url)


def snapshot(*healths: Health, checked: bool = False) -> Snapshot:
    """A site whose members, from port 1 on, are so, and another one that has nothing to say."""
    members = tuple(view(port, health=health) for port, health in enumerate(healths, 1))
    check = Check() if checked else None
    shop = site("shop", members=tuple(one.member for one in members), check=check)
    sites = SiteView(site=site("blog"), members=()), SiteView(site=shop, members=members)
    return Snapshot(serial=7, sites=sites)


def healths(published: Snapshot) -> list[Health]:
    return [one.health for one in published.sites[1].members]


@pytest.mark.parametrize(
    ("report", "before", "checked", "after"),
    [
        (FAILED, [UP, UP], False, [RESTING, UP]),
        (FAILED, [UP], False, [RESTING]),
        (FAILED, [TRIAL], False, [RESTING]),
        (FAILED, [RESTING, UP], False, [RESTING, UP]),
        (FAILED, [UP, UP], True, [RESTING, UP]),
        (FAILED, [UP], True, [UP]),  # the checks decide
        (FAILED, [UP, DOWN], True, [UP, DOWN]),
        (ANSWERED, [TRIAL, UP], False, [UP, UP]),
        (ANSWERED, [RESTING, UP], False, [RESTING, UP]),
        (EdgePassed(site="shop", at=0.0), [TRIAL], False, [TRIAL]),
    ],
)
def test_members(
    report: Report, before: Sequence[Health], checked: bool, after: Sequence[Health]
) -> None:
    """A member is what the control side will say; where that is what it was, nothing changes."""
    published = snapshot(*before, checked=checked)
    found = foreseen(published, report)
    assert healths(found) == after
    assert (found is published) is (before == after)
    assert found.sites[0] is published.sites[0]


@pytest.mark.parametrize(
    ("before", "after"),
    [([UP], TRIAL), ([UP, RESTING], TRIAL), ([TRIAL], TRIAL), ([UP, UP], RESTING)],
)
def test_without_a_rest(before: Sequence[Health], after: Health) -> None:
    """With `retry` 0 the last member is tried again at once, by every worker."""
    published = snapshot(*before)
    members = tuple(
        replace(one, member=replace(one.member, retry=0.0), trial=1)
        for one in published.sites[1].members
    )
    shop = replace(published.sites[1], members=members)
    found = foreseen(replace(published, sites=(published.sites[0], shop)), FAILED)
    assert healths(found)[0] is after
    if after is not before[0]:
        assert found.sites[1].members[0].trial == 0


def test_a_member_that_is_not_there() -> None:
    """A report of a member or a site that is gone says nothing."""
    published = snapshot(UP)
    for report in (
        MemberFailed(site="shop", url="http://10.9.9.9", why=""),
        MemberFailed(site="wiki", url=FAILED.url, why=""),
    ):
        assert foreseen(published, report) is published
