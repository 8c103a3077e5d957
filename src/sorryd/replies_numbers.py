"""The result of ``numbers.get``: what was counted since the daemon began, and what is so now.

Counters only grow while the daemon lives: a rate is the difference of two answers, by the time
between them.
"""

from __future__ import annotations

from collections.abc import Mapping

from sorryd.model import Cause, Health, MemberState, Phase, Value


class AnsweredResult(Value, frozen=True, kw_only=True):
    """Requests that are over. `codes` are by class: ``2xx``, or ``none`` without an answer.

    `durations` are by the bucket of NumbersResult.bounds that has them; one more is over all of
    them. `sent` are bytes.
    """

    codes: Mapping[str, int]
    durations: tuple[int, ...]
    seconds: float
    sent: int


class MemberNumbersResult(Value, frozen=True, kw_only=True):
    """A member of a site. See docs/metrics.md for what is counted."""

    url: str
    state: MemberState
    health: Health
    in_flight: int
    idle: int
    answered: AnsweredResult
    connects: int
    retries: int
    failovers: int
    failures: int


class SiteNumbersResult(Value, frozen=True, kw_only=True):
    """A site: `itself` are the requests for which no member was asked.

    `until` is the promised end of a down-time, `next` the start of the next planned window.
    """

    name: str
    phase: Phase
    cause: Cause | None
    until: str | None
    next: str | None
    connections: int
    tunnels: int
    waiting: int
    accepted: int
    turned_away: int
    received: int
    itself: AnsweredResult
    members: tuple[MemberNumbersResult, ...]


class NumbersResult(Value, frozen=True, kw_only=True):
    """All sites, or the one that was asked for.

    The daemon counts since it `started`. `bounds` are the upper bounds of the buckets of
    durations, in seconds. Of `workers` there are `missing` some now; all together died `restarts`
    times. Without workers it is 0 of each.
    """

    started: str
    now: str
    bounds: tuple[float, ...]
    workers: int
    missing: int
    restarts: int
    sites: tuple[SiteNumbersResult, ...]
