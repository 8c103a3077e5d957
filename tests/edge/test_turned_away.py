"""Visitors over max_connections."""

from __future__ import annotations

import pytest
from tests.edge.llhttp import answers
from tests.edge.scene import TIMES, Scene, Stage
from tests.edge.wires import FakeWire

from sorryd.edge.line import LINGER
from sorryd.edge.turned_away import FULL, TurnedAway


class Turned:
    """One of them, and whether its end was told."""

    def __init__(self, scene: Scene, tls: bool) -> None:
        self.told: list[TurnedAway] = []
        self.wire = FakeWire("visitor", scene.settle, bytewise=False)
        scene.visitors.append(self.wire)
        self.wire.start(TurnedAway(scene.site, tls, self.told.append))


@pytest.mark.parametrize("tls", [False, True])
def test_said(stage: Stage, tls: bool) -> None:
    """503 with Retry-After, FIN, and the request is read away until its sender ends."""
    turned = Turned(stage(), tls)
    wire = turned.wire
    if tls:
        assert wire.gets() == b""
        wire.shakes_hands()
    assert wire.gets() == FULL
    assert wire.has_fin
    wire.says_at_once(b"POST / HTTP/1.1\r\n" + b"x" * 1_000_000)
    assert (wire.unread, wire.is_gone, turned.told) == (0, False, [])
    wire.ends()
    assert wire.is_gone
    assert len(turned.told) == 1


def test_answer() -> None:
    """It is a whole answer, that says when to come again, and is kept by no cache."""
    (answer,) = answers(FULL)
    assert (answer.status, answer.field(b"retry-after")) == (503, b"1")
    assert answer.field(b"connection") == b"close"
    assert answer.field(b"cache-control") == b"no-store"
    assert b"too many connections" in answer.body


def test_endless_request(stage: Stage) -> None:
    """Who never ends is read for as long as others are, and cut then."""
    scene = stage()
    turned = Turned(scene, False)
    scene.passes(LINGER - 0.5)
    turned.wire.says(b"more")
    assert not turned.wire.is_gone
    scene.passes(1.0)
    assert turned.wire.is_aborted
    assert len(turned.told) == 1


def test_endless_handshake(stage: Stage) -> None:
    """A handshake has its time, even for nothing."""
    scene = stage()
    turned = Turned(scene, True)
    scene.passes(TIMES.header - 0.5)
    assert not turned.wire.is_gone
    scene.passes(1.0)
    assert turned.wire.is_aborted
    assert turned.wire.gets() == b""
    assert len(turned.told) == 1


def test_gone_at_once(stage: Stage) -> None:
    """Who leaves in the middle of it is gone."""
    turned = Turned(stage(), True)
    turned.wire.resets()
    assert len(turned.told) == 1


def test_dropped(stage: Stage) -> None:
    """Nobody waits for it when sorryd stops."""
    scene = stage()
    told: list[TurnedAway] = []
    visitor = TurnedAway(scene.site, False, told.append)
    wire = FakeWire("visitor", scene.settle, bytewise=False)
    scene.visitors.append(wire)
    wire.start(visitor)
    visitor.drop()
    scene.settle()
    assert (wire.is_gone, told) == (True, [visitor])
