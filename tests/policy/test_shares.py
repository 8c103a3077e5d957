"""What one of several workers serves by."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.policy.balanced import DOWN, RESTING, TRIAL, UP, view
from tests.policy.windows import planned, site

from sorryd.model import Health, MemberState
from sorryd.policy.shares import Share, mine
from sorryd.snapshot import MemberView, SiteView, Snapshot


def snapshot(*members: MemberView, connections: int = 10000, queue: int = 1000) -> Snapshot:
    shop = site(
        "shop",
        members=tuple(view.member for view in members),
        max_connections=connections,
        max_queue=queue,
    )
    windows = tuple(planned(f"w{at}", float(at), None) for at in range(3))
    return Snapshot(serial=7, sites=(SiteView(site=shop, members=members, windows=windows),))


def limited(port: int, limit: int) -> MemberView:
    plain = view(port)
    return replace(plain, member=replace(plain.member, max_connections=limit))


def limits(published: Snapshot, number: int, of: int) -> list[int]:
    (shop,) = mine(published, Share(number=number, of=of)).sites
    assert [view.member for view in shop.members] == list(shop.site.members)
    return [view.member.max_connections for view in shop.members]


def test_the_only_worker() -> None:
    """Where there is no other, what was published is served by, untouched."""
    published = snapshot(limited(1, 50), replace(view(2), health=TRIAL))
    assert mine(published, Share(number=1, of=1)) is published


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=4), st.integers(2, 8))
def test_limits_of_members_add_up(wanted: list[int], of: int) -> None:
    """All workers together send a member exactly as much as it may get, and each at least one."""
    wanted = [max(limit, of) for limit in wanted]
    published = snapshot(*(limited(port, limit) for port, limit in enumerate(wanted, 1)))
    parts = [limits(published, number, of) for number in range(1, of + 1)]
    assert [sum(column) for column in zip(*parts, strict=True)] == wanted
    assert all(max(column) - min(column) <= 1 for column in zip(*parts, strict=True))
    assert min(map(min, parts)) >= 1


def test_what_is_left_over_goes_round() -> None:
    """What can't be split evenly is not always the same worker's."""
    published = snapshot(*(limited(port, 3) for port in (1, 2, 3, 4)))
    assert limits(published, 1, 2) == [2, 1, 2, 1]
    assert limits(published, 2, 2) == [1, 2, 1, 2]


def test_no_limit() -> None:
    """A member without a limit has none in any worker."""
    assert limits(snapshot(view(1), limited(2, 8)), 1, 4) == [0, 2]


@pytest.mark.parametrize(
    ("whole", "of", "part"), [(10000, 4, 2500), (10, 4, 3), (1, 4, 1), (0, 4, 0)]
)
def test_limits_of_a_site(whole: int, of: int, part: int) -> None:
    """Visitors and those that wait are split among workers, rounded up."""
    published = snapshot(view(1), connections=max(whole, 1), queue=whole)
    for number in range(1, of + 1):
        (shop,) = mine(published, Share(number=number, of=of)).sites
        assert (shop.site.max_connections, shop.site.max_queue) == (max(part, 1), part)


@pytest.mark.parametrize(
    ("health", "seen"),
    [(UP, [UP, UP, UP]), (RESTING, [RESTING] * 3), (DOWN, [DOWN] * 3),
     (TRIAL, [RESTING, TRIAL, RESTING])],
)  # fmt: skip
@pytest.mark.parametrize("other", [view(2), view(2, standby=True)])
def test_one_worker_tries(health: Health, seen: list[Health], other: MemberView) -> None:
    """A member on trial is so for the worker that has the leave; for the others it rests."""
    published = snapshot(replace(view(1), health=health, trial=2), other)
    found = [mine(published, Share(number=number, of=3)) for number in (1, 2, 3, 0)]
    finishing = RESTING if health is TRIAL else health
    assert [one.sites[0].members[0].health for one in found] == [*seen, finishing]


@pytest.mark.parametrize(
    "other",
    [view(2, health=RESTING), view(2, health=DOWN), view(2, weight=0),
     view(2, state=MemberState.MAINT), replace(view(2, health=TRIAL), trial=1)],
)  # fmt: skip
def test_all_try_where_nobody_else_is_up(other: MemberView) -> None:
    """The holder of the leave still has to tell; the others try without one."""
    published = snapshot(replace(view(1), health=TRIAL, trial=2), other)
    found = [mine(published, Share(number=number, of=3)) for number in (1, 2, 3, 0)]
    seen = [one.sites[0].members[0] for one in found]
    assert [(one.health, one.trial) for one in seen] == [(TRIAL, n) for n in (0, 2, 0, 0)]


def test_the_rest_is_shared() -> None:
    """Windows are not copied, however many there are, nor members that have no limit."""
    published = snapshot(view(1), limited(2, 8))
    found = mine(published, Share(number=2, of=2))
    before, after = published.sites[0], found.sites[0]
    assert after.windows is before.windows
    assert after.members[0] is before.members[0]
    assert found.serial == 7
