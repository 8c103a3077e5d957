"""Balancing: the order of smooth weighted round robin, tiers, trials and standby."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorryd.model import (
    Health,
    Member,
    MemberState,
)
from sorryd.policy import balancing
from sorryd.policy.balancing import Picker, Plan, Rotation, tiers
from sorryd.snapshot import (
    MemberView,
)

READY, DRAIN, MAINT = MemberState.READY, MemberState.DRAIN, MemberState.MAINT
UP, RESTING, TRIAL = Health.UP, Health.RESTING, Health.TRIAL

weights_in_use = st.lists(st.integers(0, 20), min_size=1, max_size=7).filter(any)


def view(
    port: int,
    *,
    weight: int = 1,
    standby: bool = False,
    state: MemberState = READY,
    health: Health = UP,
) -> MemberView:
    member = Member(url=f"http://127.0.0.1:{port}", host="127.0.0.1", port=port, standby=standby)
    return MemberView(member=member, state=state, weight=weight, health=health)


def picker(*views: MemberView) -> Picker:
    return Picker(tiers(views), views)


def picks(rotation: Rotation, count: int) -> list[int]:
    return [rotation.pick() for _ in range(count)]


def reference(weights: Sequence[int], count: int) -> list[int]:
    """Smooth weighted round robin in its plainest form, for comparison."""
    standing = dict.fromkeys((i for i, w in enumerate(weights) if w), 0)
    order = []
    for _ in range(count):
        for index in standing:
            standing[index] += weights[index]
        best = max(standing, key=lambda index: (standing[index], -index))
        standing[best] -= sum(weights)
        order.append(best)
    return order


@pytest.mark.parametrize(
    ("weights", "order"),
    [
        pytest.param((5, 1, 1), "aabacaa", id="nginx's example"),
        pytest.param((1,), "a", id="one member"),
        pytest.param((1, 1, 1), "abc", id="equal weights"),
        pytest.param((3, 1), "aaba", id="three to one"),
        pytest.param((300, 100), "aaba", id="reduced by the divisor"),
        pytest.param((4, 2, 0, 1), "abadaba", id="weight 0 gets nothing"),
    ],
)
def test_order(weights: tuple[int, ...], order: str) -> None:
    """A rotation follows nginx's order, the same in every period."""
    rotation = Rotation(weights)
    assert "".join("abcd"[i] for i in picks(rotation, 3 * len(order))) == 3 * order


@pytest.mark.parametrize("weights", [(), (0, 0), (2, -1)], ids=["none", "all 0", "negative"])
def test_weights_refused(weights: tuple[int, ...]) -> None:
    """Weights that give no order are an error, not an endless search."""
    with pytest.raises(ValueError, match="weights"):
        Rotation(weights)


def test_three_to_one() -> None:
    """Weights 3 and 1 share 400 requests as exactly 300 and 100."""
    fair = picker(view(1, weight=3), view(2, weight=1))
    assert Counter(fair.pick() for _ in range(400)) == {0: 300, 1: 100}


@given(weights_in_use)
def test_each_period_is_exact(weights: list[int]) -> None:
    """Each sum(weights) picks hold every member exactly as often as its weight says."""
    rotation = Rotation(weights)
    expected = {index: weight for index, weight in enumerate(weights) if weight}
    for _ in range(3):
        assert Counter(picks(rotation, sum(weights))) == expected


@given(weights_in_use, st.integers(1, 300))
def test_same_as_reference(weights: list[int], count: int) -> None:
    """Step by step, a rotation equals the plain algorithm, remembered or not."""
    assert picks(Rotation(weights), count) == reference(weights, count)


