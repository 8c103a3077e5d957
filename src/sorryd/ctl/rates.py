"""From two answers of ``numbers.get`` to what happens a second. Pure.

A counter that went down began anew in between, as after a restart: what it has now is what was
added. So nothing is ever negative.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Final, TypedDict

if TYPE_CHECKING:
    from sorryd.ctl.shapes import Answered, MemberNumbers, Numbers, SiteNumbers


class Flow(TypedDict):
    """What is answered: all but the last two a second, `sent` in bytes.

    `p50` and `p99` are seconds that half, and 99 of 100 requests took at most, as far as the
    buckets tell; null where there were none.
    """

    requests: float
    codes: dict[str, float]
    sent: float
    p50: float | None
    p99: float | None


class MemberFlow(Flow):
    """A member."""

    url: str
    state: str
    health: str
    in_flight: int
    idle: int


class SiteFlow(Flow):
    """A site, with all its members together; `received` are bytes a second."""

    name: str
    phase: str
    cause: str | None
    until: str | None
    next: str | None
    connections: int
    tunnels: int
    waiting: int
    in_flight: int
    accepted: float
    received: float
    itself: Flow
    members: list[MemberFlow]


class Flows(TypedDict):
    """All sites, and how long was looked."""

    now: str
    seconds: float
    workers: int
    missing: int
    restarts: int
    sites: list[SiteFlow]


HALF: Final = 0.5
MOST: Final = 0.99


def flows(before: Numbers, after: Numbers, seconds: float) -> Flows:
    """What happened in the `seconds` between two answers."""
    known = {site["name"]: site for site in before["sites"]}
    return {
        "now": after["now"],
        "seconds": round(seconds, 3),
        "workers": after["workers"],
        "missing": after["missing"],
        "restarts": after["restarts"],
        "sites": [
            _site(known.get(site["name"]), site, after["bounds"], seconds)
            for site in after["sites"]
        ],
    }


def _site(
    before: SiteNumbers | None, now: SiteNumbers, bounds: Sequence[float], seconds: float
) -> SiteFlow:
    counted = list(_counted(before, now))
    own = _added(before["itself"] if before else None, now["itself"])
    every = [own, *(added for _, added in counted)]
    return {
        **_flow(_together(every), bounds, seconds),
        "name": now["name"],
        "phase": now["phase"],
        "cause": now["cause"],
        "until": now["until"],
        "next": now["next"],
        "connections": now["connections"],
        "tunnels": now["tunnels"],
        "waiting": now["waiting"],
        "in_flight": sum(one["in_flight"] for one in now["members"]),
        "accepted": _each(_grown(before["accepted"] if before else 0, now["accepted"]), seconds),
        "received": _each(_grown(before["received"] if before else 0, now["received"]), seconds),
        "itself": _flow(own, bounds, seconds),
        "members": [
            {
                **_flow(added, bounds, seconds),
                "url": one["url"],
                "state": one["state"],
                "health": one["health"],
                "in_flight": one["in_flight"],
                "idle": one["idle"],
            }
            for one, added in counted
        ],
    }


def _counted(
    before: SiteNumbers | None, now: SiteNumbers
) -> Iterator[tuple[MemberNumbers, Answered]]:
    known = {one["url"]: one for one in before["members"]} if before else {}
    for one in now["members"]:
        first = known.get(one["url"])
        yield one, _added(first["answered"] if first else None, one["answered"])


def _added(before: Answered | None, now: Answered) -> Answered:
    """What was counted in between; all of it where counting began anew."""
    if before is None or sum(now["durations"]) < sum(before["durations"]):
        return now
    return {
        "codes": {
            kind: _grown(before["codes"].get(kind, 0), n) for kind, n in now["codes"].items()
        },
        "durations": [
            _grown(b, n) for b, n in zip(before["durations"], now["durations"], strict=True)
        ],
        "seconds": max(0.0, now["seconds"] - before["seconds"]),
        "sent": _grown(before["sent"], now["sent"]),
    }


def _grown(before: int, now: int) -> int:
    return now - before if now >= before else now


def _together(several: Sequence[Answered]) -> Answered:
    return {
        "codes": {
            kind: sum(one["codes"].get(kind, 0) for one in several) for kind in several[0]["codes"]
        },
        "durations": [sum(row) for row in zip(*(one["durations"] for one in several), strict=True)],
        "seconds": sum(one["seconds"] for one in several),
        "sent": sum(one["sent"] for one in several),
    }


def _flow(added: Answered, bounds: Sequence[float], seconds: float) -> Flow:
    return {
        "requests": _each(sum(added["codes"].values()), seconds),
        "codes": {kind: _each(count, seconds) for kind, count in added["codes"].items()},
        "sent": _each(added["sent"], seconds),
        "p50": quantile(HALF, added["durations"], bounds),
        "p99": quantile(MOST, added["durations"], bounds),
    }


def _each(count: int, seconds: float) -> float:
    return round(count / seconds, 3)


def quantile(part: float, counts: Sequence[int], bounds: Sequence[float]) -> float | None:
    """Seconds that this `part` of the requests took at most; between the bounds of a bucket a
    straight line is drawn, as Prometheus' ``histogram_quantile`` does. Beyond the last bound
    it is that bound."""
    total = sum(counts)
    if not total:
        return None
    wanted = part * total
    below = 0.0
    for upper, count, reached in zip(bounds, counts, accumulate(counts), strict=False):
        if reached >= wanted and count:
            return round(below + (upper - below) * (wanted - (reached - count)) / count, 6)
        below = upper
    return bounds[-1]
