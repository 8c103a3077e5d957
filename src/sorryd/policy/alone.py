"""The health of members in an edge whose control process is gone: what its own requests tell.

Nobody checks members then, nor says who may try them. Each edge judges for itself, by the machine
of health.py for members without a check: who rested or was down when it began to be alone is tried.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from sorryd.model import Value
from sorryd.policy.health import Condition, adapted, answered, failed, rested
from sorryd.reports import MemberAnswered, MemberFailed, Report
from sorryd.snapshot import MemberView, SiteView, Snapshot

Key = tuple[str, str]  # a site's name, and a member's URL


class Alone(Value, frozen=True):
    """A snapshot, and what is known of its members since."""

    snapshot: Snapshot
    conditions: Mapping[Key, Condition]


def alone(snapshot: Snapshot) -> Alone:
    """The control process is gone; `snapshot` was its last one."""
    conditions = {
        (view.site.name, one.member.url): adapted(Condition(health=one.health), None)
        for view in snapshot.sites
        for one in view.members
    }
    return _seen(snapshot, conditions)


def heard(before: Alone, report: Report, now: float) -> Alone:
    """What the edge saw at the moment `now`; the same value where that changes nothing."""
    match report:
        case MemberFailed():
            key = report.site, report.url
            retry = _retries(before.snapshot).get(key)
            if retry is None:  # a member that is not there any more
                return before
            return _with(before, key, failed(before.conditions[key], retry, now))
        case MemberAnswered():
            key = report.site, report.url
            if key not in before.conditions:
                return before
            return _with(before, key, answered(before.conditions[key]))
        case _:
            return before


def looked(before: Alone, now: float) -> Alone:
    """It is the moment `now`: rests may be over. The same value where none is."""
    after = {key: rested(one, now) for key, one in before.conditions.items()}
    return before if after == before.conditions else _seen(before.snapshot, after)


def _with(before: Alone, key: Key, condition: Condition) -> Alone:
    if before.conditions[key] == condition:
        return before
    return _seen(before.snapshot, {**before.conditions, key: condition})


def _seen(snapshot: Snapshot, conditions: Mapping[Key, Condition]) -> Alone:
    sites = tuple(_site(view, conditions) for view in snapshot.sites)
    return Alone(snapshot=replace(snapshot, sites=sites), conditions=conditions)


def _site(view: SiteView, conditions: Mapping[Key, Condition]) -> SiteView:
    members = tuple(
        _member(one, conditions[view.site.name, one.member.url]) for one in view.members
    )
    return view if members == view.members else replace(view, members=members)


def _member(view: MemberView, condition: Condition) -> MemberView:
    if view.health is condition.health and not view.trial:
        return view
    return replace(view, health=condition.health, trial=0)


def _retries(snapshot: Snapshot) -> Mapping[Key, float]:
    return {
        (view.site.name, one.member.url): one.member.retry
        for view in snapshot.sites
        for one in view.members
    }
