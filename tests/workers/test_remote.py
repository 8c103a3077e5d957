"""A worker in a process of its own, as a dialogue of orders and words."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from tests.control.world import CONFIG, NOON, member, result, window
from tests.workers.lives import BEGIN, Life, Lives, outfit, snapshot, view
from twisted.logger import LogLevel, capturedLogs, formatEvent

from sorryd.model import Health
from sorryd.numbers import EdgeNumbers, MemberNumbers, SiteNumbers
from sorryd.policy.shares import Share
from sorryd.reports import Active, MemberFailed, WorkerSeen
from sorryd.snapshot import MemberView
from sorryd.workers.meter import EVERY, MANY, WAIT
from sorryd.workers.orders import (
    Begin,
    Counted,
    Failed,
    Fit,
    Leaving,
    Measure,
    Measured,
    Publish,
    Reported,
    Retire,
    Said,
    Show,
    Stop,
)
from sorryd.workers.process import PATIENCE
from sorryd.workers.remote import HURRY, PARTING, Remote

BUSY = (Active(site="shop", url="http://a", requests=3),)


@pytest.fixture
def lives(monkeypatch: pytest.MonkeyPatch) -> Lives:
    return Lives(monkeypatch)


def serving(lives: Lives, number: int = 1) -> Remote:
    """A worker that does all that it was told."""
    worker = lives.remote(number)
    worker.apply(snapshot(1))
    worker.fit(outfit(1, 2))
    lives.last.lives()
    assert worker.serves
    return worker


def publishes(life: Life) -> list[Publish]:
    return [order for order in life.orders if isinstance(order, Publish)]


def seen(**fields: Any) -> WorkerSeen:
    """The first worker as it is seen; without more, there is none and never was."""
    nobody = WorkerSeen(number=1, pid=None, since=None, restarts=0, restarted=None)
    return replace(nobody, **fields)


def has_fired(deferred: Any) -> bool:
    fired: list[Any] = []
    deferred.addBoth(fired.append)
    return bool(fired)


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


# --- its death ---


@pytest.mark.parametrize("steps", range(5))
def test_death_at_each_step(lives: Lives, steps: int) -> None:
    """Wherever it was: another one is told all of it, and who waited is answered."""
    worker = lives.remote()
    worker.apply(snapshot(1))
    worker.fit(outfit(1))
    fitted = worker.fitted()
    first = lives.last
    for step in (first.comes, lambda: first.does(1), lambda: first.does(2), first.does)[:steps]:
        step()
    if steps == 4:
        worker.apply(snapshot(2))
        worker.apply(snapshot(3))
    settled = worker.settled()
    first.end()
    assert has_fired(fitted)
    assert has_fired(settled)
    assert not worker.serves
    assert has_fired(worker.settled())
    assert lives.lost == [1]
    worker.apply(snapshot(9))
    lives.clock.advance(0)
    assert lives.last is not first
    lives.last.lives()
    assert lives.last.told() == ["Begin", "Publish", "Fit"]
    assert publishes(lives.last)[0].serial == 9
    assert worker.serves


def test_deaths_are_told(lives: Lives) -> None:
    """The log says who has died, and when another one comes; so does what is seen."""
    worker = serving(lives)
    assert worker.seen == seen(pid=100, since=NOON)
    lives.clock.advance(60)
    with capturedLogs() as log:
        lives.last.end()
        assert worker.seen == seen(restarts=1, restarted=NOON + 60)
        lives.clock.advance(0)
        lives.last.end()
    assert [(event["log_level"], formatEvent(event)) for event in log] == [
        (LogLevel.error, "worker 1 (process 100) has died; another one is started"),
        (LogLevel.error, "worker 1 could not be started; another one is started in 0.1 s"),
    ]


def test_one_that_keeps_dying(lives: Lives) -> None:
    """It is started at longer and longer intervals, until one has lived for a while."""
    worker = serving(lives)
    waits = []
    for _ in range(12):
        lives.last.end()
        (again,) = lives.clock.getDelayedCalls()
        waits.append(again.getTime() - lives.clock.seconds())
        lives.clock.advance(waits[-1])
        lives.last.comes()
    assert waits == pytest.approx([0, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30])
    assert worker.seen is not None
    assert worker.seen.restarts == 12
    lives.last.does()
    lives.clock.advance(20)
    lives.last.end()
    lives.clock.advance(0)
    assert len(lives.all) == 14


def test_no_process_to_be_had(lives: Lives) -> None:
    """The daemon goes on, says why, and tries again; who waits is not left waiting."""
    lives.refusal = OSError(24, "Too many open files")
    with capturedLogs() as log:
        worker = lives.remote()
        worker.apply(snapshot(1))
        worker.fit(outfit(1))
        assert has_fired(worker.settled())
        assert result(worker.active()) == ()
        worker.look()
        lives.clock.advance(0)
        lives.refusal = None
        lives.clock.advance(0.1)
    lives.last.lives()
    assert worker.serves
    assert [formatEvent(event) for event in log] == [
        "worker 1 can't be started: too many open files; another one is started",
        "worker 1 can't be started: too many open files; another one is started in 0.1 s",
    ]


def test_one_that_hangs(lives: Lives) -> None:
    """One that shows no life is asked for it, and killed if it does not answer."""
    worker, life = serving(lives), lives.last

    def pass_time(seconds: float) -> None:
        for _ in range(int(seconds)):
            lives.clock.advance(1)
            worker.look()

    worker.look()
    assert Measure() not in life.orders
    pass_time(EVERY)
    assert life.orders.count(Measure()) == 1
    life.does()
    pass_time(EVERY + PATIENCE - 1)
    assert life.orders.count(Measure()) == 2
    assert not life.was_killed
    pass_time(1)
    assert life.was_killed


# --- what goes wrong ---


def test_sockets_that_can_not_be_sent(lives: Lives) -> None:
    """Without a descriptor left it serves as before, the log says so, and it is tried again."""
    worker = serving(lives)
    lives.last.fault = OSError(24, "Too many open files")
    with capturedLogs() as log:
        worker.fit(outfit(1, 2, 3))
    assert not worker.serves
    assert has_fired(worker.settled())
    lives.last.fault = None
    worker.look()
    lives.last.does()
    assert worker.serves
    assert lives.last.fds[-1] == [30]
    assert [formatEvent(event) for event in log] == [
        "worker 1 can't get its sockets: too many open files"
    ]


def test_order_that_failed(lives: Lives) -> None:
    """It is not killed for that; the next time it gets all sockets anew."""
    worker = serving(lives)
    worker.fit(outfit(1, 2, 3))
    lives.last.says(Failed(order="Fit"))
    lives.last.does()
    assert not worker.serves
    worker.fit(outfit(1, 2, 3))
    lives.last.does()
    assert worker.serves
    assert lives.last.fds[-1] == [10, 20, 30]
    lives.last.says(Failed(order="Show"))
    assert worker.serves
    assert not lives.last.was_killed


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


# --- its end ---


def test_retiring(lives: Lives) -> None:
    """It hears of windows until it ends, is not replaced, and may take its time."""
    worker = serving(lives)
    over = worker.retire(60)
    assert lives.last.orders[-1] == Retire(limit=60)
    lives.last.does()
    worker.apply(snapshot(2))
    assert publishes(lives.last)[-1].serial == 2
    lives.last.does()
    lives.clock.advance(60)
    assert not has_fired(over)
    with capturedLogs() as log:
        lives.last.end()
    assert over.called
    assert not lives.last.was_killed
    assert log == []
    assert lives.lost == [1], "a leave to try a member may have been its"
    lives.clock.advance(1000)
    assert len(lives.all) == 1


@pytest.mark.parametrize("is_asked_to_stop", [True, False])
def test_overdue(lives: Lives, is_asked_to_stop: bool) -> None:
    """One that does not end long after its limit is killed."""
    worker = serving(lives)
    over = worker.stop(30) if is_asked_to_stop else worker.retire(30)
    lives.last.does()
    lives.clock.advance(30 + PARTING - 0.1)
    assert not lives.last.was_killed
    lives.clock.advance(0.1)
    assert lives.last.was_killed
    assert over.called


def test_stop_while_retiring(lives: Lives) -> None:
    """Stopping counts from then on, and the limit of it; both are over with the process."""
    worker = serving(lives)
    retired = worker.retire(1000)
    stopped = worker.stop(5)
    again = worker.stop(5)
    worker.retire(1000)
    assert lives.last.told()[-2:] == ["Retire", "Stop"]
    assert lives.last.orders[-1] == Stop(limit=5)
    lives.last.does()
    lives.clock.advance(5 + PARTING)
    assert lives.last.was_killed
    assert retired.called
    assert stopped.called
    assert again.called
    assert lives.lost == [], "nobody has to be told any more"


def test_hurry(lives: Lives) -> None:
    """Who asks twice does not wait for one that hangs, either."""
    worker = serving(lives)
    worker.hurry()
    over = worker.stop(1000)
    lives.last.does()
    lives.clock.advance(60)
    worker.hurry()
    assert lives.last.told()[-3:] == ["Hurry", "Stop", "Hurry"]
    lives.clock.advance(HURRY - 0.1)
    assert not lives.last.was_killed
    lives.clock.advance(0.1)
    assert lives.last.was_killed
    assert over.called
    worker.hurry()


def test_hung_while_retiring(lives: Lives) -> None:
    """One that does not take the order is killed as ever, and is over then."""
    worker = serving(lives)
    over = worker.retire(1000)
    lives.clock.advance(PATIENCE)
    assert lives.last.was_killed
    assert over.called
    lives.clock.advance(1000)
    assert len(lives.all) == 1


def test_end_before_it_is_there(lives: Lives) -> None:
    """One that has not come yet is not waited for."""
    worker = lives.remote()
    over = worker.stop(30)
    assert lives.last.was_aborted
    assert over.called
    lives.clock.advance(1000)
    assert len(lives.all) == 1


def test_end_while_there_is_none(lives: Lives) -> None:
    """Between two lives there is nothing to end, and no other one follows."""
    worker = serving(lives)
    lives.last.end()
    assert has_fired(worker.retire(30))
    assert has_fired(worker.stop(30))
    lives.clock.advance(1000)
    assert len(lives.all) == 1


# --- what it has counted ---


def accepted(count: int) -> EdgeNumbers:
    """What is told where so many connections came, which are open."""
    return EdgeNumbers(sites=(SiteNumbers(site="shop", accepted=count, open=count),))


def test_measured(lives: Lives) -> None:
    """Asked, it says what it has counted; what it said last counts where no answer comes."""
    worker = serving(lives)
    first = worker.measure()
    assert not has_fired(first)
    assert lives.last.orders[-1] == Measure()
    lives.last.says(Measured(numbers=accepted(3)))
    assert has_fired(first)
    assert worker.numbers == accepted(3)
    late = worker.measure()
    lives.clock.advance(WAIT)
    assert has_fired(late)
    assert worker.numbers == accepted(3)


def test_measured_each_second(lives: Lives) -> None:
    """Nobody must ask: so one that is killed takes little with it."""
    worker = serving(lives)
    for _ in range(3):
        lives.clock.advance(EVERY)
        worker.look()
        lives.last.does()
    assert lives.last.orders.count(Measure()) == 3


def test_what_the_dead_had_counted(lives: Lives) -> None:
    """It is kept, once, and nothing that was open then; the next process counts from 0."""
    worker = serving(lives)
    asked = worker.measure()
    lives.last.says(Measured(numbers=accepted(3)))
    waiting = worker.measure()
    lives.last.end()
    assert has_fired(asked)
    assert has_fired(waiting)
    assert worker.numbers == EdgeNumbers()
    (kept,) = lives.seat.ledger.past.sites
    assert (kept.accepted, kept.open) == (3, 0)
    assert has_fired(worker.measure())


def test_what_one_counts_that_goes(lives: Lives) -> None:
    """Its last word is what it has counted at its end."""
    worker = serving(lives)
    worker.retire(5.0)
    lives.last.says(Measured(numbers=accepted(9)))
    lives.last.end()
    assert lives.seat.ledger.past.sites[0].accepted == 9


def test_measured_less_often_with_many_members(lives: Lives) -> None:
    """To tell of thousands holds a worker's visitors up: so it is asked less often."""
    worker = serving(lives)
    members = tuple(MemberNumbers(url=f"http://{number}") for number in range(3 * MANY))
    worker.measure()
    lives.last.says(
        Measured(numbers=EdgeNumbers(sites=(SiteNumbers(site="shop", members=members),)))
    )
    lives.last.does()
    for _ in range(3):
        assert lives.last.orders.count(Measure()) == 1
        worker.look()
        lives.clock.advance(EVERY)
    worker.look()
    assert lives.last.orders.count(Measure()) == 2
