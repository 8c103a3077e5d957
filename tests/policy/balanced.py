"""Members and their load, for the tests of who gets a request."""

from __future__ import annotations

from collections.abc import Sequence

from sorryd.model import Health, Member, MemberState
from sorryd.policy.balancing import Offers, tiers
from sorryd.snapshot import MemberView

READY, DRAIN, MAINT = MemberState.READY, MemberState.DRAIN, MemberState.MAINT
UP, RESTING, TRIAL, DOWN = Health.UP, Health.RESTING, Health.TRIAL, Health.DOWN


class Head:
    """What is asked of a request's head."""

    def __init__(self, *lines: bytes) -> None:
        self.lines = list(lines)
        self.host_at = next((at for at, line in enumerate(lines) if line[:5] == b"Host:"), -1)
        self.sticky: bytes | None = None


HEAD = Head()


def url(port: int) -> str:
    """What the member of this port is called."""
    return f"http://127.0.0.1:{port}"


def view(
    port: int,
    *,
    weight: int = 1,
    standby: bool = False,
    state: MemberState = READY,
    health: Health = UP,
    ramp: float = 1.0,
) -> MemberView:
    """A member, by its port, which nothing is known of but what is said here."""
    member = Member(url=url(port), host="127.0.0.1", port=port, standby=standby)
    return MemberView(member=member, state=state, weight=weight, health=health, ramp=ramp)


class Busy:
    """The load of one member."""

    def __init__(self, active: int = 0, *, limit: int = 0, trying: int = 0) -> None:
        self.active = active
        self.trying = trying
        self.limit = limit

    @property
    def is_full(self) -> bool:
        return 0 < self.limit <= self.active


def idle(count: int) -> list[Busy]:
    """Members with nothing to do."""
    return [Busy() for _ in range(count)]


def offers(views: Sequence[MemberView], loads: Sequence[Busy] | None = None) -> Offers:
    """Who can take a request; without `loads`, nobody has anything to do."""
    return Offers(tiers(views), idle(len(views)) if loads is None else loads)
