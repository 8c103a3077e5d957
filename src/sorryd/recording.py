"""The access log that the configuration asks for: opened, exchanged for another, closed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from twisted.internet.defer import Deferred, succeed

from sorryd.access_log import AccessLog, access_log
from sorryd.edge.access import Access
from sorryd.model import Config, LogFormat, Value

LEFT: Final = 5.0
"""Seconds to write what is left, when an access log is closed."""


class LogTo(Value, frozen=True):
    """What the configuration says of the access log; an empty `path`: there is none."""

    path: str = ""
    form: LogFormat = LogFormat.COMBINED
    zone: str = "UTC"


def log_of(config: Config) -> LogTo:
    """Where `config` wants it."""
    return LogTo(path=config.access_log, form=config.access_log_format, zone=config.timezone)


class Recording:
    """The access log in use, if there is one.

    `use` gets what connections write their requests to. Those that are under way when the log is
    exchanged end up in the new one.
    """

    def __init__(self, reactor: Any, is_daemon: bool, use: Callable[[Access | None], None]) -> None:
        self._reactor = reactor
        self._is_daemon = is_daemon
        self._use = use
        self._path = ""
        self._log: AccessLog | None = None

    def open(self, to: LogTo) -> AccessLog | None:
        """The log that `to` asks for: the one in use, else another. Raises AccessLogFault.

        `exchange` or `drop` must follow.
        """
        if to.path == self._path:
            return self._log
        if not to.path:
            return None
        fresh = access_log(to.path, self._reactor, self._is_daemon)
        fresh.start()
        return fresh

    def exchange(self, to: LogTo, log: AccessLog | None) -> None:
        """Write to `log` from now on, as `to` says."""
        before, self._log = self._log, log
        self._path = to.path
        if before is not None and before is not log:
            before.stop(LEFT)
        on = Access(self._put, to.form, to.zone, time.monotonic)
        self._use(None if log is None else on)

    def drop(self, log: AccessLog | None) -> None:
        """Close `log`, if it is not in use."""
        if log is not None and log is not self._log:
            log.stop(LEFT)

    def reopen(self, signal: str) -> None:
        """The file was moved away, says a signal."""
        if self._log is not None:
            self._log.reopen()

    def stop(self) -> Deferred[None]:
        """Close the log; fires when what was in it is written, or `LEFT` seconds later."""
        log, self._log = self._log, None
        return succeed(None) if log is None else log.stop(LEFT)

    def _put(self, line: bytes) -> None:
        if self._log is not None:
            self._log.write(line)