@given(weights_in_use)
def test_long_periods_are_stepped(weights: list[int]) -> None:
    """A period too long to remember is still followed exactly."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(balancing, "REMEMBERED_STEPS", 3)
        rotation = Rotation(weights)
        assert picks(rotation, 100) == reference(weights, 100)


def test_tiers() -> None:
    """Only members that are ready, weighted and not resting are in a tier."""
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
    ]
    assert tiers(views) == Plan(primary=(0, 10), trial=(1,), standby=(6,), standby_trial=(7,))


BUSY_1 = frozenset({"http://127.0.0.1:1"})


@pytest.mark.parametrize(
    ("views", "busy", "tried", "order"),
    [
        pytest.param([view(0), view(1, standby=True)], (), (), [0, 0], id="standby waits"),
        pytest.param(
            [view(0, health=RESTING), view(1, standby=True)], (), (), [1, 1], id="standby serves"
        ),
        pytest.param(
            [view(0, state=DRAIN), view(1, standby=True)], (), (), [1, 1], id="standby for drain"
        ),
        pytest.param(
            [view(0), view(1, health=TRIAL)], (), (), [1, 1], id="trial goes first while free"
        ),
        pytest.param(
            [view(0), view(1, health=TRIAL)], BUSY_1, (), [0, 0], id="trial has one at a time"
        ),
        pytest.param(
            [view(0), view(1, health=TRIAL)], (), (1,), [0, 0], id="trial failed for this request"
        ),
        pytest.param(
            [view(0, standby=True), view(1, health=TRIAL)], BUSY_1, (), [0, 0],
            id="standby while the only trial is busy",
        ),
        pytest.param(
            [view(0, standby=True), view(1, standby=True, health=TRIAL)], (), (), [0, 0],
            id="standby up before standby on trial",
        ),
        pytest.param(
            [view(0, health=RESTING), view(1, standby=True, health=TRIAL)], (), (), [1, 1],
            id="standby on trial as the last",
        ),
        pytest.param(
            [view(0, health=RESTING), view(1, standby=True, health=TRIAL)], BUSY_1, (), [None],
            id="nobody while the last trial is busy",
        ),
        pytest.param([view(0), view(1), view(2)], (), (1,), [0, 2, 0, 2], id="another than tried"),
        pytest.param(
            [view(0), view(1, standby=True)], (), (0,), [1, 1], id="standby after all were tried"
        ),
        pytest.param([view(0), view(1)], (), (0, 1), [None], id="all tried"),
        pytest.param([view(0, health=RESTING)], (), (), [None], id="all resting"),
        pytest.param([], (), (), [None], id="no members"),
    ],
)  # fmt: skip
def test_pick(
    views: list[MemberView],
    busy: frozenset[str],
    tried: tuple[int, ...],
    order: list[int | None],
) -> None:
    """A request goes to the tier that is due, in the order promised."""
    following = picker(*views)
    assert [following.pick(busy, tried) for _ in order] == order


def test_retry_shares_by_weight() -> None:
    """Requests that a failed member leaves over are shared by the others' weights."""
    three = picker(view(0), view(1, weight=3), view(2, weight=1))
    assert Counter(three.pick((), (0,)) for _ in range(40)) == {1: 30, 2: 10}


def test_following_keeps_its_place() -> None:
    """A snapshot that changes nothing keeps the picker; one that changes back, its place."""
    both = [view(0), view(1)]
    one = [view(0), view(1, health=RESTING)]
    first = picker(*both)
    assert first.following(list(both)) is first
    assert first.pick() == 0
    second = first.following(one)
    assert second.pick() == 0
    assert second.following(both).pick() == 1


def test_following_other_members() -> None:
    """With other members the rotation begins anew, though the weights be the same."""
    first = picker(view(0), view(1))
    assert first.pick() == 0
    assert first.following([view(2), view(3)]).pick() == 0


def test_rotations_are_bounded() -> None:
    """However many sets of members were in use, few rotations are remembered."""
    wide = picker(*(view(port) for port in range(20)))
    for tried in range(20):
        assert wide.pick((), (tried,)) != tried
    assert len(wide._rotations) <= balancing.REMEMBERED_ROTATIONS


@given(
    st.lists(
        st.builds(
            view,
            st.integers(1, 9),
            weight=st.integers(0, 5),
            standby=st.booleans(),
            state=st.sampled_from(MemberState),
            health=st.sampled_from(Health),
        ),
        max_size=6,
    ),
    st.sets(st.integers(0, 5)),
)
def test_pick_finds_whoever_may_serve(views: list[MemberView], tried: set[int]) -> None:
    """With all slots free, None means that truly nobody is left, and no other is ever picked."""
    offered = {
        index
        for index, view in enumerate(views)
        if view.state is READY and view.weight and view.health is not RESTING
    }
    index = picker(*views).pick((), tried)
    assert index in offered - tried if offered - tried else index is None
