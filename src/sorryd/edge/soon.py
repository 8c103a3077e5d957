"""What is put off until after what is being done now."""

from __future__ import annotations

from collections.abc import Callable

from twisted.logger import Logger

log = Logger(namespace=__name__)

Ready = Callable[[], None]
"""Called when a descriptor is ready, or when what was being done is done."""


class PutOff:
    """Calls put off, in their order. `ring` has `run` called in the next turn."""

    def __init__(self, ring: Callable[[], object]) -> None:
        self._ring = ring
        self._calls: list[Ready] = []
        self.in_batch = False  # somebody will call `run` anyway

    def add(self, call: Ready) -> None:
        """Have `call` called after what is being done now."""
        if not (self._calls or self.in_batch):
            self._ring()
        self._calls.append(call)

    def run(self) -> None:
        """Do what was put off until now; what it puts off in its turn waits for the next one, so
        that nobody who always has more to do keeps the others from being heard."""
        if self._calls:
            calls, self._calls = self._calls, []
            for call in calls:
                safely(call)


def safely(call: Ready) -> None:
    """Call `call`: what goes wrong there is a bug, and no other call's business."""
    try:
        call()
    except Exception:
        log.failure("a bug in the data path")
