"""UNIX sockets to listen at."""

from __future__ import annotations

import fcntl
import os
import socket
import stat
from pathlib import Path

import pytest
from tests.edge.loops import Loop

from sorryd.edge.kernel import Socket
from sorryd.edge.listener import Listener, ListenFault, bind
from sorryd.model import Listen


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Where to listen."""
    return str(tmp_path / "shop.sock")


def listen(path: str) -> Listen:
    return Listen(host="", port=0, path=path)


def connected(path: str) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.connect(path)
    except OSError:
        sock.close()
        raise
    return sock


def test_accepts(loop: Loop, path: str) -> None:
    """Who connects is accepted, its address is empty; the file stays who bound it has to remove."""
    arrived: list[tuple[socket.socket, str]] = []
    listener = Listener(bind(listen(path)), loop.readiness, loop, lambda *one: arrived.append(one))
    assert listener.name == f"unix:{path}"
    with connected(path):
        listener.start()
        loop.until(lambda: arrived)
        ((sock, address),) = arrived
        assert (address, sock.getblocking()) == ("", False)
        sock.close()
    listener.stop()
    assert os.path.exists(path)
    listener.stop()


@pytest.mark.parametrize("umask", [0o077, 0o000])
def test_anybody_may_connect(path: str, umask: int) -> None:
    """0666 whatever the umask, which a daemon has at 077: the folder says who may."""
    before = os.umask(umask)
    try:
        bind(listen(path)).close()
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o666


def test_stale(path: str) -> None:
    """A file that nobody answers at is replaced."""
    bind(listen(path)).close()
    with pytest.raises(ConnectionRefusedError):
        connected(path)
    with bind(listen(path)):
        connected(path).close()


def test_answering(path: str) -> None:
    """One that answers is not replaced, even one that is too busy to accept anybody."""
    with bind(listen(path)) as sock:
        sock.listen(0)
        for _ in range(2):
            with pytest.raises(ListenFault, match="another daemon answers there"):
                bind(listen(path))


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_something_else(path: str, kind: str) -> None:
    """What is no socket is left alone."""
    if kind == "folder":
        os.mkdir(path)
    elif kind == "file":
        Path(path).write_text("precious")
    else:
        os.symlink("somewhere", path)
    with pytest.raises(ListenFault, match="something that is no socket") as fault:
        bind(listen(path))
    assert str(fault.value).startswith(f"unix:{path}: ")
    assert os.path.lexists(path)


def test_two_at_once(path: str) -> None:
    """While another one takes the path over, nobody else does."""
    folder = os.open(os.path.dirname(path), os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        with pytest.raises(ListenFault, match="another daemon is starting there"):
            bind(listen(path))
    finally:
        os.close(folder)
    bind(listen(path)).close()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        pytest.param("missing/shop.sock", "no such file or directory", id="no folder"),
        pytest.param("x" * 200, "too long", id="too long"),
    ],
)
def test_faults(path: str, name: str, why: str) -> None:
    """A path that can't be listened at is one line with the reason."""
    with pytest.raises(ListenFault, match=why):
        bind(listen(os.path.join(os.path.dirname(path), name)))


def test_a_name_without_a_file(loop: Loop) -> None:
    """An abstract UNIX socket, which a supervisor may open, is listened at as any other."""
    sock = socket.socket(socket.AF_UNIX)
    sock.bind("")  # the kernel chooses an abstract name (unix(7))
    sock.listen()
    sock.setblocking(False)
    arrived: list[Socket] = []
    listener = Listener(sock, loop.readiness, loop, lambda one, _: arrived.append(one))
    assert listener.name.startswith("unix:@")
    listener.start()
    with socket.socket(socket.AF_UNIX) as visitor:
        visitor.connect(sock.getsockname())
        loop.until(lambda: arrived)
    arrived[0].close()
    listener.stop()
