"""How much is done in one turn of the reactor, by an epoll of its own."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import select

import pytest
from tests.edge.loops import Loop, Pair

from sorryd import uv_loop
from sorryd.edge.readiness import LONGEST, ROUNDS, SPELL, TURN, EpollReadiness
from sorryd.edge.rest import Rest, nothing
from sorryd.reactors import rest_of

pytestmark = pytest.mark.skipif(not hasattr(select, "epoll"), reason="there is no epoll")

STEP = SPELL / 4


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


def played(due: float, *idle: bool) -> Rest:
    """What else a reactor does, as it is told; the last answer again and again."""
    left = list(idle)

    class Played(Rest):
        def is_idle(self) -> bool:
            return left.pop(0) if len(left) > 1 else left[0]

    return Played(lambda: due, None)


@pytest.mark.parametrize(
    ("rest", "seconds"),
    [
        (None, TURN),
        (played(1, False), TURN),
        (played(0, False), SPELL),
        (played(0, True), SPELL),
        (played(3 * STEP, False), SPELL + 7 * 3 * STEP),
        (played(1, True, False), SPELL + TURN),
        (played(1, True, True, True, False), SPELL + 3 * TURN),
        (played(1, False, True, False), 2 * TURN),
        (played(1, True), LONGEST),
    ],
)
def test_time_of_a_turn(pair: Pair, rest: Rest | None, seconds: float) -> None:
    """Where there is always more to do, what else the reactor does has its turn all the same."""
    loop = Loop(EpollReadiness)
    loop.readiness.close()
    ready = EpollReadiness(loop, loop, ROUNDS, rest)
    told: list[float] = []

    def work() -> None:
        told.append(loop.seconds())
        loop.rightNow += STEP * 1.0001

    ready.watch_read(pair[0].fileno(), work)
    pair[1].send(b"x")
    loop.turn()
    assert len(told) == round(seconds / STEP)
    ready.close()


def test_rest() -> None:
    """Timers that are due, and descriptors, ours among them, whichever is ready."""
    with contextlib.ExitStack() as stack:
        backend, own = (stack.enter_context(select.epoll()) for _ in range(2))
        backend.register(own, select.EPOLLIN)
        rest = Rest(lambda: None, backend.fileno())
        assert rest.due() == math.inf
        assert rest.is_idle()
        for epoll in (own, backend):
            bell = os.eventfd(1, os.EFD_NONBLOCK)
            stack.callback(os.close, bell)
            epoll.register(bell, select.EPOLLIN)
            assert not rest.is_idle()
            os.eventfd_read(bell)
            assert rest.is_idle()
    assert Rest(lambda: 0, None).due() == 0
    assert not nothing().is_idle()


def test_rest_of_uvloop() -> None:
    """Its descriptors can be told of; those of another loop can't."""
    loop = uv_loop.Loop()
    with contextlib.closing(loop):
        loop.run_until_complete(asyncio.sleep(0))  # it watches when it turns
        rest = rest_of(Reactor(loop))
        assert rest.is_idle()
        loop.call_soon_threadsafe(lambda: None)
        assert not rest.is_idle()
        loop.run_until_complete(asyncio.sleep(0))
        assert rest.is_idle()
    assert not rest_of(Reactor(object())).is_idle()


class Reactor:
    """As much of one as is asked."""

    def __init__(self, loop: object) -> None:
        self._asyncioEventloop = loop

    def timeout(self) -> float | None:
        """No timer."""
        return None
