"""What ``--wait`` waits for, judged from what the daemon says. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from sorryd.ctl.client import Param

if TYPE_CHECKING:
    from sorryd.ctl.shapes import Member, Site, Status, Window

_DOWN = frozenset({"draining", "down", "verifying"})


class Seen(NamedTuple):
    """What is so, in words, and whether that is the goal; None: not yet, False: never now."""

    words: str
    reached: bool | None


class Goal(NamedTuple):
    """What is asked again and again, how the answer is judged, and what of it to show."""

    method: str
    params: Mapping[str, Param]
    judge: Callable[[Any], Seen]
    picked: Callable[[Any], object]


def down(names: frozenset[str]) -> Goal:
    """Those sites are down, and nothing is in flight."""
    return _sites(names, drained)


def up(names: frozenset[str]) -> Goal:
    """Those sites serve their visitors."""
    return _sites(names, served)


def out(site: str, url: str, state: str) -> Goal:
    """That member is in `state`, and nothing is in flight."""

    def judge(status: Status) -> Seen:
        return member_drained(status, site, url, state)

    def picked(status: Status) -> object:
        found = next(iter(_members(status, site, url)), None)
        return found and {**found, "site": site}

    return Goal("status", {"site": site}, judge, picked)


def end(name: str) -> Goal:
    """The window of that id, which was ended, is over."""
    return Goal("window.get", {"id": name}, over, lambda window: window)


def _sites(names: frozenset[str], judge: Callable[[Status, frozenset[str]], Seen]) -> Goal:
    def picked(status: Status) -> object:
        return _named(status, names)

    return Goal("status", {}, lambda status: judge(status, names), picked)


def drained(status: Status, names: frozenset[str]) -> Seen:
    """Those sites are down, and none of their requests is in flight."""
    sites = _named(status, names)
    back = [site for site in sites if site["phase"] not in _DOWN]
    if back:
        return Seen(_phases(back), False)
    left = sum(_active(site["members"]) for site in sites)
    return Seen(f"{_phases(sites)}, {in_flight(left)}", True if left == 0 else None)


def served(status: Status, names: frozenset[str]) -> Seen:
    """Those sites serve their visitors again."""
    sites = _named(status, names)
    away = [site for site in sites if site["phase"] in _DOWN or site["cause"] is not None]
    return Seen(_phases(away or sites), None if away else True)


def member_drained(status: Status, site: str, url: str, state: str) -> Seen:
    """That member is still in `state`, and none of its requests is in flight."""
    found = _members(status, site, url)
    if not found:
        return Seen(f"{url} is no member of {site} any more", False)
    now = found[0]["state"]
    left = _active(found)
    words = f"{url}: {now}, {in_flight(left)}"
    if now != state:
        return Seen(words, False)
    return Seen(words, True if left == 0 else None)


def over(window: Window) -> Seen:
    """That window, which was ended, is over: no members are to be found healthy before.

    One that is down again has waited for them in vain.
    """
    phase = window["phase"]
    reached = None if phase == "verifying" else phase == "ended"
    return Seen(f"{window['id']}: {phase}", reached)


def in_flight(count: int) -> str:
    """So many requests, tunnels among them."""
    match count:
        case 0:
            return "no request in flight"
        case 1:
            return "1 request in flight"
        case _:
            return f"{count} requests in flight"


def _named(status: Status, names: frozenset[str]) -> list[Site]:
    return [site for site in status["sites"] if site["name"] in names]


def _members(status: Status, site: str, url: str) -> list[Member]:
    sites = _named(status, frozenset({site}))
    return [one for place in sites for one in place["members"] if one["url"] == url]


def _active(members: Iterable[Member]) -> int:
    return sum(member["active"] for member in members)


def _phases(sites: Iterable[Site]) -> str:
    """``shop, blog: draining; wiki: down``."""
    by_phase: dict[str, list[str]] = {}
    for site in sites:
        lacking = site["cause"] == "members" and site["phase"] not in _DOWN
        phase = f"{site['phase']}, no member is available" if lacking else site["phase"]
        by_phase.setdefault(phase, []).append(site["name"])
    return "; ".join(f"{', '.join(names)}: {phase}" for phase, names in by_phase.items())
