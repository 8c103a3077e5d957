"""The commands of the control socket for members."""

from __future__ import annotations

import pytest
from tests.control.world import SHARED, A, World

from sorryd.messages import MemberSet
from sorryd.model import MemberState


@pytest.mark.parametrize(
    ("url", "site", "found"),
    [
        pytest.param(A, None, "shop", id="by URL"),
        pytest.param(f"{A}/", None, "shop", id="with a slash"),
        pytest.param(f"blog/{SHARED}", None, "blog", id="by site and URL"),
        pytest.param(SHARED, "blog", "blog", id="by URL, the site apart"),
    ],
)
def test_member_names(world: World, url: str, site: str | None, found: str) -> None:
    """A member is named by its URL, with its site where two share it."""
    member = world.ask(MemberSet(url=url, site=site, state=MemberState.DRAIN))
    assert (member.site, member.state) == (found, MemberState.DRAIN)


def test_member_settings_add_up(world: World) -> None:
    """State and weight are set apart, published at once, and outlive a restart."""
    world.ask(MemberSet(url=A, state=MemberState.MAINT))
    member = world.ask(MemberSet(url=A, weight=0))
    assert (member.state, member.weight) == (MemberState.MAINT, 0)
    world.restart()
    view = world.published[-1].sites[0].members[0]
    assert (view.state, view.weight) == (MemberState.MAINT, 0)
    member = world.ask(MemberSet(url=A, state=MemberState.READY))
    assert (member.state, member.weight) == (MemberState.READY, 0)
    written = len(world.journal.commits)
    world.ask(MemberSet(url=A, state=MemberState.READY, weight=0))
    assert world.journal.commits[written:] == []
