"""What else the reactor does than the data path.

Asked in the middle of one of its turns, so that the data path may go on as long as nobody waits.
"""

from __future__ import annotations

import math
import select
from collections.abc import Callable


class Rest:
    """What else a reactor does.

    `timeout` tells the seconds until its next timer, None where there is none. `backend` is the
    descriptor by which it waits for all others, an epoll in its turn; None where it can't be told.
    """

    def __init__(self, timeout: Callable[[], float | None], backend: int | None) -> None:
        self._timeout = timeout
        self._poll: select.poll | None = None
        if backend is not None:
            self._poll = select.poll()
            self._poll.register(backend, select.POLLIN)

    def is_idle(self) -> bool:
        """Whether it is known that no descriptor is ready, be it one of the data path's."""
        return self._poll is not None and not self._poll.poll(0)

    def due(self) -> float:
        """Seconds until its next timer; infinite where there is none."""
        timeout = self._timeout()
        return math.inf if timeout is None else timeout


def nothing() -> Rest:
    """Of a reactor that does nothing else, as far as is known."""
    return Rest(lambda: None, None)
