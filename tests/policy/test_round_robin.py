"""Round robin: shares by weight, whoever is there, and places that are kept."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from tests.policy.balanced import HEAD, READY, RESTING, TRIAL, UP, Busy, offers, view

from sorryd.model import Health, MemberState
from sorryd.policy import round_robin
from sorryd.policy.balancing import shares
from sorryd.policy.round_robin import Places, RoundRobin
from sorryd.snapshot import MemberView


class Turns:
    """A balancer, asked as the edge does."""

    def __init__(
        self, *views: MemberView, loads: list[Busy] | None = None, places: Places | None = None
    ) -> None:
        self.places = Places(len(views)) if places is None else places
        self._balancer = RoundRobin(offers(views, loads), shares(views), self.places)

    def pick(self, *tried: int) -> int | None:
        """The member for a request that was sent to `tried` already."""
        return self._balancer.pick(tried, HEAD, "192.0.2.7")


def test_three_to_one() -> None:
    """Weights 3 and 1 share 400 requests as exactly 300 and 100."""
    fair = Turns(view(1, weight=3), view(2, weight=1))
    assert Counter(fair.pick() for _ in range(400)) == {0: 300, 1: 100}


def test_slow_start() -> None:
    """A member in the middle of its slow start gets half of what it will get."""
    fair = Turns(view(0), view(1, ramp=0.5))
    assert Counter(fair.pick() for _ in range(300)) == {0: 200, 1: 100}


def test_retry_shares_by_weight() -> None:
    """Requests that a failed member leaves over are shared by the others' weights."""
    three = Turns(view(0), view(1, weight=3), view(2, weight=1))
    assert Counter(three.pick(0) for _ in range(40)) == {1: 30, 2: 10}


def test_full_members_are_passed_over() -> None:
    """What a full member can't take, is shared by the others' weights."""
    loads = [Busy(limit=1), Busy(), Busy()]
    three = Turns(view(0, weight=100), view(1, weight=3), view(2, weight=1), loads=loads)
    loads[0].active = 1
    assert Counter(three.pick() for _ in range(40)) == {1: 30, 2: 10}
    loads[0].active = 0
    assert three.pick() == 0


def test_trials_do_not_take_turns() -> None:
    """While one is on trial the others share as before."""
    loads = [Busy(), Busy(), Busy()]
    three = Turns(view(0, weight=3), view(1), view(2, health=TRIAL), loads=loads)
    assert three.pick() == 2
    loads[2].trying = 1
    assert Counter(three.pick() for _ in range(40)) == {0: 30, 1: 10}


def test_places_are_kept() -> None:
    """A set of members that is up again goes on where it stood."""
    both = [view(0), view(1)]
    first = Turns(*both)
    assert first.pick() == 0
    second = Turns(view(0), view(1, health=RESTING), places=first.places)
    assert second.pick() == 0
    assert Turns(*both, places=first.places).pick() == 1


def test_places_are_bounded() -> None:
    """However many sets of weights were in use, few rotations are remembered."""
    places = Places(2)
    for weight in range(1, 100):
        Turns(view(0, weight=weight), view(1, weight=101), places=places).pick()
    assert len(places._rotations) <= round_robin.REMEMBERED_ROTATIONS


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
        if view.state is READY and view.weight and view.health in (UP, TRIAL)
    }
    index = Turns(*views).pick(*tried)
    assert index in offered - tried if offered - tried else index is None
