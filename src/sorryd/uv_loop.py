"""uvloop's loop, which does not lose sight of a socket that has failed.

To libuv a descriptor with an error is done: uvloop calls once who watches it, and never again. But
a UNIX socket whose peer left without having read all has its last words first, and its end behind
them: nobody would hear of that end, and who sends there later would get a RuntimeError, "the
handler is closed" (uvloop's issue 552). So whatever still watches a socket that has failed watches
it anew, until it has seen how it failed.
"""

from __future__ import annotations

import os
import select
import stat
from collections.abc import Callable
from typing import Any

import uvloop

Callback = Callable[..., object]
_Call = tuple[Callback, tuple[Any, ...]]


class Loop(uvloop.Loop):
    """What it adds is for sockets alone.

    The data path has an epoll watched, which can't fail, and which each turn comes by.
    """

    def __init__(self) -> None:
        super().__init__()
        self._reads: dict[int, _Call] = {}
        self._writes: dict[int, _Call] = {}

    @property
    def backend(self) -> int:
        """The epoll by which libuv waits (uv_backend_fd)."""
        return int(self._get_backend_id())  # type: ignore[attr-defined]  # its stub has it not

    # Its stub ties the arguments to the callback, which nobody who calls this needs.
    def add_reader(self, fd: int, callback: Callback, *args: Any) -> None:  # type: ignore[override]
        """See asyncio's loop; `fd` is a number, as all are that a reactor watches."""
        if not _is_socket(fd):
            super().add_reader(fd, callback, *args)
            return
        self._reads[fd] = call = callback, args
        super().add_reader(fd, self._ready, fd, call)

    def remove_reader(self, fd: Any) -> Any:
        """See asyncio's loop."""
        self._reads.pop(fd, None)
        return super().remove_reader(fd)

    def add_writer(self, fd: int, callback: Callback, *args: Any) -> None:  # type: ignore[override]
        """See `add_reader`."""
        if not _is_socket(fd):
            super().add_writer(fd, callback, *args)
            return
        self._writes[fd] = call = callback, args
        super().add_writer(fd, self._ready, fd, call)

    def remove_writer(self, fd: Any) -> Any:
        """See asyncio's loop."""
        self._writes.pop(fd, None)
        return super().remove_writer(fd)

    def _ready(self, fd: int, call: _Call) -> None:
        try:
            call[0](*call[1])
        finally:
            if (fd in self._reads or fd in self._writes) and _has_failed(fd):
                self.call_soon(self._watch_anew, fd)  # uvloop gives it up when this has returned

    def _watch_anew(self, fd: int) -> None:
        read, write = self._reads.get(fd), self._writes.get(fd)
        super().remove_reader(fd)
        super().remove_writer(fd)
        if read is not None:
            super().add_reader(fd, self._ready, fd, read)
        if write is not None:
            super().add_writer(fd, self._ready, fd, write)


def _is_socket(fd: int) -> bool:
    return stat.S_ISSOCK(os.fstat(fd).st_mode)


def _has_failed(fd: int) -> bool:
    look = select.poll()
    look.register(fd, 0)  # an error is always told
    return any(events & select.POLLERR for _, events in look.poll(0))
