"""The commands of the control socket that tell what is: status and versions."""

from __future__ import annotations

import os
import time

from tests.control.world import NOON, SHARED, A, B, World, night, window

from sorryd.journal import WindowPut
from sorryd.messages import DaemonVersion, MemberSet, SiteDown, Status
from sorryd.model import Cause, MemberState, Phase
from sorryd.replies import WindowPhase
from sorryd.reports import Active, MemberFailed, ShownCertificate, WorkerSeen


def test_status(world: World) -> None:
    """The status tells of each site, its windows and its members, in its own time zone."""
    world.ask(night())
    world.ask(MemberSet(url=A, weight=7))
    world.active = [
        Active(site="shop", url=A, requests=2),
        Active(site="shop", url=A, requests=1),
        Active(site="blog", url=SHARED, requests=5),
    ]
    world.wait(600)
    status = world.ask(Status())
    assert (status.now, status.pid) == ("2026-11-21T12:10:00+00:00", os.getpid())
    shop, blog = status.sites
    assert (shop.name, shop.phase, shop.cause) == ("shop", Phase.DRAINING, Cause.WINDOW)
    assert (shop.reason, shop.until) == ("disks", "2026-11-21T14:10:00+01:00")
    assert shop.window.id == "night"
    assert shop.window.phase is WindowPhase.DRAINING
    assert shop.next is None
    assert [(one.url, one.weight, one.active) for one in shop.members] == [
        (A, 7, 3),
        (B, 1, 0),
        (SHARED, 1, 0),
    ]
    assert [one.standby for one in shop.members] == [False, False, True]
    assert (blog.phase, blog.cause, blog.reason) == (Phase.LIVE, None, "")
    assert (blog.until, blog.window) == (None, None)
    assert world.ask(Status(site="blog")).sites == (blog,)


def test_status_of_workers(world: World) -> None:
    """The daemon tells since when it runs, and which processes serve, or do not."""
    assert world.ask(Status()).workers == ()
    world.workers = [
        WorkerSeen(number=1, pid=11, since=NOON, restarts=0, restarted=None),
        WorkerSeen(number=2, pid=None, since=None, restarts=3, restarted=NOON + 1),
        WorkerSeen(number=2, pid=9, since=NOON, restarts=3, restarted=NOON + 1, is_leaving=True),
    ]
    world.wait(60)
    status = world.ask(Status())
    noon, later = "2026-11-21T12:00:00+00:00", "2026-11-21T12:00:01+00:00"
    assert status.started == noon
    assert [(one.number, one.pid, one.since, one.leaving) for one in status.workers] == [
        (1, 11, noon, False),
        (2, None, None, False),
        (2, 9, noon, True),
    ]
    assert [(one.restarts, one.restarted) for one in status.workers] == [
        (0, None),
        (3, later),
        (3, later),
    ]


def test_status_of_a_site_without_members(world: World) -> None:
    """Where all members are dead or put aside the site stays live, and the cause is members."""
    world.truth.report(MemberFailed(site="shop", url=A, why="reset"))
    world.ask(MemberSet(url=B, state=MemberState.MAINT))
    assert world.ask(Status()).sites[0].cause is None
    world.ask(MemberSet(url=f"shop/{SHARED}", weight=0))
    shop = world.ask(Status()).sites[0]
    assert (shop.phase, shop.cause) == (Phase.LIVE, Cause.MEMBERS)
    world.ask(SiteDown(site="shop"))
    assert world.ask(Status()).sites[0].cause is Cause.MANUAL


def test_status_of_certificates(world: World) -> None:
    """Each site has its own, with what is to be said of them today."""
    day = 86400.0
    fine = ShownCertificate(
        site="shop", file="a.pem", names=("a.example",), expires=NOON + 90 * day
    )
    late = ShownCertificate(site="shop", file="b.pem", names=(), expires=NOON + 3.5 * day)
    world.shown = [fine, late]
    shop, blog = world.ask(Status()).sites
    assert blog.certificates == ()
    assert [(one.file, one.names, one.expires) for one in shop.certificates] == [
        ("a.pem", ("a.example",), "2027-02-19T13:00:00+01:00"),
        ("b.pem", (), "2026-11-25T01:00:00+01:00"),
    ]
    assert [one.warning for one in shop.certificates] == ["", "expires in 3 days"]
    world.step(4 * day)
    assert world.ask(SiteDown(site="shop"))[0].certificates[1].warning == "has expired"


def test_version(world: World) -> None:
    """The versions are those of what runs."""
    found = world.ask(DaemonVersion())
    assert found.openssl.startswith("OpenSSL ")
    assert found.python.startswith("3.")
    assert found.version == world.ask(Status()).version


def test_ten_thousand_windows(world: World) -> None:
    """Among ten thousand windows a status, a look and a member's failure take no time."""
    windows = (window(f"n{n}", NOON + n * 60, NOON + n * 60 + 30) for n in range(10_000))
    world.truth.apply([WindowPut(window=one) for one in windows])
    world.ask(Status())
    began = time.process_time()
    for _ in range(10):
        assert world.ask(Status()).sites[0].next.id.startswith("n")
        world.wait(1)
        world.truth.report(MemberFailed(site="blog", url=SHARED, why="reset"))
        world.wait(5)
    assert (time.process_time() - began) / 10 < 0.05


def test_what_is_ahead(world: World) -> None:
    """With `ahead` each site tells its phases to come, in its own time zone."""
    world.ask(night())
    shop, blog = world.ask(Status(ahead="2h")).sites
    assert [(one.from_, one.until, one.phase, one.window) for one in shop.ahead] == [
        ("2026-11-21T13:00:00+01:00", "2026-11-21T13:10:00+01:00", Phase.ANNOUNCED, None),
        ("2026-11-21T13:10:00+01:00", "2026-11-21T13:10:30+01:00", Phase.DRAINING, "night"),
        ("2026-11-21T13:10:30+01:00", "2026-11-21T14:10:00+01:00", Phase.DOWN, "night"),
        ("2026-11-21T14:10:00+01:00", "2026-11-21T15:00:00+01:00", Phase.LIVE, None),
    ]
    assert [one.phase for one in blog.ahead] == [Phase.LIVE]
    assert world.ask(Status()).sites[0].ahead == ()
    assert world.refused(Status(ahead="367d")).field == "ahead"
