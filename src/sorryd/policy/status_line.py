"""All sites in one line, for who looks at the service from outside (``systemctl status``). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, assert_never

from sorryd.model import Phase
from sorryd.policy.dates import brief
from sorryd.policy.windows import Standing

FEW: Final = 4
"""So many sites are told one by one; of more, as many of those that do not just serve."""


class SiteState(NamedTuple):
    """What is told of a site; `is_deserted` where no member is up."""

    name: str
    zone: str
    standing: Standing
    is_deserted: bool


def status_line(sites: Sequence[SiteState], now: float) -> str:
    """``2 sites: shop live, wiki down until 05:00 CET``; times are local ones of the site."""
    told = [one for one in sites if len(sites) <= FEW or not _is_well(one)]
    words = [_said(one, now) for one in told[:FEW]]
    if len(told) > FEW:
        words.append(f"and {len(told) - FEW} more")
    live = sum(_is_well(one) for one in sites)
    if len(sites) <= FEW:
        head = "" if len(sites) == 1 else f"{len(sites)} sites: "
    else:
        head = f"{len(sites)} sites, {live} live" + (": " if words else "")
    return head + ", ".join(words)


def _is_well(one: SiteState) -> bool:
    return one.standing.phase.serves and not one.is_deserted


def _said(one: SiteState, now: float) -> str:
    missed = " with no member up" if one.is_deserted and one.standing.phase.serves else ""
    return f"{one.name} {_phase(one.standing, one.zone, now)}{missed}"


def _phase(standing: Standing, zone: str, now: float) -> str:
    match standing.phase:
        case Phase.LIVE:
            return "live"
        case Phase.ANNOUNCED:
            start = None if standing.next is None else standing.next.start
            return f"live{_until(start, zone, now)}"
        case Phase.DRAINING | Phase.DOWN | Phase.VERIFYING:
            return f"{standing.phase}{_until(standing.until, zone, now)}"
        case _:
            assert_never(standing.phase)


def _until(instant: float | None, zone: str, now: float) -> str:
    at = "" if instant is None else brief(instant, zone, now)
    return f" until {at}" if at else ""
