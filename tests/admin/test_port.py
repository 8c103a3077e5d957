"""Where the admin listener is, and how it moves; on real sockets."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from twisted.internet.epollreactor import EPollReactor
from twisted.internet.protocol import Factory, Protocol

from sorryd.admin.port import AdminPort
from sorryd.edge.listener import ListenFault


class Hello(Protocol):
    """Says hello."""

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.write(b"hello")
        self.transport.loseConnection()


class House:
    """A reactor of its own with the listener."""

    def __init__(self) -> None:
        self.reactor = EPollReactor()
        self.made = 0
        self.port = AdminPort(self.reactor, self._factory)

    def _factory(self) -> Factory:
        self.made += 1
        return Factory.forProtocol(Hello)

    def turn(self) -> None:
        """Let the reactor do what waits."""
        for _ in range(5):
            self.reactor.iterate(0.01)

    def end(self) -> None:
        """Close what is open."""
        self.port.stop()
        self.turn()
        self.reactor.removeAll()
        for reader in tuple(self.reactor._internalReaders):
            reader.connectionLost(None)
        self.reactor._poller.close()

    def says(self, address: tuple[str, int]) -> bytes:
        """What is heard there; nothing where nobody listens."""
        try:
            with socket.create_connection(address, timeout=10) as visitor:
                visitor.settimeout(10)
                self.turn()
                return visitor.recv(100)
        except ConnectionError:
            return b""


@pytest.fixture
def house() -> Iterator[House]:
    """At its end nobody listens."""
    house = House()
    yield house
    house.end()


def free() -> tuple[str, int]:
    """An address that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        host, port = server.getsockname()
        return host, port


def test_moved(house: House) -> None:
    """The new address answers before the old one is closed; what answers is made once."""
    first, second = free(), free()
    house.port.use(house.port.bind(first))
    assert house.says(first) == b"hello"
    held = house.port.bind(second)
    assert house.says(first) == b"hello"
    house.port.use(held)
    assert house.says(second) == b"hello"
    assert house.says(first) == b""
    assert house.made == 1


def test_stays(house: House) -> None:
    """A reload with the same address touches nothing; one that is dropped changes nothing."""
    address = free()
    house.port.use(house.port.bind(address))
    again = house.port.bind(address)
    house.port.drop(again)
    assert house.says(address) == b"hello"
    house.port.use(again)
    assert house.says(address) == b"hello"


def test_off(house: House) -> None:
    """Without an address nothing is made; taken away, nobody listens any more."""
    assert house.port.bind(None) is None
    house.port.use(None)
    assert house.made == 0
    address = free()
    house.port.use(house.port.bind(address))
    house.port.use(None)
    house.turn()
    assert house.says(address) == b""


def test_taken(house: House) -> None:
    """An address that another program has is told by the name of its key."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        with pytest.raises(ListenFault, match=r"^admin: 127\.0\.0\.1:\d+: address already in use$"):
            house.port.bind(address)


def test_dropped(house: House) -> None:
    """A socket that a refused reload had bound is closed."""
    address = free()
    house.port.drop(house.port.bind(address))
    assert house.says(address) == b""


def test_stopped(house: House) -> None:
    """When sorryd stops, nobody is answered any more."""
    address = free()
    house.port.use(house.port.bind(address))
    house.turn()
    stopped: list[None] = []
    house.port.stop().addCallback(stopped.append)
    house.turn()
    assert stopped == [None]
    assert house.says(address) == b""
