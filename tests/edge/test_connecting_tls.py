"""From a member's address to a connection by TLS, over real sockets."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from OpenSSL import SSL
from tests.certificates import authority
from tests.edge.dialling import World, accepted
from tests.edge.handshakes import NAME, ROOT, site, written
from tests.edge.loops import Loop, Recorder
from tests.edge.scene import TIMES

from sorryd.edge.tls_transport import TlsTransport
from sorryd.edge.wheel import TICK
from sorryd.model import MemberTls


class Serving:
    """The member's side of TLS."""

    def __init__(self, loop: Loop, server: socket.socket, context: SSL.Context) -> None:
        self.sock = accepted(loop, server).sock
        self.tls = SSL.Connection(context, self.sock)
        self.tls.set_accept_state()
        self.recorder = Recorder()
        self.transport = TlsTransport(self.sock, self.tls, self.recorder, loop.readiness)
        self.transport.start()


def trust(folder: Path, name: str | None = NAME, verify: bool = True) -> MemberTls:
    return MemberTls(ca=written(folder, "ca.pem", ROOT.pem), name=name, verify=verify)


def test_tls(world: World, server: socket.socket, tmp_path: Path) -> None:
    """A member by TLS is connected when its certificate was checked, and gets its name by SNI."""
    outcome, _ = world.connect("127.0.0.1", server.getsockname()[1], trust(tmp_path))
    serving = Serving(world.loop, server, site(tmp_path))
    connection = world.succeeds(outcome)
    assert serving.tls.get_servername() == NAME.encode()
    connection.transport.write(b"hello")
    world.loop.until(lambda: serving.recorder.data == b"hello")
    connection.abandon()
    world.loop.until(lambda: serving.recorder.lost)


@pytest.mark.parametrize(("name", "ok"), [("127.0.0.1", True), ("127.0.0.2", False), (None, True)])
def test_tls_by_address(
    world: World, server: socket.socket, tmp_path: Path, name: str | None, ok: bool
) -> None:
    """A member named by its address is checked for it, and gets no SNI."""
    outcome, _ = world.connect("127.0.0.1", server.getsockname()[1], trust(tmp_path, name))
    serving = Serving(world.loop, server, site(tmp_path, names=["127.0.0.1"]))
    if ok:
        connection = world.succeeds(outcome)
        assert serving.tls.get_servername() is None
        connection.abandon()
    else:
        assert world.fails(outcome) == "its certificate is for 127.0.0.1, not for 127.0.0.2"
    world.loop.until(lambda: serving.recorder.lost)


@pytest.mark.parametrize(
    ("tls", "why"),
    [
        pytest.param("other name", f"its certificate is for {NAME}, not for other", id="name"),
        pytest.param("other ca", "TLS handshake failed: its certificate's issuer is un", id="ca"),
    ],
)
def test_not_who_it_should_be(
    world: World, server: socket.socket, tmp_path: Path, tls: str, why: str
) -> None:
    """A member whose certificate is not for it, or not to be trusted, is not spoken to."""
    settings = trust(tmp_path, "other" if tls == "other name" else NAME)
    if tls == "other ca":
        settings = MemberTls(ca=written(tmp_path, "o.pem", authority("Other").pem), name=NAME)
    outcome, _ = world.connect("127.0.0.1", server.getsockname()[1], settings)
    serving = Serving(world.loop, server, site(tmp_path))
    assert world.fails(outcome).startswith(why)
    world.loop.until(lambda: serving.recorder.lost)
    assert serving.recorder.data == b""


def test_unverified(world: World, server: socket.socket, tmp_path: Path) -> None:
    """With verify=no anybody will do."""
    outcome, _ = world.connect(
        "127.0.0.1", server.getsockname()[1], MemberTls(name="other", verify=False)
    )
    serving = Serving(world.loop, server, site(tmp_path))
    world.succeeds(outcome).abandon()
    world.loop.until(lambda: serving.recorder.lost)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        pytest.param(b"", "unexpected eof", id="closes"),
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", "wrong version number", id="plain"),
    ],
)
def test_no_tls(world: World, server: socket.socket, said: bytes, why: str) -> None:
    """A member that does not speak TLS is told as that."""
    outcome, _ = world.connect("127.0.0.1", server.getsockname()[1], MemberTls())
    peer = accepted(world.loop, server)
    if said:
        peer.sends(said)
    else:
        world.loop.rest()
        peer.sock.shutdown(socket.SHUT_WR)
    reason = world.fails(outcome).lower()
    assert reason.startswith("tls handshake failed: ")
    assert why in reason
    peer.sock.close()


@pytest.mark.parametrize("how", ["time-out", "cancel"])
def test_silent_tls(world: World, server: socket.socket, how: str) -> None:
    """A handshake that stands still is given up after `timeout_connect`, or when taken back."""
    outcome, cancel = world.connect("127.0.0.1", server.getsockname()[1], MemberTls())
    peer = accepted(world.loop, server)
    world.loop.rest()
    if how == "cancel":
        cancel()
        world.loop.rest()
        assert not outcome.is_known
    else:
        world.passes(TIMES.connect + 2 * TICK)
        assert world.fails(outcome) == "no connection within 5 s"
    assert not peer.finds_fin()
    peer.sock.close()


def test_international_name(world: World, server: socket.socket, tmp_path: Path) -> None:
    """A name that can't be sent by SNI is a failure like any other."""
    label = "x" * 64
    outcome, _ = world.connect(
        "127.0.0.1", server.getsockname()[1], MemberTls(name=f"ü{label}.internal")
    )
    assert "name" in world.fails(outcome)


def test_broken_files(world: World, server: socket.socket, tmp_path: Path) -> None:
    """Files that can't be used any more are a failure like any other."""
    missing = str(tmp_path / "ca.pem")
    outcome, _ = world.connect("127.0.0.1", server.getsockname()[1], MemberTls(ca=missing))
    assert missing in world.fails(outcome)
