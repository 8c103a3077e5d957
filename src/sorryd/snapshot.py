"""What the control side publishes: a `Snapshot`, immutable, that the edge serves by."""

from __future__ import annotations

from sorryd.model import Health, Member, MemberState, Site, Value
from sorryd.window import Window


class MemberView(Value, frozen=True):
    """A member as the edge shall treat it now.

    `ramp` is the part of its weight that a member gets that starts slowly, above 0 and up to 1.
    `trial` is the number of the worker that may try it while it is on trial, from 1; 0 where there
    is only one.
    """

    member: Member
    state: MemberState = MemberState.READY
    weight: int = 1
    health: Health = Health.UP
    ramp: float = 1.0
    trial: int = 0


class GivenPage(Value, frozen=True):
    """A page that somebody else wrote, served as it is: a sorry file, or one that was fetched.

    `since` is the instant at which it was found.
    """

    body: bytes
    media_type: str
    since: float


class SiteView(Value, frozen=True):
    """A site as the edge shall serve it: its members, and the windows that concern it.

    `windows`, arranged as policy/windows.py takes them, holds those that may still act, whenever
    they start, and the ended ones that the present down-time began with. The phase is worked
    out from them and the clock, on every request.

    While `verifying`, a window waits for the members to be healthy: each is checked, by a
    connection where the site has no check.
    """

    site: Site
    members: tuple[MemberView, ...]
    windows: tuple[Window, ...] = ()
    file: GivenPage | None = None  # the sorry file: while it is there, the site is down
    fetched: GivenPage | None = None  # the page of ``sorry_mode = fetch``, once there was one
    verifying: bool = False


class Snapshot(Value, frozen=True):
    """All that the edge knows. Replaced whole; `serial` grows by one each time."""

    serial: int
    sites: tuple[SiteView, ...]
