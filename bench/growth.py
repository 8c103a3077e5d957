"""sorryd beside itself: one that has little to look after, and one that has much.

A request should cost what it costs, however much there is. So whatever else could differ is alike:

- Checks cost by time, not by request. Both make as many a second: who has a hundred times as many
  members asks each a hundredth as often.
- Of a thousand sites the load asks the same ten as of ten. Others are there and rest, as most do;
  the connections to members that are in use are as many.
- Of a thousand members, balanced in turn, each is asked, over connections of its own. As many are
  in use of ten, since there are a thousand visitors at once: whatever is said on a connection that
  has rested meanwhile finds nothing of it in the processor's caches, least of all the kernel's own
  part of it, and that is so with HAProxy, too. With 64 visitors, who need no more than 64
  connections to ten members, a request costs 0.8 of one with a thousand members, HAProxy's 0.9.
- Windows are all to come, and none of them is near.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from twisted.internet.defer import Deferred, execute

from bench import proxies
from bench.goals import SMALL
from bench.loads.rest import raise_limit
from bench.places import Place, Ports, fill, text
from bench.processes import BenchError, Cores, Fleet, free_port, program
from bench.proxies import Name, Proxy, Stand
from bench.scenarios import VISITED, Scenario
from sorryd.journal import HistoryEntry, Journal, WindowPut
from sorryd.window import Author, Window, WindowKind

T = TypeVar("T")

WINDOWS, RESTING = 10_000, 10_000
_FEW, _MANY = 10, 1000
_CHECKS = 5  # members that are checked each second
_SPARE = 300  # descriptors of sorryd for other things; it keeps two for each visitor
_HOUR = 3600.0
_AUTHOR = Author(uid=os.getuid(), name="bench", pid=os.getpid())


class UnavailableError(Exception):
    """What has grown can't be had on this machine; the message says why."""


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """A site as its section needs it; no `host`: any."""

    name: str
    host: str
    members: tuple[str, ...]


def start(scenario: Scenario, fleet: Fleet, place: Place, cores: Cores) -> Stand:
    """A daemon that has grown in the way of the scenario, and its small peer.

    Raises UnavailableError where that can't be had here, and BenchError where something fails.
    """
    resting = min(RESTING, raise_limit() // 2 - _SPARE)
    if scenario is Scenario.GROWTH_CONNECTIONS and resting < RESTING // 2:
        raise UnavailableError(f"{RESTING} connections need twice the descriptors: ulimit -Hn")
    match scenario:
        case Scenario.GROWTH_MEMBERS:
            members = _many_members(fleet, place, cores)
            few, many = _shop(members[:_FEW]), _shop(members)
        case Scenario.GROWTH_SITES:
            hosts = [f"site-{at}.example" for at in range(_MANY)]
            few, many = ([site_of(x, _two(place)) for x in of] for of in (VISITED, hosts))
        case _:
            few = many = _shop(_two(place))
    for named in (scenario, f"{scenario}-{SMALL}"):
        (place.folder / named).mkdir()
    if scenario is Scenario.GROWTH_WINDOWS:
        _write_windows(place.folder / scenario / "sorryd.db")
    small = _daemon(f"{scenario}-{SMALL}", SMALL, few, fleet, place, cores)
    grown = _daemon(scenario, Name.SORRYD, many, fleet, place, cores)
    if scenario is Scenario.GROWTH_CONNECTIONS:
        _rest(fleet, grown, resting, cores)
    return Stand(running=(grown, small), place=place, cores=cores)


def _two(place: Place) -> tuple[str, ...]:
    ports = (place.members.member_a, place.members.member_b)
    return tuple(f"127.0.0.1:{port}" for port in ports)


def _shop(members: tuple[str, ...]) -> list[Site]:
    return [Site(name="shop", host="", members=members)]


def site_of(host: str, members: tuple[str, ...]) -> Site:
    """The site of `host`."""
    return Site(name=host.partition(".")[0], host=host, members=members)


def _many_members(fleet: Fleet, place: Place, cores: Cores) -> tuple[str, ...]:
    if (binary := program("nginx")) is None:
        raise UnavailableError("a thousand members need nginx")
    port = free_port()
    found = [f"127.0.{1 + at // 250}.{1 + at % 250}:{port}" for at in range(_MANY)]
    listen = "\n".join(f"        listen {each} backlog=1024;" for each in found)
    file = fill(place, "growth-backend.conf", listen=listen)
    fleet.start("growth-backend", proxies.nginx(binary, file), [], cores.load)
    return tuple(found)


def _write_windows(journal: Path) -> None:
    """Windows that nobody needs to plan one by one, which takes minutes. Raises JournalError."""
    begin = time.time() + _HOUR
    puts = [
        WindowPut(
            window=Window(
                id=f"w{at}",
                site="shop",
                kind=WindowKind.PLANNED,
                start=begin + at * 600.0,
                end=begin + at * 600.0 + 300.0,
                reason="bench",
                timezone="UTC",
                author=_AUTHOR,
                created=begin - _HOUR,
            )
        )
        for at in range(WINDOWS)
    ]
    opened = Journal(str(journal), _at_once)
    opened.open()
    opened.commit(tuple(puts), HistoryEntry(at=begin - _HOUR, verb="window.schedule", site="shop"))
    opened.close()


def _at_once(function: Callable[..., T], *args: Any) -> Deferred[T]:
    return execute(function, *args)


def configuration(sites: Sequence[Site], ports: Ports, folder: Path, page: Path, log: Path) -> str:
    """A sorryd.ini with these sites at one address; pure."""
    interval = max(2, sum(len(site.members) for site in sites) // _CHECKS)
    sections = [
        text(
            "growth-site.ini",
            site=site.name,
            hosts=site.host,
            plain=ports.plain,
            members="\n".join(f"    http://{each} retry=5" for each in site.members),
            interval=interval,
            page=page,
        )
        for site in sites
    ]
    return text("growth.ini", folder=folder, log=log, admin=ports.admin) + "".join(sections)


def _daemon(
    named: str, label: str, sites: Sequence[Site], fleet: Fleet, place: Place, cores: Cores
) -> Proxy:
    folder = place.folder / named
    ports, log, file = Ports(), folder / "sorryd.access.log", folder / "sorryd.ini"
    file.write_text(configuration(sites, ports, folder, place.folder / "sorry.html", log))
    command = proxies.sorryd(file)
    if isinstance(command, proxies.Absent):
        raise BenchError(command.why)
    process = fleet.start(named, command, [ports.plain, ports.admin], cores.proxy)
    return Proxy(name=Name.SORRYD, label=label, pid=process.pid, version="", ports=ports, log=log)


def _rest(fleet: Fleet, proxy: Proxy, count: int, cores: Cores) -> None:
    """Have connections at rest at `proxy` for as long as the fleet is there."""
    command = [sys.executable, "-m", "bench.loads.rest", str(proxy.ports.plain), str(count)]
    process = fleet.start("rest", command, [], cores.load)
    until = time.monotonic() + 120.0
    while "all are there" not in (said := fleet.said("rest").read_text()):
        if process.poll() is not None or time.monotonic() > until:
            raise BenchError(f"the connections at rest did not come: {said}")
        time.sleep(0.05)
