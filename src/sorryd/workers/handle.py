"""A process that is not our child, to be ended: it, and no stranger who has its pid by then."""

from __future__ import annotations

import contextlib
import os
import signal


class Handle:
    """The process with that pid, which lives. Where the kernel has no pidfd, the pid must do."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._fd = _opened(pid)

    def kill(self) -> None:
        """End it (SIGKILL); one that has ended already is left in peace.

        Raises PermissionError where it is another user's.
        """
        with contextlib.suppress(ProcessLookupError):
            if self._fd is None:
                os.kill(self._pid, signal.SIGKILL)
            elif self._fd >= 0:
                signal.pidfd_send_signal(self._fd, signal.SIGKILL)

    def close(self) -> None:
        """Let go of it."""
        if self._fd is not None and self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _opened(pid: int) -> int | None:
    """See pidfd_open(2); -1: it can't be ended. None: there is no such call, or no descriptor."""
    if pid <= 0:  # of another PID namespace (SO_PEERCRED); kill(2) would take it for many
        return -1
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        return -1
    except (AttributeError, OSError):
        return None
