"""What a worker's process counts, and what becomes of it."""

from __future__ import annotations

from tests.workers.lives import (
    Lives,
    has_fired,
    serving,
)

from sorryd.numbers import EdgeNumbers, MemberNumbers, SiteNumbers
from sorryd.workers.meter import EVERY, MANY, WAIT
from sorryd.workers.orders import (
    Measure,
    Measured,
)


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
