"""How fast visitors are taken in beside others."""

from __future__ import annotations

from twisted.internet.task import Clock

from sorryd.edge.pace import MORE, SPAN, Pace


def test_a_pool_of_connections() -> None:
    """Of many who come and stay, a few are taken in each span, with pauses to its end."""
    clock, load = Clock(), 100
    pace = Pace(clock.seconds, lambda: load)
    clock.advance(1.0)
    for _ in range(3):
        for _ in range(MORE):
            assert pace.pause() == 0.0
            load += 1
        clock.advance(SPAN / 4)
        assert abs(pace.pause() - SPAN * 3 / 4) < 1e-9
        clock.advance(SPAN)


def test_visitors_who_come_and_go() -> None:
    """Where as many leave as come, there is no pause, however many that are."""
    clock = Clock()
    pace = Pace(clock.seconds, lambda: 64)
    assert [pace.pause() for _ in range(1000)] == [0.0] * 1000
