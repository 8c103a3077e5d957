"""What hooks are told of events. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from sorryd.control.answers import author_result, by_language, instant, optional
from sorryd.control.telling import deed
from sorryd.facts import DownReminded, MembersTurned, PhaseTurned
from sorryd.journal import HistoryEntry, WindowPut
from sorryd.model import Cause, Config, Phase, Site
from sorryd.replies_history import HookMessage
from sorryd.window import Window, WindowKind


def hook_message(entry: HistoryEntry, site: Site, config: Config) -> HookMessage:
    """What the hook of `site` is told of `entry`, which may be of every site."""
    zone = site.timezone
    message = HookMessage(
        event=entry.verb,
        cursor=entry.seq,
        site=site.name,
        at=instant(entry.at, zone),
        window=entry.window,
        reason=entry.reason,
        reasons={},
        detail=deed(replace(entry, site=site.name), config).detail,
    )
    match entry.fact:
        case PhaseTurned() as fact:
            return _phase(message, fact, zone)
        case MembersTurned() as fact:
            return replace(
                message,
                phase=fact.phase,
                cause=fact.cause,
                from_=instant(fact.since, zone),
                until=optional(fact.back, zone),
            )
        case DownReminded() as fact:
            return _reminder(message, fact, zone)
        case _:
            put = next((one for one in entry.after if isinstance(one, WindowPut)), None)
            return message if put is None else _window(message, put.window, zone)


def _phase(message: HookMessage, fact: PhaseTurned, zone: str) -> HookMessage:
    return replace(
        message,
        before=fact.before,
        phase=fact.after,
        cause=fact.cause,
        transition=fact.event,
        planned=fact.cause is not Cause.MEMBERS,
        reasons=by_language(fact.reasons),
        from_=optional(fact.start, zone),
        until=optional(fact.until, zone),
        until_text=fact.until_text,
        deadline=optional(fact.deadline, zone),
        author=None if fact.planner is None else author_result(fact.planner),
    )


def _reminder(message: HookMessage, fact: DownReminded, zone: str) -> HookMessage:
    return replace(
        message,
        phase=Phase.DOWN,
        cause=fact.cause,
        planned=True,
        reasons=by_language(fact.reasons),
        from_=instant(fact.since, zone),
        author=None if fact.planner is None else author_result(fact.planner),
    )


def _window(message: HookMessage, window: Window, zone: str) -> HookMessage:
    return replace(
        message,
        cause=Cause.MANUAL if window.kind is WindowKind.MANUAL else Cause.WINDOW,
        planned=True,
        reason=message.reason or window.reason,
        reasons=by_language(window.reasons),
        from_=instant(window.start, zone),
        until=optional(window.end, zone),
        author=author_result(window.author),
    )
