"""Who is at the other end of a UNIX socket."""

from __future__ import annotations

import os
import pwd
import socket

from sorryd.control.permission import Peer, author_of, read_peer


def test_read_peer() -> None:
    """The kernel says process, user and all groups of the other end."""
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with ours, theirs:
        peer = read_peer(ours)
    assert (peer.pid, peer.uid) == (os.getpid(), os.geteuid())
    assert peer.gids[0] == os.getegid()
    assert set(os.getgroups()) <= set(peer.gids)


def test_author() -> None:
    """An author bears the name that the user database knows, else the number."""
    mine = author_of(Peer(pid=3, uid=os.getuid(), gids=()))
    assert (mine.name, mine.pid) == (pwd.getpwuid(os.getuid()).pw_name, 3)
    assert author_of(Peer(pid=3, uid=4_000_000, gids=())).name == "4000000"
