"""What a worker takes for so until the control side has said it: what its own reports will change.

A report takes a moment to come back as a snapshot. Meanwhile the edge that sent it goes by the
same machine (health.py). Otherwise whoever finds the last member dead would read that only his
request failed, and the next ones would be sent there too. Pure.
"""

from __future__ import annotations

from msgspec.structs import replace

from sorryd.model import Health
from sorryd.policy.health import Condition, answered, any_up, failed, rested
from sorryd.reports import MemberAnswered, MemberFailed, Report
from sorryd.snapshot import MemberView, SiteView, Snapshot


def foreseen(snapshot: Snapshot, report: Report) -> Snapshot:
    """The snapshot that will follow from `report`; itself where its members stay as they are."""
    match report:
        case MemberFailed() | MemberAnswered():
            sites = tuple(
                _site(view, report) if view.site.name == report.site else view
                for view in snapshot.sites
            )
            changed = any(new is not old for new, old in zip(sites, snapshot.sites, strict=True))
            return replace(snapshot, sites=sites) if changed else snapshot
        case _:
            return snapshot


def _site(view: SiteView, report: MemberFailed | MemberAnswered) -> SiteView:
    for at, member in enumerate(view.members):
        if member.member.url == report.url:
            health = _health(view, member, report)
            if health is not member.health:
                new = replace(member, health=health, trial=0)
                return replace(view, members=(*view.members[:at], new, *view.members[at + 1 :]))
    return view


def _health(view: SiteView, member: MemberView, report: MemberFailed | MemberAnswered) -> Health:
    before = Condition(health=member.health)
    if isinstance(report, MemberAnswered):
        return answered(before).health
    check = view.site.check
    is_last = not any_up(one for one in view.members if one is not member)
    after = failed(before, member.member.retry, 0.0, check, check is not None and is_last)
    # Without a rest (`retry` 0) it is tried at once; where others are up, by who has the leave.
    return rested(after, 0.0, check).health if is_last else after.health
