"""A worker in a process of its own, as a dialogue of orders and words."""

from __future__ import annotations

from msgspec.structs import replace
from tests.control.world import CONFIG, member, result, window
from tests.workers.lives import (
    BEGIN,
    Lives,
    has_fired,
    outfit,
    publishes,
    serving,
    snapshot,
    view,
)
from twisted.logger import LogLevel, capturedLogs, formatEvent

from sorryd.model import Health
from sorryd.policy.shares import Share
from sorryd.reports import Active, MemberFailed
from sorryd.snapshot import MemberView
from sorryd.workers.meter import WAIT
from sorryd.workers.orders import (
    Begin,
    Counted,
    Fit,
    Leaving,
    Publish,
    Reported,
    Said,
    Show,
)

BUSY = (Active(site="shop", url="http://a", requests=3),)


# --- what it is told ---


def test_birth(lives: Lives) -> None:
    """It is told who it is, what to serve, and where: in this order, with all sockets."""
    serving(lives, number=2)
    begin, publish, fit = lives.last.orders
    assert begin == replace(BEGIN, number=2)
    assert isinstance(publish, Publish)
    assert publish.sites == ("shop",)
    assert isinstance(fit, Fit)
    assert [(one.key, one.is_new) for one in fit.openings] == [(1, True), (2, True)]
    assert lives.last.fds == [(), (), [10, 20]]


def test_told_before_it_is_there(lives: Lives) -> None:
    """Of all that was said before it came it hears the last."""
    worker = lives.remote()
    for serial in (1, 2, 3):
        worker.apply(snapshot(serial))
    worker.fit(outfit(1))
    worker.fit(outfit(2))
    worker.show({})
    worker.reopen()
    worker.hurry()
    fitted = worker.fitted()
    lives.last.comes()
    begin, publish, fit = lives.last.orders
    assert isinstance(begin, Begin)
    assert isinstance(publish, Publish)
    assert isinstance(fit, Fit)
    assert publish.serial == 3
    assert [one.key for one in fit.openings] == [2]
    assert not has_fired(fitted)
    lives.last.does()
    assert has_fired(fitted)


def test_one_that_is_not_there_yet(lives: Lives) -> None:
    """No command waits for it: it serves nobody. A start and a reload do."""
    worker = lives.remote()
    worker.apply(snapshot(1))
    worker.fit(outfit(1))
    assert has_fired(worker.settled())
    fitted = worker.fitted()
    assert not fitted.called
    lives.last.comes()
    settled = worker.settled()
    assert not settled.called
    lives.last.does()
    assert fitted.called
    assert settled.called


def test_nothing_to_tell(lives: Lives) -> None:
    """Before a first snapshot there is nothing to serve."""
    lives.remote()
    lives.last.lives()
    assert lives.last.told() == ["Begin"]


def test_only_what_is_new(lives: Lives) -> None:
    """Sites that are as they were are only named, and windows are told once."""
    worker = lives.remote(of=1)
    shop, blog = view("shop", windows=(window("night"),)), view("blog")
    worker.apply(snapshot(1, shop, blog))
    lives.last.lives()
    (one, *others) = shop.members
    resting = replace(shop, members=(replace(one, health=Health.RESTING), *others))
    worker.apply(snapshot(2, blog, resting))
    first, second = publishes(lives.last)
    assert [patch.windows for patch in first.patches] == [shop.windows, ()]
    assert second.sites == ("blog", "shop")
    (patch,) = second.patches
    assert (patch.name, patch.windows, patch.has_pages) == ("shop", None, False)
    assert patch.view == replace(resting, windows=())


def test_newest_snapshot_counts(lives: Lives) -> None:
    """While one is being taken, the next ones replace each other: none piles up."""
    worker = serving(lives)
    for serial in range(2, 100):
        worker.apply(snapshot(serial))
    assert [order.serial for order in publishes(lives.last)] == [1, 2]
    lives.last.does()
    assert [order.serial for order in publishes(lives.last)] == [1, 2, 99]
    lives.last.does()
    assert lives.last.told().count("Publish") == 3


def test_settled_is_about_the_newest(lives: Lives) -> None:
    """Who waits for what was published last has it sent at once."""
    worker = serving(lives)
    worker.apply(snapshot(2))
    worker.apply(snapshot(3))
    settled = worker.settled()
    assert [order.serial for order in publishes(lives.last)] == [1, 2, 3]
    lives.last.does(4)
    assert not has_fired(settled)
    lives.last.does(5)
    assert has_fired(settled)


