"""When a series has its instances: its rule, its first instant and its zone give instants. Pure.

- The first instance is the one that was asked for, whether the rule has it or not: DTSTART "counts
  as the first occurrence" (RFC 5545 §3.3.10), and to COUNT it is one.
- The others start at local times of the zone. One that the clock skips is read by the offset before
  the gap, one that it repeats is the first (`sorryd.times`), so that a nightly 02:30 happens every
  night, once. §3.3.10 would leave the skipped one out, and a night without it.
- Two local times that are the same instant, because the clock skipped between them, are one.

Rules look at local times only, so an instance is found from a start that was moved near to what is
asked for: an old series costs no more than a new one.
"""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import dropwhile, islice
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from sorryd.policy.recurrence_rule import Rule, RuleFault, parse
from sorryd.times import local_instant, local_time

_LAST_YEAR = 9998  # as for `times`
_MARGIN = timedelta(days=3)  # more than any clock was ever changed by
_DISTANT = range(9915, 9943)  # years after which few are left that a calendar can hold
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def instants(every: str, start: float, zone: ZoneInfo, after: float = -math.inf) -> Iterator[float]:
    """The instants of a series that are later than `after`: growing, each once, found lazily.

    `every` is a rule of `recurrence_rule.parse`, `start` the first instant, from 1970 to 9998.
    """
    rule = parse(every)
    if start > after:
        yield start
    first = _local(start, zone)
    wanted = first if after <= start else _local(after, zone) - _MARGIN
    later = (
        instant
        for instant in _resolved(_local_times(rule, first, wanted), zone)
        if instant > start and (rule.until_utc is None or instant <= rule.until_utc)
    )
    for instant in later if rule.count is None else islice(later, rule.count - 1):
        if instant > after:
            yield instant


def checked(every: str, start: float, zone: ZoneInfo, skipped: float = 0.0) -> Rule:
    """The rule that `every` means for a series that starts at `start`. Raises RuleFault.

    `skipped` are the seconds by which `start` is later than was said, because the clock skipped
    that time: the others are at the time that was said.
    """
    rule = parse(every)
    said = _local(start, zone) - timedelta(seconds=skipped)
    if skipped:
        for name, value in (("BYHOUR", said.hour), ("BYMINUTE", said.minute)):
            if not (rule.has(name) or (name == "BYHOUR" and rule.frequency == "HOURLY")):
                rule = rule.also(name, value)
    if rule.until_local is not None and rule.until_local < said:
        raise RuleFault(f"UNTIL={rule.until_local:%Y%m%dT%H%M%S}: before the first one")
    if rule.until_utc is not None and rule.until_utc < start:
        raise RuleFault("UNTIL: before the first one")
    try:
        if not _happens(rule, said):
            raise RuleFault(f"{rule.text}: never happens")
    except ValueError as fault:
        raise RuleFault(str(fault)) from None
    return rule


def has_first(rule: Rule, start: float, zone: ZoneInfo) -> bool:
    """Whether the rule by itself has the first instance of its series."""
    first = _local(start, zone)
    times = _local_times(rule, first, first)
    return any(local_instant(one, zone)[0] == start for one in islice(times, 1))


def has_local(every: str, start: float, zone: ZoneInfo, local: datetime) -> bool:
    """Whether the rule has the time `local`, though the clock may skip that."""
    first = _local(start, zone)
    times = _local_times(parse(every), first, local - _MARGIN)
    return next(dropwhile(lambda one: one < local, times), None) == local


def _local(instant: float, zone: ZoneInfo) -> datetime:
    return local_time(instant, zone).replace(microsecond=0)


def _local_times(rule: Rule, first: datetime, wanted: datetime) -> Iterator[datetime]:
    """The local times of `rule` from `first` on; of those before `wanted` some may be left out."""
    start = first if rule.count is not None else _nearer(rule, first, wanted)
    for one in rrulestr(_explicit(rule, first), dtstart=start):
        if one.year > _LAST_YEAR or (rule.until_local is not None and one > rule.until_local):
            return
        yield one


def _explicit(rule: Rule, first: datetime) -> str:
    """The rule with the day that it takes from its start, which therefore may be moved."""
    if rule.has("BYWEEKNO", "BYYEARDAY", "BYMONTHDAY", "BYDAY"):
        return rule.by
    match rule.frequency:
        case "YEARLY":
            month = "" if rule.has("BYMONTH") else f";BYMONTH={first.month}"
            return f"{rule.by}{month};BYMONTHDAY={first.day}"
        case "MONTHLY":
            return f"{rule.by};BYMONTHDAY={first.day}"
        case "WEEKLY":
            return f"{rule.by};BYDAY={_DAYS[first.weekday()]}"
        case _:
            return rule.by


def _nearer(rule: Rule, first: datetime, wanted: datetime) -> datetime:
    """A start, at most some days after `wanted`, from which the rule has what it has there."""
    if wanted <= first:
        return first
    match rule.frequency:
        case "YEARLY":
            years = (wanted.year - first.year) // rule.interval * rule.interval
            return first.replace(year=first.year + years, month=1, day=1) if years else first
        case "MONTHLY":
            months = (wanted.year - first.year) * 12 + wanted.month - first.month
            months = months // rule.interval * rule.interval
            years, month = divmod(first.month - 1 + months, 12)
            moved = first.replace(year=first.year + years, month=month + 1, day=1)
            return moved if months else first
        case _:
            hours = {"WEEKLY": 168, "DAILY": 24, "HOURLY": 1}[rule.frequency] * rule.interval
            period = timedelta(hours=hours)
            return first + (wanted - first) // period * period


def _resolved(times: Iterable[datetime], zone: ZoneInfo) -> Iterator[float]:
    """The instants of local times that grow; growing themselves, each once.

    Skipped times come behind the gap, where other times may be sooner: they are held until those
    have come.
    """
    held: list[float] = []
    last = -math.inf
    for one in times:
        instant, shift = local_instant(one, zone)
        insort(held, instant)
        while held and held[0] <= instant - max(shift, 0.0):
            if held[0] > last:
                last = held[0]
                yield last
            del held[0]
    yield from sorted({instant for instant in held if instant > last})


def _happens(rule: Rule, first: datetime) -> bool:
    """Whether the rule has a time in the next 57 years or more.

    It is asked in years that have the same days, and few years after them: so a rule that has none
    is not followed for thousands of years.
    """
    year = next(year for year in _DISTANT if _days(year) == _days(first.year))
    return any(True for _ in rrulestr(_explicit(rule, first), dtstart=first.replace(year=year)))


def _days(year: int) -> tuple[int, int]:
    """What the days of a year depend on: the weekday of its first, and its length."""
    new_year, next_one = datetime(year, 1, 1), datetime(year + 1, 1, 1)
    return new_year.weekday(), (next_one - new_year).days
