"""What an operator should know of a series that is being planned. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, pairwise
from typing import Final
from zoneinfo import ZoneInfo

from sorryd.policy.clock_changes import on_start
from sorryd.policy.recurrence import has_first, instants
from sorryd.policy.recurrence_rule import Rule
from sorryd.times import format_duration, format_instant, local_time

_MOST: Final = 400  # instances that are looked at
_TOLD: Final = 2  # clock changes that are told of


def remarks(
    rule: Rule, start: float, lasts: float, zone: ZoneInfo, now: float, *, is_moved: bool
) -> Iterator[str]:
    """Warnings on a series of `rule` in `zone`, whose first instance begins at `start`.

    `lasts` are the seconds of each. `is_moved`: the first one is not at the time that was said,
    because the clock skips that.
    """
    coming = list(islice(instants(rule.text, start, zone, now - lasts), _MOST))
    yield from _on_first(rule, start, lasts, zone, coming, is_moved)
    yield from _on_days(rule, start, zone)
    if any(other - one < lasts for one, other in pairwise(coming)):
        yield f"each lasts {format_duration(lasts)}, and the next one begins before that is over"
    told = (on_start(at, zone, start, rule.text) for at in coming if at != start)
    yield from islice((text for text in told if text), _TOLD)


def _on_first(
    rule: Rule, start: float, lasts: float, zone: ZoneInfo, coming: list[float], is_moved: bool
) -> Iterator[str]:
    """What is peculiar to the first instance."""
    following = [at for at in coming if at > start]
    then = f"the next one is {format_instant(following[0], zone)}" if following else "it is alone"
    if coming[0] != start:
        yield f"the first one is over already: {then}"
    elif not is_moved and not has_first(rule, start, zone):
        yield f"{rule.text} has not got the first one itself, which is held all the same: {then}"
    elif not following:
        yield "it happens once"
    shown = local_time(start + lasts, zone) - local_time(start, zone)
    if shown.total_seconds() != lasts:
        yield f"the clock changes in the first one: each lasts {format_duration(lasts)}"


def _on_days(rule: Rule, start: float, zone: ZoneInfo) -> Iterator[str]:
    """Months and years that have not got the day."""
    first = local_time(start, zone)
    if rule.has("BYMONTHDAY", "BYDAY", "BYYEARDAY", "BYWEEKNO", "BYMONTH"):
        return
    if rule.frequency == "MONTHLY" and first.day > 28:
        yield f"months without a day {first.day} have none (BYMONTHDAY=-1 is the last day)"
    elif rule.frequency == "YEARLY" and (first.month, first.day) == (2, 29):
        yield "years without a 29 February have none"
