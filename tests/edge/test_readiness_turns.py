"""How much is done in one turn of the reactor, by an epoll of its own."""

from __future__ import annotations

import select

import pytest
from tests.edge.loops import Loop, Pair

from sorryd.edge.readiness import ROUNDS, TURN, EpollReadiness

pytestmark = pytest.mark.skipif(not hasattr(select, "epoll"), reason="there is no epoll")


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


def test_time_of_a_turn(pair: Pair) -> None:
    """Where there is always more to do, the reactor's timers have their turn all the same."""
    loop = Loop(EpollReadiness)
    loop.readiness.close()
    ready = EpollReadiness(loop, loop, ROUNDS)
    told: list[float] = []

    def work() -> None:
        told.append(loop.seconds())
        loop.rightNow += TURN / 4

    ready.watch_read(pair[0].fileno(), work)
    pair[1].send(b"x")
    loop.turn()
    assert len(told) == 4
    ready.close()
