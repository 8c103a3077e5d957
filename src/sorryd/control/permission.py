"""Who is at the other end of the control socket, and what they may do.

Reading is for whoever may connect: the socket's mode decides that. Changing is for root, the
daemon's own user and the control group.
"""

from __future__ import annotations

import grp
import os
import pwd
import socket
import struct

from sorryd.model import Value
from sorryd.window import Author

_CREDENTIALS = struct.Struct("iII")  # struct ucred: pid, uid, gid; unix(7)
_SO_PEERGROUPS = 59  # asm-generic/socket.h; the socket module has no name for it
_GROUPS_BYTES = 1024  # the most that getsockopt gives: 256 groups


class Peer(Value, frozen=True, kw_only=True):
    """The caller as the kernel knew it when it connected. `gids` holds all of its groups."""

    pid: int
    uid: int
    gids: tuple[int, ...]


class Permission(Value, frozen=True, kw_only=True):
    """Who may change things: root, `uid` (the daemon's user), members of the group `gid`."""

    uid: int
    gid: int

    def allows_change(self, peer: Peer) -> bool:
        """Whether `peer` may change things."""
        return peer.uid in (0, self.uid) or self.gid in peer.gids

    @property
    def allowed(self) -> str:
        """Who may, by name."""
        users = f"root, the user {_name(self.uid) or self.uid}" if self.uid else "root"
        return f"{users} and the group {_group(self.gid)}"


def read_peer(connection: socket.socket) -> Peer:
    """The caller at the other end of a connected UNIX socket (SO_PEERCRED, SO_PEERGROUPS).

    The kernel is asked for the groups too, not the group database: a process may have given
    groups up, or have none of the names that the database knows.
    """
    packed = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, gid = _CREDENTIALS.unpack(packed)
    return Peer(pid=pid, uid=uid, gids=(gid, *_other_groups(connection, uid, gid)))


def author_of(peer: Peer) -> Author:
    """`peer` by name; a uid that has none is its own name."""
    return Author(uid=peer.uid, name=_name(peer.uid) or str(peer.uid), pid=peer.pid)


def _other_groups(connection: socket.socket, uid: int, gid: int) -> tuple[int, ...]:
    try:
        packed = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, _GROUPS_BYTES)
    except OSError:  # a kernel before 4.13, or more groups than fit
        name = _name(uid)
        return tuple(os.getgrouplist(name, gid)) if name is not None else ()
    return struct.unpack(f"{len(packed) // 4}I", packed)


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def _name(uid: int) -> str | None:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None