def test_fit_comes_after_its_sites(lives: Lives) -> None:
    """What is accepted for is published before; only new sockets go along."""
    worker = serving(lives)
    worker.apply(snapshot(2))
    worker.apply(snapshot(3))
    worker.fit(outfit(2, 3))
    assert lives.last.told()[-3:] == ["Publish", "Publish", "Fit"]
    fit = lives.last.orders[-1]
    assert isinstance(fit, Fit)
    assert [(one.key, one.is_new) for one in fit.openings] == [(2, False), (3, True)]
    assert lives.last.fds[-1] == [30]
    assert not worker.serves
    lives.last.does()
    assert worker.serves


def test_share(lives: Lives) -> None:
    """It serves by its part; another part counts from the next snapshot on."""
    limited = member("http://10.0.0.1:3000", max_connections=10)
    site = replace(CONFIG.sites[0], members=(limited,))
    one = view(site=site, members=(MemberView(member=limited),))
    worker = lives.remote(number=1, of=2)
    worker.apply(snapshot(1, one))
    lives.last.lives()
    worker.share = Share(number=1, of=5)
    worker.apply(snapshot(1, one))
    told = [order.patches[0].view.members[0] for order in publishes(lives.last)]
    assert [view.member.max_connections for view in told] == [5, 2]


def test_certificates(lives: Lives) -> None:
    """They are shown at once, and whoever comes later shows them too."""
    worker = serving(lives)
    worker.show({})
    assert isinstance(lives.last.orders[-1], Show)


# --- what it says ---


def test_reports(lives: Lives) -> None:
    """What its edge sees is passed on."""
    serving(lives)
    failed = MemberFailed(site="shop", url="http://a", why="refused")
    lives.last.says(Reported(report=failed))
    assert lives.reports == [failed]


def test_log_lines(lives: Lives) -> None:
    """Lines bear its number, keep their level, and are whole whatever is in them."""
    serving(lives, number=2)
    text = "a bug {in}\nTraceback:\n  more"
    with capturedLogs() as log:
        lives.last.says(Said("warn", "sorryd.edge.site", text))
    (event,) = log
    assert formatEvent(event) == f"worker 2: {text}"
    assert (event["log_level"], event["log_namespace"]) == (LogLevel.warn, "sorryd.edge.site")


def test_warnings_of_several(lives: Lives) -> None:
    """What another one has warned of is not said again."""
    full = Said("warn", "sorryd.edge.entrance", "site shop is full")
    serving(lives)
    serving(lives, number=2)
    with capturedLogs() as log:
        for life in lives.all:
            life.says(full)
    assert [formatEvent(event) for event in log] == ["worker 1: site shop is full"]


def test_lines_of_requests(lives: Lives) -> None:
    """The lines of an access log that goes to the daemon's are as they would be in one process."""
    serving(lives)
    with capturedLogs() as log:
        lives.last.says(Said("info", "sorryd.access_log", "192.0.2.1 - - ..."))
    assert [formatEvent(event) for event in log] == ["192.0.2.1 - - ..."]


def test_in_flight(lives: Lives) -> None:
    """It is asked each time; many may ask at once."""
    worker = serving(lives)
    first, second = worker.active(), worker.active()
    assert lives.last.told()[-2:] == ["Count", "Count"]
    lives.last.says(Counted(active=BUSY))
    assert result(first) == result(second) == BUSY


def test_in_flight_of_one_that_hangs(lives: Lives) -> None:
    """After two seconds what it said last counts; once it is dead, nothing is in flight."""
    worker = serving(lives)
    worker.active()
    lives.last.says(Counted(active=BUSY))
    asked = worker.active()
    lives.clock.advance(WAIT - 0.1)
    assert not asked.called
    lives.clock.advance(0.1)
    assert result(asked) == BUSY
    waiting = worker.active()
    lives.last.end()
    assert result(waiting) == ()
    assert result(worker.active()) == ()


def test_asked_to_go(lives: Lives) -> None:
    """An operator's wish is passed on, but of one that goes anyhow."""
    worker = serving(lives)
    lives.last.says(Leaving())
    assert lives.leaving == [worker]
    worker.retire(60)
    lives.last.says(Leaving())
    assert lives.leaving == [worker]
