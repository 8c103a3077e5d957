"""Listening sockets that the supervisor keeps while we are away (FileDescriptorStoreMax=).

Who connects between the end of one sorryd and the start of the next, whatever that end was, waits
in the kernel's queue. At the start they come back as inherited.py has it.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterable, Mapping

from sorryd.edge.listener import Bound
from sorryd.inherited import OURS
from sorryd.model import Listen
from sorryd.notify import Notify
from sorryd.sockets import Place


class SocketStore:
    """What the supervisor behind `notify` keeps.

    Only sockets that are found again by their address, and that it does not have anyway: no UNIX
    sockets, whose files say when nobody is there, nor port 0.
    """

    def __init__(self, notify: Notify) -> None:
        self._notify = notify
        self._kept: dict[str, socket.socket] = {}

    def forget(self, names: Iterable[str]) -> None:
        """Those that were kept under these `names` are not wanted any more."""
        for name in names:
            self._notify.forget(name)

    def use(self, bound: Mapping[Place, Bound]) -> None:
        """Keep those of `bound`, and no others; before those that go are closed here."""
        if not self._notify.is_heard:
            return
        wanted = {
            store_name(place.listen): one.sock
            for place, one in bound.items()
            if place.listen.port and not one.is_given
        }
        before, self._kept = self._kept, wanted
        for name in before.keys() - wanted.keys():
            with contextlib.suppress(OSError):  # nobody waits at it while it is let go of
                before[name].shutdown(socket.SHUT_RDWR)
            self._notify.forget(name)
        for name in wanted.keys() - before.keys():
            self._notify.store(name, wanted[name])


def store_name(listen: Listen) -> str:
    """Under which name a socket is kept: its address, without what FDNAME= can't have."""
    return f"{OURS}{listen.host}-{listen.port}".replace(":", "_")
