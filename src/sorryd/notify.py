"""What a supervisor is told of us, as datagrams (sd_notify(3)).

Where no supervisor listens, nothing is done. Where it can't be told something, that is lost: it
is no reason for a daemon to fail.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import MutableMapping, Sequence
from typing import Final

PATIENCE: Final = 1.0
"""Seconds that a supervisor may take for what it must know."""

_MICRO: Final = 1_000_000


class Notify:
    """Tells the supervisor at `address`, a path or ``@`` and an abstract name; "" is none.

    `watchdog` is the seconds within which it wants to hear from us, again and again; 0: it does
    not. `pid` is the process that it started.
    """

    def __init__(self, address: str = "", watchdog: float = 0.0, pid: int = 0) -> None:
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._pid = pid
        self._status = ""
        self.watchdog = watchdog if address else 0.0

    @property
    def is_heard(self) -> bool:
        """Whether there is a supervisor."""
        return bool(self._address)

    def ready(self, status: str) -> None:
        """Started, or done with a reload."""
        lines = ["READY=1", f"STATUS={_one_line(status)}"]
        if os.getpid() != self._pid:  # we have forked since
            lines.append(f"MAINPID={os.getpid()}")
        self._status = status
        self._send(lines, PATIENCE)

    def reloading(self) -> None:
        """A reload begins; `ready` must follow. It needs the time for ``Type=notify-reload``."""
        usec = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._send(["RELOADING=1", f"MONOTONIC_USEC={usec}"], PATIENCE)

    def stopping(self, limit: float) -> None:
        """The end begins; it may take `limit` seconds, whatever TimeoutStopSec= says."""
        usec = f"EXTEND_TIMEOUT_USEC={round(limit * _MICRO)}"
        self._send(["STOPPING=1", usec], PATIENCE)

    def status(self, status: str) -> None:
        """How it goes, as one line for people; said again only where it has changed."""
        if status != self._status:
            self._status = status
            self._send([f"STATUS={_one_line(status)}"])

    def alive(self) -> None:
        """What the watchdog wants to hear."""
        self._send(["WATCHDOG=1"])

    def store(self, name: str, sock: socket.socket) -> None:
        """Let it keep `sock` for the next start of the service, as far as it has room."""
        self._send(["FDSTORE=1", f"FDNAME={name}"], PATIENCE, [sock.fileno()])

    def forget(self, name: str) -> None:
        """It need not keep those of that name any more."""
        self._send(["FDSTOREREMOVE=1", f"FDNAME={name}"], PATIENCE)

    def _send(self, lines: Sequence[str], patience: float = 0.0, fds: Sequence[int] = ()) -> None:
        if not self._address:
            return
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock,
        ):
            sock.settimeout(patience)
            sock.connect(self._address)
            data = "\n".join(lines).encode(errors="replace")
            if fds:
                socket.send_fds(sock, [data], fds)
            else:
                sock.send(data)


def notify_of(environ: MutableMapping[str, str], pid: int) -> Notify:
    """The supervisor that `environ` tells of to the process `pid`, this one.

    The variables are removed: no program that we start shall speak for us. What can't be
    understood is as if it were not there.
    """
    address = environ.pop("NOTIFY_SOCKET", "")
    usec, whom = environ.pop("WATCHDOG_USEC", ""), environ.pop("WATCHDOG_PID", str(pid))
    is_ours = usec.isascii() and usec.isdigit() and whom == str(pid)
    watchdog = int(usec) / _MICRO if is_ours else 0.0
    return Notify(address if address.startswith(("/", "@")) else "", watchdog, pid)


def _one_line(text: str) -> str:
    return " ".join(text.split())
