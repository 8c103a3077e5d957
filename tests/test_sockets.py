"""Which sockets a reload keeps, and which it closes."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.control.world import site

from sorryd.edge.listener import ListenFault
from sorryd.model import Listen, Site
from sorryd.sockets import Sockets

ANY = Listen(host="127.0.0.1", port=0)
ANY_TLS = replace(ANY, tls=True)


def at(name: str, *listen: Listen) -> Site:
    """A site that listens there."""
    return site(name, listen=listen)


@pytest.fixture
def fixed() -> Listen:
    """An address that nobody has, for now."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return replace(ANY, port=sock.getsockname()[1])


class World:
    """Sockets, and those of the last reload."""

    def __init__(self) -> None:
        self.sockets = Sockets()
        self.socks: list[socket.socket] = []
        self.keys: list[int] = []

    def reload(self, *sites: Site) -> list[tuple[Listen, tuple[str, ...]]]:
        """Let `sites` take effect: where nobody listens any more, the socket is closed."""
        bound = self.sockets.bind(sites)
        self.sockets.use(bound)
        self.sockets.release()
        self.socks = [one.sock for one in bound.values()]
        self.keys = [one.key for one in bound.values()]
        return [(one.listen, one.sites) for one in bound.values()]


@pytest.fixture
def world() -> Iterator[World]:
    running = World()
    yield running
    running.reload()


def test_what_stays_is_kept(world: World, fixed: Listen) -> None:
    """The socket of an address stays the same, whatever sites have it and whatever is said."""
    world.reload(at("shop", fixed))
    (sock,), keys = world.socks, world.keys
    assert world.reload(at("wiki", fixed), at("shop", fixed)) == [(fixed, ("wiki", "shop"))]
    assert (world.socks, world.keys) == ([sock], keys)
    tls = replace(fixed, tls=True)
    assert world.reload(at("shop", tls)) == [(tls, ("shop",))]
    assert world.socks == [sock]


def test_what_goes_is_closed_and_its_file_removed(world: World, tmp_path: Path) -> None:
    """But a file that took the place of a socket's is somebody else's."""
    ours, theirs = (Listen(host="", port=0, path=str(tmp_path / name)) for name in ("a", "b"))
    world.reload(at("shop", ours, theirs))
    socks = world.socks
    (tmp_path / "b").unlink()
    (tmp_path / "b").touch()
    world.reload(at("shop", ANY))
    assert [sock.fileno() for sock in socks] == [-1, -1]
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_port_0_is_each_site_s_own(world: World) -> None:
    """Two sites share none, nor do two listeners of a site; each keeps its own."""
    sites = at("shop", ANY, ANY, ANY_TLS), at("wiki", ANY)
    assert len(world.reload(*sites)) == 4
    before = world.socks
    assert len({sock.getsockname() for sock in before}) == 4
    world.reload(*reversed(sites))
    assert world.socks == [before[3], *before[:3]]
    world.reload(at("shop", ANY_TLS))
    assert world.socks == [before[2]]


def test_a_fault_binds_nothing(world: World, fixed: Listen) -> None:
    """What was bound before the fault is closed again; what was in use is not."""
    world.reload(at("shop", ANY))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        there = replace(ANY, port=taken.getsockname()[1])
        with pytest.raises(ListenFault, match="address already in use"):
            world.sockets.bind([at("shop", ANY, fixed, there)])
    with socket.create_server((fixed.host, fixed.port)):
        pass
    assert world.socks[0].fileno() >= 0


def test_what_is_dropped_is_closed(world: World, fixed: Listen) -> None:
    """All but what is in use."""
    world.reload(at("shop", ANY))
    bound = world.sockets.bind([at("shop", ANY, fixed)])
    world.sockets.drop(bound)
    assert [one.sock.fileno() >= 0 for one in bound.values()] == [True, False]


def test_a_dropped_unix_socket_leaves_no_file(world: World, tmp_path: Path) -> None:
    """Its file goes with it."""
    path = tmp_path / "shop.sock"
    bound = world.sockets.bind([at("shop", Listen(host="", port=0, path=str(path)))])
    assert path.is_socket()
    world.sockets.drop(bound)
    assert not path.exists()
