"""A reactor and its thread pool in one, for what would go through a thread."""

from __future__ import annotations

from collections.abc import Callable

from twisted.python.failure import Failure


class AtOnce:
    """All is done at once, by the caller."""

    def getThreadPool(self) -> AtOnce:
        return self

    def callInThreadWithCallback(
        self, done: Callable[[bool, object], None], call: Callable[..., object], *args: object
    ) -> None:
        try:
            result = call(*args)
        except Exception:
            done(False, Failure())
        else:
            done(True, result)

    def callFromThread(self, call: Callable[..., object], *args: object) -> None:
        call(*args)
