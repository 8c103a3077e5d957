"""What the kernel is asked about sockets."""

from __future__ import annotations

import socket

from sorryd.edge.kernel import read_away


def test_nothing_is_read_away_of_a_socket_that_is_closed() -> None:
    here, there = socket.socketpair()
    with there:
        here.close()
        read_away(here)


def test_what_waits_is_read_away() -> None:
    here, there = socket.socketpair()
    with here, there:
        here.setblocking(False)
        there.sendall(b"more")
        read_away(here)
        there.close()
        assert here.recv(1) == b""
