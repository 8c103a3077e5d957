"""The beginning of a connection at a listener with ``proxy``: its header, and not one byte more.

What follows is TLS, or a request, and stays in the socket.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Final

from sorryd.edge.kernel import Socket
from sorryd.edge.proxy_protocol import LONGEST_BLOCK, BadProxyHeader, ProxyHeader
from sorryd.edge.readiness import Readiness
from sorryd.edge.wheel import Wheel

_PEEK: Final = LONGEST_BLOCK + 16  # bytes: the longest header that is accepted


class Introduction:
    """A proxy's connection until it has said for whom it is; `timeout` is in seconds.

    Calls `done` exactly once, unless it is dropped: with itself, the visitor's address (None: it
    is that of the connection), and why it failed. The reason is empty where the proxy went away
    without a word, as those do that look whether anybody listens.
    """

    def __init__(
        self,
        sock: Socket,
        readiness: Readiness,
        wheel: Wheel,
        timeout: float,
        done: Callable[[Introduction, str | None, str | None], None],
    ) -> None:
        self.sock = sock
        self.deadline = wheel.now + timeout
        self._readiness = readiness
        self._wheel = wheel
        self._done = done
        self._header = ProxyHeader()

    def start(self) -> None:
        """Begin to read."""
        self._wheel.add(self)
        self._readiness.watch_read(self.sock.fileno(), self._readable)

    def _readable(self) -> None:
        try:
            data = self.sock.recv(_PEEK, socket.MSG_PEEK)
            # Taken even while it is incomplete: what stays would be told as readable again.
            self.sock.recv(self._header.feed(data))
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self._fail("")
            return
        except BadProxyHeader as why:
            self._fail(str(why))
            return
        if self._header.done:
            self._leave()
            self._done(self, self._header.address, None)
        elif not data:
            self._fail("its header is cut short" if self._header.began else "")

    def timed_out(self) -> None:
        """See wheel.Timed."""
        self._fail("its header did not come in time")

    def drop(self) -> None:
        """Close the connection; nobody is told."""
        self._leave()
        self.sock.close()

    def _leave(self) -> None:
        self._wheel.discard(self)
        self._readiness.unwatch_read(self.sock.fileno())

    def _fail(self, why: str) -> None:
        self.drop()
        self._done(self, None, why)
