"""One life of an edge process: orders to it, words from it, and its end."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Sequence
from socket import socket
from typing import Any, Final

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from sorryd.workers.channel import open_channel
from sorryd.workers.orders import Done, Order, Ready, Word

log = Logger()

PATIENCE: Final = 10.0
"""Seconds in which a worker must carry out an order; one that does not is killed.

It might serve by what is not so any more, and whoever gave a command waits for it.
"""

BIRTH: Final = 30.0
"""Seconds that the first order may take: a machine that starts has much to do."""


class Process:
    """A process that was asked for, or is there.

    `name` is for the log. `told` gets its words but for `Ready` and `Done`; `ended` is called
    once, when it is gone.
    """

    def __init__(
        self,
        reactor: Any,
        sock: socket,
        name: str,
        told: Callable[[Word], None],
        ended: Callable[[], None],
    ) -> None:
        self.pid: int | None = None
        self.is_over = False
        self._reactor = reactor
        self._told = told
        self._ended = ended
        self._sent = self._done = 0
        self._waiting: list[tuple[int, Deferred[None]]] = []
        self._late: IDelayedCall | None = None
        self._channel = open_channel(reactor, sock, name, Word, self._heard, self._lost)

    def order(self, order: Order, fds: Sequence[int] = ()) -> None:
        """Let it do that, after all that it was told before; `fds` stay the caller's."""
        if self.is_over:
            return
        self._sent += 1
        self._channel.send(order, fds)
        if self._late is None:
            self._await()

    def settled(self) -> Deferred[None]:
        """Fires when all that it was told until now is done, or it is gone."""
        if self.is_over or self._done == self._sent:
            return succeed(None)
        done: Deferred[None] = Deferred()
        self._waiting.append((self._sent, done))
        return done

    @property
    def is_up(self) -> bool:
        """Whether it has done anything yet."""
        return self._done > 0

    def kill(self) -> None:
        """End it, whatever it does."""
        if self.pid is None or self.is_over:  # without a word from us it ends by itself
            self._channel.abort()
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    # --- what the channel tells ---

    def _heard(self, word: Word, fds: Sequence[int]) -> None:
        match word:
            case Ready():
                self.pid = word.pid
            case Done():
                self._done = word.orders
                self._progressed()
            case _:
                self._told(word)

    def _progressed(self) -> None:
        self._stop_waiting()
        if self._done < self._sent:
            self._await()
        while self._waiting and self._waiting[0][0] <= self._done:
            self._waiting.pop(0)[1].callback(None)

    def _await(self) -> None:
        limit = PATIENCE if self._done else BIRTH
        self._late = self._reactor.callLater(limit, self._too_late, limit)

    def _stop_waiting(self) -> None:
        late, self._late = self._late, None
        if late is not None:
            late.cancel()

    def _too_late(self, limit: float) -> None:
        self._late = None
        log.error(
            "worker process {pid} did not carry out an order within {limit:g} s, and is killed",
            pid=self.pid, limit=limit,
        )  # fmt: skip
        self.kill()

    def _lost(self) -> None:
        self.is_over = True
        self._stop_waiting()
        waiting, self._waiting = self._waiting, []
        self._ended()
        for _, done in waiting:
            done.callback(None)
