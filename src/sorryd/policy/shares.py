"""What each of several workers serves by: its part of what a snapshot says of all.

The limits of a site and of its members hold for the whole daemon. Each worker keeps to its part
of them by itself, so that no request asks another process.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from sorryd.model import Health, Member, Site, Value
from sorryd.policy.balancing import tiers
from sorryd.snapshot import MemberView, SiteView, Snapshot


class Share(Value, frozen=True):
    """The worker `number`, from 1, among `of` that serve side by side."""

    number: int = 1
    of: int = 1


def mine(snapshot: Snapshot, share: Share) -> Snapshot:
    """The snapshot that one worker serves by; `snapshot` itself where there is no other.

    A member's `max_connections` is split so that the parts add up to it, a site's
    `max_connections` and `max_queue` are split and rounded up. A member on trial is resting for
    all workers but the one that has the leave to try it; unless there is nobody else to ask. Then
    each tries it: a visitor must not get the apology for being at another worker.
    """
    if share.of == 1:
        return snapshot
    return replace(snapshot, sites=tuple(_site_view(view, share) for view in snapshot.sites))


def _site_view(view: SiteView, share: Share) -> SiteView:
    plan = tiers(view.members)
    is_any_up = bool(plan.primary or plan.standby)
    members = tuple(
        _member_view(_tried(one, share, is_any_up), at, share)
        for at, one in enumerate(view.members)
    )
    return replace(view, site=_site(view.site, share), members=members)


def _site(site: Site, share: Share) -> Site:
    return replace(
        site,
        members=_members(site.members, share),
        max_connections=-(-site.max_connections // share.of),
        max_queue=-(-site.max_queue // share.of),
    )


def _members(members: Sequence[Member], share: Share) -> tuple[Member, ...]:
    return tuple(_member(one, at, share) for at, one in enumerate(members))


def _member(member: Member, at: int, share: Share) -> Member:
    """A member of a site, the one `at` that index, with this worker's part of its limit."""
    limit = member.max_connections
    return replace(member, max_connections=_part(limit, at, share)) if limit else member


def _part(limit: int, at: int, share: Share) -> int:
    """At least 1. What can't be split evenly goes to other workers with each member."""
    each, left = divmod(limit, share.of)
    return max(1, each + ((share.number - 1 + at) % share.of < left))


def _tried(view: MemberView, share: Share, is_any_up: bool) -> MemberView:
    """A member as this worker may try it."""
    if view.health is not Health.TRIAL or view.trial in (0, share.number):
        return view
    return replace(view, health=Health.RESTING) if is_any_up else replace(view, trial=0)


def _member_view(view: MemberView, at: int, share: Share) -> MemberView:
    member = _member(view.member, at, share)
    return view if member is view.member else replace(view, member=member)
