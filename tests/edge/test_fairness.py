"""Whoever always has more to say does not keep others from being heard."""

from __future__ import annotations

from collections.abc import Callable

from tests.edge.loops import Loop
from tests.edge.messages import GET
from tests.edge.scene import NOON, Stage, window

from sorryd.edge.client import AT_ONCE
from sorryd.edge.readiness import EpollReadiness


def test_apologies_in_turns(stage: Stage) -> None:
    """Of many requests at once, a few are answered in one turn, and all in the end."""
    scene = stage()
    scene.publish(window(NOON - 10, NOON + 10))
    put_off: list[Callable[[], None]] = []
    scene.site.soon = put_off.append
    many, few = scene.visitor(), scene.visitor()
    many.says_at_once(GET * (2 * AT_ONCE + 1))
    few.says(GET)
    assert few.gets().count(b"HTTP/1.1 503") == 1
    counts = [many.gets().count(b"HTTP/1.1 503")]
    while put_off:
        put_off.pop()()
        counts.append(many.gets().count(b"HTTP/1.1 503"))
    assert counts == [AT_ONCE, AT_ONCE, 1]
    many.says(GET)
    assert many.gets().count(b"HTTP/1.1 503") == 1


def test_fin_between_turns(stage: Stage) -> None:
    """FIN behind them takes none of their answers away."""
    scene = stage()
    scene.publish(window(NOON - 10, NOON + 10))
    visitor = scene.visitor()
    visitor.says_at_once(GET * (2 * AT_ONCE + 1))
    visitor.ends()
    assert visitor.gets().count(b"HTTP/1.1 503") == 2 * AT_ONCE + 1
    assert visitor.has_fin


def test_put_off_again() -> None:
    """What is put off by what was put off waits for a turn of its own, in which others are heard,
    whatever the reactor's timers do."""
    loop = Loop(EpollReadiness)
    done: list[int] = []

    def again() -> None:
        done.append(len(done))
        if len(done) < 3:
            loop.readiness.soon(again)

    loop.readiness.soon(again)
    assert not loop.getDelayedCalls()
    for turns in range(1, 4):
        loop.turn()
        assert len(done) == turns
    loop.end()
