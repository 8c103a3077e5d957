"""WebSockets of the websockets library, on both sides of a real sorryd."""

from __future__ import annotations

import http
import signal
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import pytest
from tests.end_to_end.daemon import Daemon, configuration, section
from tests.end_to_end.waiting import PATIENCE, until
from tests.end_to_end.wire import anybody
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, InvalidStatus
from websockets.http11 import Request, Response
from websockets.sync.client import ClientConnection, connect
from websockets.sync.server import ServerConnection, serve

MEBIBYTE: Final = bytes(range(256)) * 4096
MESSAGES: Final = 1500
"""Of 64 KiB each: far more than all buffers on the way can hold."""
GROWTH: Final = 24 << 20
"""How much memory sorryd may grow by."""

WAYS = pytest.mark.parametrize("scheme", ["ws", "wss"])


def numbered(number: int) -> bytes:
    """A message of 64 KiB like no other."""
    return number.to_bytes(4, "big") * 16384


class Talk:
    """The member: what it does with a connection is said by its path."""

    def __init__(self) -> None:
        self.codes: list[int | None] = []  # of the connections that have ended
        self.sent = 0  # messages of the last flood
        self.server = serve(
            self._converse, "127.0.0.1", 0, max_size=None, ping_interval=None, close_timeout=5,
            select_subprotocol=lambda _, offered: offered[0] if offered else None,
            process_request=self._admit,
        )  # fmt: skip
        self._thread = threading.Thread(target=self.server.serve_forever)
        self._thread.start()

    @property
    def url(self) -> str:
        """As sorryd.ini has it."""
        return f"http://127.0.0.1:{self.server.socket.getsockname()[1]}"

    def close(self) -> None:
        """Serve no more."""
        self.server.shutdown()
        self._thread.join(PATIENCE)

    def ended(self) -> int | None:
        """With which code the only connection since the last asking ended, as the member saw."""
        until(lambda: self.codes, "the end of a connection at the member")
        (code,), self.codes = self.codes, []
        return code

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        if request.path == "/private":
            return connection.respond(http.HTTPStatus.FORBIDDEN, "not you\n")
        return None

    def _converse(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        with suppress(ConnectionClosed):
            match connection.request.path:
                case "/bye":
                    connection.recv()
                    connection.close(4001, "enough ü")
                case "/vanish":
                    connection.recv()
                    connection.socket.shutdown(socket.SHUT_RDWR)
                case "/flood":
                    self._flood(connection)
                case _:
                    for message in connection:
                        connection.send(message)
        connection.close()
        self.codes.append(connection.close_code)

    def _flood(self, connection: ServerConnection) -> None:
        self.sent = 0
        for number in range(MESSAGES):
            connection.send(numbered(number))
            self.sent += 1


def _one_direction_at_a_time() -> ssl.SSLContext:
    """TLS 1.2, which sends nothing by itself after the handshake.

    `websockets` reads in one thread and writes in another, over one object of OpenSSL. Where the
    tickets of TLS 1.3 come just then, a request is lost now and then, and never sent.
    """
    context = anybody()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


class Shop:
    """sorryd, with `talk` behind it: twice, `brief` with little patience for silence."""

    def __init__(self, daemon: Daemon, talk: Talk) -> None:
        self.daemon = daemon
        self.talk = talk

    @contextmanager
    def visit(
        self, path: str = "/", scheme: str = "ws", site: str = "shop", **options: Any
    ) -> Iterator[ClientConnection]:
        """A visitor's WebSocket."""
        port = self.daemon.port(site, "https" if scheme == "wss" else "http")
        defaults: dict[str, Any] = {"max_size": None, "ping_interval": None, "proxy": None}
        if scheme == "wss":
            defaults["ssl"] = _one_direction_at_a_time()
        with connect(f"{scheme}://127.0.0.1:{port}{path}", **defaults, **options) as visiting:
            yield visiting


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Both sites, plain and over TLS."""
    tls = {"listen": "127.0.0.1:0, 127.0.0.1:0 tls", "certificate": "self-signed"}
    with ExitStack() as entered:
        talk = Talk()
        entered.callback(talk.close)
        ini = configuration([talk.url], **tls)
        ini += section("brief", [talk.url], timeout_tunnel="300ms", **tls)
        daemon = Daemon(tmp_path_factory.mktemp("websockets"), ini)
        yield Shop(entered.enter_context(daemon), talk)


@WAYS
@pytest.mark.parametrize("compression", [None, "deflate"])
def test_messages_come_back(shop: Shop, scheme: str, compression: str | None) -> None:
    """Text, binary of 1 MiB, one in fragments, an empty one; and a ping in between."""
    with shop.visit(scheme=scheme, compression=compression) as visiting:
        assert bool(visiting.protocol.extensions) is (compression is not None)
        for message in ("good day, ü", MEBIBYTE, b"", ""):
            visiting.send(message)
            assert visiting.recv(PATIENCE) == message
        visiting.send(iter([MEBIBYTE, b"and", MEBIBYTE]))
        assert visiting.ping().wait(PATIENCE)
        assert visiting.recv(PATIENCE) == MEBIBYTE + b"and" + MEBIBYTE
        visiting.close(4002, "that is all")
    assert shop.talk.ended() == 4002


@WAYS
def test_the_member_says_goodbye(shop: Shop, scheme: str) -> None:
    """Its code and reason reach the visitor."""
    with shop.visit("/bye", scheme) as visiting:
        visiting.send("?")
        with pytest.raises(ConnectionClosedError) as ended:
            visiting.recv(PATIENCE)
    assert ended.value.rcvd is not None
    assert (ended.value.rcvd.code, ended.value.rcvd.reason) == (4001, "enough ü")
    assert shop.talk.ended() == 4001


@WAYS
def test_the_member_vanishes(shop: Shop, scheme: str) -> None:
    """No goodbye is made up for it."""
    with shop.visit("/vanish", scheme) as visiting:
        visiting.send("?")
        with pytest.raises(ConnectionClosedError) as ended:
            visiting.recv(PATIENCE)
    assert (ended.value.rcvd, ended.value.sent) == (None, None)
    shop.talk.ended()


@WAYS
def test_the_visitor_vanishes(shop: Shop, scheme: str) -> None:
    """The member learns of it."""
    with shop.visit(scheme=scheme) as visiting:
        visiting.send("?")
        assert visiting.recv(PATIENCE) == "?"
        visiting.socket.shutdown(socket.SHUT_RDWR)
    assert shop.talk.ended() == 1006


@WAYS
def test_a_visitor_who_does_not_read(shop: Shop, scheme: str) -> None:
    """The member has to wait, sorryd keeps little, and all messages come in their order."""
    with shop.visit("/warm", scheme) as visiting:
        visiting.send(MEBIBYTE)
        visiting.recv(PATIENCE)
    shop.talk.ended()
    before = shop.daemon.memory()
    shop.daemon.family.forget_peak()
    with shop.visit("/flood", scheme, compression=None) as visiting:
        assert 0 < stands(shop.talk) < MESSAGES
        for number in range(MESSAGES):
            assert visiting.recv(PATIENCE) == numbered(number)
        with pytest.raises(ConnectionClosed):
            visiting.recv(PATIENCE)
    assert shop.talk.ended() == 1000
    assert shop.daemon.memory("VmHWM") - before < GROWTH


def stands(talk: Talk) -> int:
    """Wait until the flood can't go on; how many messages have left by then."""
    still, since = talk.sent, time.monotonic()
    while time.monotonic() < since + 0.4 or not still:
        if talk.sent != still:
            still, since = talk.sent, time.monotonic()
        time.sleep(0.01)
    return still


def test_subprotocols(shop: Shop) -> None:
    """What both can speak is agreed upon by them alone."""
    words: list[Any] = ["chat.v1", "chat.v9"]
    with shop.visit(subprotocols=words) as visiting:
        assert visiting.subprotocol == "chat.v1"
    assert shop.talk.ended() == 1000


def test_the_member_refuses(shop: Shop) -> None:
    """Its answer is an answer, and the connection no tunnel."""
    with pytest.raises(InvalidStatus) as refused, shop.visit("/private"):
        pass
    response = refused.value.response
    assert (response.status_code, response.body) == (403, b"not you\n")


@WAYS
def test_silence(shop: Shop, scheme: str) -> None:
    """After timeout_tunnel without a word, both ends are told why they are parted."""
    with shop.visit(scheme=scheme, site="brief") as visiting:
        visiting.send("?")
        assert visiting.recv(PATIENCE) == "?"
        assert going_away(visiting) == "nothing was said for too long"
    assert shop.talk.ended() == 1001


def going_away(visiting: ClientConnection) -> str:
    """Wait for the goodbye of sorryd; its reason."""
    with pytest.raises(ConnectionClosed) as ended:
        visiting.recv(PATIENCE)
    assert ended.value.rcvd is not None
    assert ended.value.rcvd.code == 1001
    return ended.value.rcvd.reason


@WAYS
@pytest.mark.parametrize("compression", [None, "deflate"])
def test_maintenance_ends_tunnels(shop: Shop, scheme: str, compression: str | None) -> None:
    """When drain is over both ends are told why, and new ones get the apology."""
    with shop.visit(scheme=scheme, compression=compression) as visiting:
        visiting.send("?")
        assert visiting.recv(PATIENCE) == "?"
        shop.daemon.ask("site.down", {"site": "shop", "drain": "0s"})
        assert going_away(visiting) == "maintenance"
    assert shop.talk.ended() == 1001
    with pytest.raises(InvalidStatus) as refused, shop.visit():
        pass
    assert refused.value.response.status_code == 503
    shop.daemon.ask("site.up", {"site": "shop"})
    with shop.visit():
        pass
    assert shop.talk.ended() == 1000


def test_stop_ends_tunnels(tmp_path: Path) -> None:
    """When sorryd stops, and its operator waits no longer, both ends are told that it goes."""
    with closing(Talk()) as talk:
        daemon = Daemon(tmp_path, configuration([talk.url]))
        with daemon, Shop(daemon, talk).visit() as visiting:
            visiting.send("?")
            assert visiting.recv(PATIENCE) == "?"
            daemon.signal(signal.SIGTERM)
            daemon.wait_for_log("requests in flight may finish")
            daemon.stop()
            assert going_away(visiting) == ""
        assert talk.ended() == 1001
