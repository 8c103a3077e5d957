"""Who may get a request: tiers, shares of those that start slowly, trials, standby, the full."""

from __future__ import annotations

import pytest
from tests.policy.balanced import DOWN, DRAIN, MAINT, RESTING, TRIAL, Busy, offers, view

from sorryd.policy.balancing import Plan, shares, tiers
from sorryd.snapshot import MemberView

FULL = Busy(2, limit=2)
ROOM = Busy(1, limit=2)
FREE = Busy()
TRYING = Busy(1, trying=1)


def test_tiers() -> None:
    """Only members that are ready, weighted and neither resting nor down are in a tier."""
    views = [
        view(0),
        view(1, health=TRIAL),
        view(2, health=RESTING),
        view(3, state=DRAIN),
        view(4, state=MAINT),
        view(5, weight=0),
        view(6, standby=True),
        view(7, standby=True, health=TRIAL),
        view(8, standby=True, health=RESTING),
        view(9, state=MAINT, health=TRIAL),
        view(10),
        view(11, health=DOWN),
    ]
    assert tiers(views) == Plan(primary=(0, 10), trial=(1,), standby=(6,), standby_trial=(7,))


@pytest.mark.parametrize(
    ("views", "expected"),
    [
        pytest.param([view(0, weight=3), view(1)], (3, 1), id="nobody starts slowly"),
        pytest.param([view(0, weight=3), view(1, ramp=0.5)], (60, 10), id="half of 1"),
        pytest.param([view(0, weight=256), view(1, ramp=0.05)], (5120, 1), id="the first step"),
        pytest.param([view(0), view(1, ramp=1e-9)], (20, 1), id="at least 1"),
        pytest.param([view(0), view(1, weight=0, ramp=0.5)], (20, 0), id="nothing of nothing"),
        pytest.param([view(0, ramp=0.05), view(1, ramp=0.05)], (1, 1), id="all start together"),
    ],
)
def test_shares(views: list[MemberView], expected: tuple[int, ...]) -> None:
    """Who starts slowly gets its part of its weight, to a twentieth."""
    assert shares(views) == expected


@pytest.mark.parametrize(
    ("views", "loads", "tried", "due"),
    [
        pytest.param([view(0), view(1)], [FREE, FREE], (), (0, 1), id="all that are up"),
        pytest.param([view(0), view(1)], [FREE, FREE], (0,), (1,), id="but those tried"),
        pytest.param([view(0), view(1)], [FREE, FREE], (0, 1), (), id="all tried"),
        pytest.param([view(0), view(1)], [FULL, ROOM], (), (1,), id="one is full"),
        pytest.param([view(0), view(1)], [FULL, FULL], (), (), id="all are full"),
        pytest.param([view(0), view(1)], [FULL, ROOM], (1,), (), id="the one left is full"),
        pytest.param(
            [view(0), view(1, standby=True)], [FULL, FREE], (), (),
            id="full is not lost: the standby stays out",
        ),
        pytest.param(
            [view(0), view(1, standby=True)], [FREE, FREE], (0,), (1,), id="standby after all tried"
        ),
        pytest.param(
            [view(0, health=DOWN), view(1, standby=True)], [FREE, FULL], (), (), id="full standby"
        ),
        pytest.param([view(0), view(1, health=TRIAL)], [FREE, FREE], (), (1,), id="trial first"),
        pytest.param(
            [view(0), view(1, health=TRIAL)], [FREE, TRYING], (), (0,), id="one trial at a time"
        ),
        pytest.param(
            [view(0), view(1, health=TRIAL)], [FREE, FREE], (1,), (0,), id="trial tried already"
        ),
        pytest.param(
            [view(0), view(1, health=TRIAL)], [FREE, FULL], (), (0,),
            id="trial full of what it had before",
        ),
        pytest.param(
            [view(0, standby=True), view(1, health=TRIAL)], [FREE, TRYING], (), (0,),
            id="standby while the only trial is busy",
        ),
        pytest.param(
            [view(0, standby=True), view(1, standby=True, health=TRIAL)], [FREE, FREE], (), (0,),
            id="standby up before standby on trial",
        ),
        pytest.param(
            [view(0, health=RESTING), view(1, standby=True, health=TRIAL)], [FREE, FREE], (), (1,),
            id="standby on trial as the last",
        ),
        pytest.param(
            [view(0, health=RESTING), view(1, standby=True, health=TRIAL)], [FREE, TRYING], (), (),
            id="nobody while the last trial is busy",
        ),
        pytest.param([view(0, health=RESTING)], [FREE], (), (), id="all resting"),
        pytest.param([], [], (), (), id="no members"),
    ],
)  # fmt: skip
def test_due(
    views: list[MemberView], loads: list[Busy], tried: tuple[int, ...], due: tuple[int, ...]
) -> None:
    """A request is shared by the tier that is due, without those that are full."""
    assert offers(views, loads).due(tried) == due


@pytest.mark.parametrize(
    ("views", "loads", "tried", "expected"),
    [
        pytest.param([view(0), view(1)], [FULL, FULL], (), True, id="both"),
        pytest.param([view(0), view(1)], [FULL, FULL], (0,), True, id="the other one"),
        pytest.param([view(0), view(1)], [FULL, FREE], (0,), False, id="the tried one"),
        pytest.param([view(0, health=DOWN)], [FULL], (), False, id="one that is down"),
        pytest.param([view(0, state=DRAIN)], [FULL], (), False, id="one in drain"),
        pytest.param([view(0, health=TRIAL)], [FULL], (), True, id="one on trial"),
        pytest.param([view(0, health=TRIAL)], [TRYING], (), False, id="a trial is no fullness"),
        pytest.param([view(0, standby=True)], [FULL], (), True, id="a standby"),
        pytest.param([view(0)], [Busy(9)], (), False, id="no limit"),
    ],
)
def test_is_anybody_full(
    views: list[MemberView], loads: list[Busy], tried: tuple[int, ...], expected: bool
) -> None:
    """To wait is of use where one who may get the request is merely full."""
    assert offers(views, loads).is_anybody_full(tried) is expected
