"""Listening sockets that the supervisor keeps while we are away (FileDescriptorStoreMax=).

Who connects between the end of one sorryd and the start of the next, whatever that end was, waits
in the kernel's queue. At the start they come back as inherited.py has it.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterable

from sorryd.edge.listener import Bound
from sorryd.inherited import OURS
from sorryd.model import Listen
from sorryd.notify import Notify


class SocketStore:
    """What the supervisor behind `notify` keeps.

    Only sockets that are found again by their address, and that it does not have anyway: no UNIX
    sockets, whose files say when nobody is there, nor port 0.
    """

    def __init__(self, notify: Notify) -> None:
        self._notify = notify
        self._kept: set[int] = set()  # by their keys

    def keep(self, bound: Iterable[Bound]) -> None:
        """Let it have those of `bound` that it has not."""
        if not self._notify.is_heard:
            return
        for one in bound:
            if one.listen.port and not one.is_given and one.key not in self._kept:
                self._kept.add(one.key)
                self._notify.store(store_name(one.listen), one.sock)

    def drop(self, one: Bound) -> None:
        """It need not keep that one, which is about to be closed."""
        if one.key in self._kept:
            self._kept.remove(one.key)
            with contextlib.suppress(OSError):  # nobody waits at it while it is let go of
                one.sock.shutdown(socket.SHUT_RDWR)
            self._notify.forget(store_name(one.listen))

    def forget(self, names: Iterable[str]) -> None:
        """Those that were kept under these `names` are not wanted any more."""
        for name in names:
            self._notify.forget(name)


def store_name(listen: Listen) -> str:
    """Under which name a socket is kept: its address, without what FDNAME= can't have."""
    return f"{OURS}{listen.host}-{listen.port}".replace(":", "_")
