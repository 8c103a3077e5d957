"""What the control side publishes: a `Snapshot`, immutable, that the edge serves by."""

from __future__ import annotations

from sorryd.model import Health, Member, MemberState, Site, Value, Window


class MemberView(Value, frozen=True):
    """A member as the edge shall treat it now.

    `ramp` is the part of its weight that a member gets that starts slowly, above 0 and up to 1.
    """

    member: Member
    state: MemberState = MemberState.READY
    weight: int = 1
    health: Health = Health.UP
    ramp: float = 1.0


class SiteView(Value, frozen=True):
    """A site as the edge shall serve it: its members, and the windows that concern it.

    `windows`, arranged as policy/windows.py takes them, holds those that may still act, whenever
    they start, and the ended ones that the present down-time began with. The phase is worked
    out from them and the clock, on every request.
    """

    site: Site
    members: tuple[MemberView, ...]
    windows: tuple[Window, ...] = ()


class Snapshot(Value, frozen=True):
    """All that the edge knows. Replaced whole; `serial` grows by one each time."""

    serial: int
    sites: tuple[SiteView, ...]
