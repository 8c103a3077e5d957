"""Where the dialogues of the edge are played."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from tests.edge.dialling import World
from tests.edge.loops import Loop
from tests.edge.scene import TIMES, Scene, Stage

from sorryd.edge.readiness import EpollReadiness, ReactorReadiness
from sorryd.model import Timeouts


@pytest.fixture(params=[False, True], ids=["whole", "bytewise"])
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """For each dialogue twice: what comes, comes in one piece, or byte by byte.

    At the end of each, nothing may be left of it.
    """
    scenes: list[Scene] = []

    def make(
        members: int = 1, standby: int = 0, timeouts: Timeouts = TIMES, **fields: object
    ) -> Scene:
        scenes.append(Scene(request.param, members, standby, timeouts, **fields))
        return scenes[-1]

    yield make
    for scene in scenes:
        scene.end()


@pytest.fixture(params=[EpollReadiness, ReactorReadiness], ids=["epoll", "reactor"])
def loop(request: pytest.FixtureRequest) -> Iterator[Loop]:
    """For each kind of readiness: a loop, on which nothing may be left at the end."""
    loop = Loop(request.param)
    yield loop
    loop.end()


@pytest.fixture
def world(loop: Loop) -> Iterator[World]:
    world = World(loop)
    yield world
    world.end()


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


@pytest.fixture
def free_port() -> int:
    """A port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
