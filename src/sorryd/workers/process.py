"""One life of a worker: orders to it, words from it, and its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from socket import socket
from typing import Any, Final

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from sorryd.workers.channel import open_channel
from sorryd.workers.handle import Handle
from sorryd.workers.orders import Done, Order, Ready, Word

log = Logger()

PATIENCE: Final = 10.0
"""Seconds in which a worker must carry out an order; one that does not is killed.

It might serve by what is not so any more, and whoever gave a command waits for it.
"""

BIRTH: Final = 30.0
"""Seconds until it is there, and then for its first order: a machine that starts has much to do."""

HELD_UP: Final = 1.0
"""Seconds by which we are late ourselves when it is not the worker's fault."""

DYING: Final = 1.0
"""Seconds in which the kernel ends one that is killed; then it is waited for no longer."""


class Process:
    """A process that was asked for, or is there; raises OSError where no descriptor is left.

    `born` is called when it is there: nothing may be ordered before. One that is given up until
    then has heard nothing, and so ends by itself when it finds the channel's end. `told` gets its
    words but for `Ready` and `Done`, `progressed` is called after the latter; `ended` once, when
    it is gone.
    """

    def __init__(
        self,
        reactor: Any,
        sock: socket,
        name: str,
        born: Callable[[], None],
        told: Callable[[Word], None],
        progressed: Callable[[], None],
        ended: Callable[[], None],
    ) -> None:
        self.pid: int | None = None
        self.done = 0
        self.is_over = False
        self._reactor = reactor
        self._name = name
        self._born = born
        self._told = told
        self._tell_progress = progressed
        self._ended = ended
        self._sent = 0
        self._handle: Handle | None = None
        self._unborn: list[Deferred[None]] = []
        self._waiting: list[tuple[int, Deferred[None]]] = []
        self._late: IDelayedCall | None = None
        self._dying: IDelayedCall | None = None
        self._channel = open_channel(reactor, sock, name, Word, self._heard, self._lost)
        self._await()

    pid: int | None
    """None until it is there."""

    done: int
    """Orders that it has carried out."""

    @property
    def is_settled(self) -> bool:
        """Whether all that it was told is done."""
        return self.done == self._sent

    def order(self, order: Order, fds: Sequence[int] = ()) -> int:
        """Let it do that, after all that it was told before; `fds` stay the caller's.

        `done` gets to the number that is returned. Raises OSError where a descriptor can't be
        duplicated; then nothing was told.
        """
        if self.is_over:
            return self._sent
        self._channel.send(order, fds)
        self._sent += 1
        if self._late is None:
            self._await()
        return self._sent

    def settled(self) -> Deferred[None]:
        """Fires when all that it was told until now is done, or it is gone."""
        if self.is_over or (self.pid is not None and self.is_settled):
            return succeed(None)
        done: Deferred[None] = Deferred()
        if self.pid is None:
            self._unborn.append(done)
        else:
            self._waiting.append((self._sent, done))
        return done

    def kill(self) -> None:
        """End it, whatever it does."""
        if self._handle is None:
            self._channel.abort()
        elif not self.is_over and self._dying is None:
            self._handle.kill()
            self._dying = self._reactor.callLater(DYING, self._channel.abort)

    def let_go(self) -> None:
        """Its channel has ended, as it was to: what it still does is its own affair."""
        self._release(is_to_end=False)

    def leave(self) -> None:
        """Let it go on by itself, by all that it was told."""
        self.let_go()
        self._channel.close()

    # --- what the channel tells ---

    def _heard(self, word: Word, fds: Sequence[int]) -> None:
        match word:
            case Ready():
                self._ready(word.pid)
            case Done():
                self.done = word.orders
                self._progressed()
            case _:
                self._told(word)

    def _ready(self, pid: int) -> None:
        self.pid = pid
        self._handle = Handle(pid)
        self._stop_waiting()
        self._born()
        unborn, self._unborn = self._unborn, []
        self._waiting += ((self._sent, done) for done in unborn)
        self._progressed()

    def _progressed(self) -> None:
        self._stop_waiting()
        if not self.is_settled:
            self._await()
        while self._waiting and self._waiting[0][0] <= self.done:
            self._waiting.pop(0)[1].callback(None)
        if self.done:
            self._tell_progress()

    def _await(self) -> None:
        limit = PATIENCE if self.done else BIRTH
        due = self._reactor.seconds() + limit
        self._late = self._reactor.callLater(limit, self._too_late, limit, due)

    def _stop_waiting(self) -> None:
        late, self._late = self._late, None
        if late is not None:
            late.cancel()

    def _too_late(self, limit: float, due: float) -> None:
        self._late = None
        if self._reactor.seconds() >= due + HELD_UP:
            self._await()  # its answer may wait for us to read it
            return
        what = "is not there" if self.pid is None else "did not carry out an order"
        log.error(
            "{name} (process {pid}) {what} within {limit:g} s, and is killed",
            name=self._name, pid=self.pid, what=what, limit=limit,
        )  # fmt: skip
        self.kill()

    def _lost(self) -> None:
        self.is_over = True
        self._stop_waiting()
        dying, self._dying = self._dying, None
        if dying is not None and dying.active():
            dying.cancel()
        waiting = [*self._unborn, *(done for _, done in self._waiting)]
        self._unborn, self._waiting = [], []
        self._ended()
        # Unless it was let go: its channel may have ended, and it would serve on by itself.
        self._release(is_to_end=True)
        for done in waiting:
            done.callback(None)

    def _release(self, is_to_end: bool) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            if is_to_end:
                handle.kill()
            handle.close()
