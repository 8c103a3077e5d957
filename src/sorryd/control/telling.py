"""The history in the words of the control protocol. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import assert_never

from sorryd.control.answers import author_result, by_language, instant, optional
from sorryd.control.spans import zone_of
from sorryd.facts import DownReminded, Fact, HealthTurned, HookFailed, MembersTurned, PhaseTurned
from sorryd.journal import Change, HistoryEntry, MemberPut, WindowPut
from sorryd.model import Cause, Config, Phase
from sorryd.replies_history import (
    HealthRecord,
    HookRecord,
    MemberRecord,
    OutageRecord,
    PhaseRecord,
    Record,
    ReminderRecord,
    WindowRecord,
)
from sorryd.replies_history import HistoryEntry as Deed
from sorryd.times import format_duration
from sorryd.window import Window, WindowKind

CAUSES = {
    Cause.WINDOW: "planned",
    Cause.MANUAL: "by hand",
    Cause.FILE: "the sorry file",
    Cause.MEMBERS: "no member",
}


def deed(entry: HistoryEntry, config: Config) -> Deed:
    """An entry of the history, in the zone of its site."""
    zone, fact = zone_of(config, entry.site), entry.fact
    return Deed(
        cursor=entry.seq,
        at=instant(entry.at, zone),
        author=None if entry.author is None else author_result(entry.author),
        action=entry.verb,
        site=entry.site,
        window=entry.window,
        member=entry.member,
        reason=entry.reason,
        detail=entry.detail or _words(entry, zone),
        before=tuple(map(_record, entry.before)) if fact is None else _before(fact),
        after=tuple(map(_record, entry.after)) if fact is None else _after(fact, zone),
    )


# --- records --------------------------------------------------------------------------------


def _record(change: Change) -> Record:
    match change:
        case WindowPut(window=window):
            return _window_record(window)
        case MemberPut():
            return MemberRecord(
                site=change.site, url=change.url, state=change.state, weight=change.weight
            )
        case _:
            assert_never(change)


def _window_record(window: Window) -> WindowRecord:
    zone = window.timezone
    return WindowRecord(
        id=window.id,
        site=window.site,
        manual=window.kind is WindowKind.MANUAL,
        from_=instant(window.start, zone),
        until=optional(window.end, zone),
        until_text=window.until_text,
        reason=window.reason,
        reasons=by_language(window.reasons),
        every=window.every,
        timezone=zone,
        drain=window.drain,
        until_healthy=window.until_healthy,
        give_up=None if window.until_healthy is None else window.give_up,
        scope=window.scope,
        released=window.released,
        ended=optional(window.ended, zone),
        cancelled=optional(window.cancelled, zone),
        verified=optional(window.verified, zone),
        gave_up=optional(window.gave_up, zone),
        author=author_result(window.author),
        created=instant(window.created, zone),
    )


def _before(fact: Fact) -> tuple[Record, ...]:
    match fact:
        case PhaseTurned():
            return (PhaseRecord(phase=fact.before, cause=fact.was),)
        case HealthTurned():
            return (HealthRecord(health=fact.before),)
        case MembersTurned() | DownReminded() | HookFailed():
            return ()
        case _:
            assert_never(fact)


def _after(fact: Fact, zone: str) -> tuple[Record, ...]:
    match fact:
        case PhaseTurned():
            return (_phase_record(fact, zone),)
        case HealthTurned():
            return (HealthRecord(health=fact.after, why=fact.why),)
        case MembersTurned():
            since, back = instant(fact.since, zone), optional(fact.back, zone)
            return (OutageRecord(since=since, back=back, why=fact.why),)
        case DownReminded():
            return (ReminderRecord(since=instant(fact.since, zone), limit=fact.limit),)
        case HookFailed():
            return (HookRecord(hook=fact.hook, cursor=fact.seq, tries=fact.tries, why=fact.why),)
        case _:
            assert_never(fact)


def _phase_record(fact: PhaseTurned, zone: str) -> PhaseRecord:
    return PhaseRecord(
        phase=fact.after,
        cause=fact.cause,
        event=fact.event,
        deadline=optional(fact.deadline, zone),
        from_=optional(fact.start, zone),
        until=optional(fact.until, zone),
        until_text=fact.until_text,
    )


# --- words ----------------------------------------------------------------------------------


def _words(entry: HistoryEntry, zone: str) -> str:
    match entry.fact:
        case None:
            return "; ".join(_detail(change, entry.before, zone) for change in entry.after)
        case PhaseTurned() as fact:
            return _phase_words(fact, zone)
        case HealthTurned(before=before, after=after, why=why):
            return f"{before} -> {after}" + (f": {why}" if why else "")
        case MembersTurned() as fact:
            return _outage_words(fact)
        case DownReminded(since=since):
            return f"down since {_spoken(since, zone)}, and no end is set"
        case HookFailed() as fact:
            return f"{fact.hook} was not told of event {fact.seq} in {fact.tries} tries: {fact.why}"
        case _:
            assert_never(entry.fact)


def _phase_words(fact: PhaseTurned, zone: str) -> str:
    said = f"{fact.before} -> {fact.after}"
    if fact.cause is not None:
        said += f", {CAUSES[fact.cause]}"
    if fact.deadline is not None and fact.after is not Phase.LIVE:
        said += f", until {_spoken(fact.deadline, zone)}"
    return said


def _outage_words(fact: MembersTurned) -> str:
    if fact.back is None:
        return f"no member is up: {fact.why}"
    lasted = format_duration(float(math.floor(max(fact.back - fact.since, 0.0))))
    return f"a member is up again, after {lasted} without any"


def _detail(change: Change, before: Sequence[Change], zone: str) -> str:
    """What `change` made of what was there before, in words."""
    old = next((_facts(one, zone) for one in before if _name(one) == _name(change)), {})
    facts = [
        f"{name} {old[name]} -> {value}" if name in old else f"{name} {value}"
        for name, value in _facts(change, zone).items()
        if old.get(name) != value
    ]
    return f"{_name(change)}: {', '.join(facts)}"


def _name(change: Change) -> str:
    return change.window.id if isinstance(change, WindowPut) else change.url


def _spoken(at: float, zone: str) -> str:
    """An instant as history tells it: to the second."""
    return instant(float(math.floor(at)), zone)


def _patience(window: Window) -> str:
    return f"{format_duration(window.until_healthy or 0.0)}, then {window.give_up.value}"


def _facts(change: Change, zone: str) -> dict[str, str]:
    """The facts of a window or member that history tells, by name."""
    if not isinstance(change, WindowPut):
        weight = "as configured" if change.weight is None else str(change.weight)
        return {"state": change.state.value, "weight": weight}
    window = change.window
    ends = {
        "verified": window.verified,
        "gave up": window.gave_up,
        "ended": window.ended,
        "cancelled": window.cancelled,
    }
    scope = (*window.scope.paths, *window.scope.members, *window.scope.methods)
    return {
        "site": window.site or "every site",
        "from": _spoken(window.start, zone),
        "until": "open" if window.end is None else _spoken(window.end, zone),
        **({"reason": repr(window.reason)} if window.reason else {}),
        **{name: _spoken(at, zone) for name, at in ends.items() if at is not None},
        **({"every": window.every} if window.every is not None else {}),
        **({"only": " ".join(scope)} if scope else {}),
        **({"until healthy": _patience(window)} if window.until_healthy is not None else {}),
        **({"released": ", ".join(window.released)} if window.released else {}),
    }
