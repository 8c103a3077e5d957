"""What the chaos judges by: it must see what is wrong, and excuse no more than what was killed."""

from __future__ import annotations

import pytest
from tests.chaos.killer import Death
from tests.chaos.ledger import ALLOWED, Edge, Ledger
from tests.chaos.verdict import judge
from tests.chaos.words import Counted, Failed, Seen


def ledger() -> Ledger:
    """Live until 10, down from 11 to 20, live again from 21 to 30."""
    known = Ledger()
    known.know("blog", 0.0, 10.0, is_down=False)
    known.know("blog", 11.0, 20.0, is_down=True)
    known.know("blog", 21.0, 30.0, is_down=False)
    return known


def seen(said: str, asked: float, answered: float, site: str = "blog") -> Seen:
    """What a probe got."""
    return Seen(site=site, asked=asked, answered=answered, said=said)


ANSWERS = [
    pytest.param("page", 5.0, 5.1, False, id="a page while it is live"),
    pytest.param("manual", 5.0, 5.1, True, id="an apology while it is live"),
    pytest.param("page", 15.0, 15.1, True, id="a page while it is down"),
    pytest.param("window", 15.0, 15.1, False, id="an apology while it is down"),
    pytest.param("page", 10.5, 15.0, False, id="asked while nothing was certain"),
    pytest.param("page", 19.9, 20.1, False, id="answered when nothing was certain any more"),
    pytest.param("page", 11.0, 11.1, True, id="asked when it was acknowledged"),
    pytest.param("window", 21.0, 21.1, True, id="asked when its end was acknowledged"),
    pytest.param("window", 31.0, 31.1, False, id="after all that is known"),
]


@pytest.mark.parametrize(("said", "asked", "answered", "is_wrong"), ANSWERS)
def test_an_answer_is_judged_by_the_interval_of_its_making(
    said: str, asked: float, answered: float, is_wrong: bool
) -> None:
    """It is wrong only where it can't have been right at any instant of it."""
    assert (ledger().wrong(seen(said, asked, answered)) is not None) is is_wrong


def test_nothing_is_known_of_other_sites() -> None:
    """An answer of a site that nobody wrote about is right."""
    assert ledger().wrong(seen("page", 15.0, 15.1, "news")) is None


def test_lateness_is_that_of_the_last_old_answer() -> None:
    """Counted from the edge of a window, and only until the next one."""
    known = Ledger()
    opened, closed = Edge("blog", 10.0, 20.0, True), Edge("blog", 20.0, 20.3, False)
    known.edges += [opened, closed]
    answers = [seen("page", 9.0, 9.1), seen("page", 10.02, 10.03), seen("window", 10.05, 10.06)]
    answers += [seen("page", 12.0, 12.1, "news"), seen("page", 19.9, 20.1)]
    late = known.lateness(answers)
    assert late[opened] == pytest.approx(0.02)
    assert late[closed] == 0.0
    assert late[opened] < ALLOWED


def failed(opened: float, began: float, ended: float, port: int = 7) -> Failed:
    """A request that failed."""
    return Failed(kind="plain", why="reset", opened=opened, began=began, ended=ended, port=port)


FAILURES = [
    pytest.param(failed(1.0, 9.0, 10.1), True, id="on a connection that was killed"),
    pytest.param(failed(1.0, 9.0, 10.1, 8), False, id="on another connection"),
    pytest.param(failed(1.0, 8.0, 9.0), False, id="before the kill"),
    pytest.param(failed(11.0, 11.0, 11.1), False, id="on a later connection of the same port"),
]


@pytest.mark.parametrize(("failure", "is_excused"), FAILURES)
def test_a_kill_excuses_its_own_connections(failure: Failed, is_excused: bool) -> None:
    """Those that the killed process held, and no others; nor anything without a kill."""
    death = Death(at=10.0, ports=frozenset({7}), until=10.0)
    counted = Counted(right={"plain": 3}, slowest={"plain": 0.1})
    judged = judge([failure, counted], [death], Ledger())
    assert (judged.requests, judged.excused) == (3, int(is_excused))
    assert bool(judged.violations) is not is_excused
    assert judge([failure], [], Ledger()).violations


def test_nobody_is_there_while_all_are_dead() -> None:
    """Where no process listened, requests fail until one does again."""
    death = Death(at=10.0, ports=frozenset(), until=12.0)
    assert death.excuses(failed(11.0, 11.0, 11.1, 0))
    assert not death.excuses(failed(12.1, 12.1, 12.2, 0))


def test_a_wrong_phase_is_a_violation() -> None:
    """A page that comes while a site is down for certain is told."""
    (told,) = judge([seen("page", 15.0, 15.1)], [], ledger()).violations
    assert told.startswith("blog: page though it was down: asked 4000 ms after")
