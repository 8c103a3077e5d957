"""How much is done in one turn of the reactor, by an epoll of its own."""

from __future__ import annotations

import select
from collections.abc import Callable
from contextlib import closing

import pytest
from tests.edge.loops import Loop, Pair

from sorryd.edge.readiness import ROUNDS, SPELL, TURN, EpollReadiness, readiness_of

pytestmark = pytest.mark.skipif(not hasattr(select, "epoll"), reason="there is no epoll")

STEP = SPELL / 4


def _none() -> float | None:
    """There is no timer."""
    return None


def test_rounds(pair: Pair) -> None:
    """What becomes ready by what is done is told in the same turn; so often and no more."""
    loop = Loop(EpollReadiness)
    loop.readiness.close()
    ready = EpollReadiness(loop, loop, rounds=3)
    one, other = pair
    told: list[str] = []

    def ask() -> None:
        told.append("ask")
        one.recv(10)
        one.send(b"x")

    ready.watch_read(one.fileno(), ask)
    ready.watch_read(other.fileno(), lambda: told.append("answer"))
    other.send(b"x")
    loop.turn()
    assert told == ["ask", "answer", "answer"]
    ready.close()


@pytest.mark.parametrize(
    ("spare", "looks"),
    [
        (None, TURN / STEP),
        (_none, TURN / STEP),
        (lambda: 0.3, TURN / STEP),
        (lambda: 3 * STEP, (SPELL + 3 * STEP) / STEP),
        (lambda: 0, SPELL / STEP),
    ],
)
def test_time_of_a_turn(pair: Pair, spare: Callable[[], float | None] | None, looks: float) -> None:
    """Where there is always more to do, the reactor's timers have their turn all the same, and
    after a while its other descriptors."""
    loop = Loop(EpollReadiness)
    loop.readiness.close()
    ready = EpollReadiness(loop, loop, ROUNDS, spare)
    told: list[float] = []

    def work() -> None:
        told.append(loop.seconds())
        loop.rightNow += STEP * 1.0001

    ready.watch_read(pair[0].fileno(), work)
    pair[1].send(b"x")
    loop.turn()
    assert len(told) == round(looks)
    ready.close()


def test_timer_of_a_reactor() -> None:
    """What a reactor tells of its timers is asked for; others are only left for so long."""
    loop = Loop(EpollReadiness)
    loop.readiness.close()
    vars(loop)["timeout"] = lambda: 0
    ready = readiness_of(loop, loop)
    with closing(ready):
        assert isinstance(ready, EpollReadiness)
        assert ready._spared() == 0
