"""A hook that is a program: what it is told comes on its stdin, its output goes to the log.

It runs without a shell, in ``/``, in a session and so a process group of its own, and with a
small environment. After `LIMIT` seconds the group gets SIGTERM, and `GRACE` seconds later SIGKILL.
What it leaves running in the background is its own affair; its output ends with the program.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.internet.interfaces import IDelayedCall, IProcessTransport
from twisted.internet.process import reapAllProcesses
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

LIMIT: Final = 30.0
"""Seconds that a program may run."""

GRACE: Final = 5.0
"""Seconds that it has after SIGTERM."""

LINES: Final = 100
"""Lines of output that are logged of one run."""

WIDTH: Final = 500
"""Bytes of a line that are logged."""

ENVIRONMENT: Final[Mapping[str, str]] = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
}

_LOOK = 0.05  # seconds
_LAST_WORDS = 1.0  # seconds that output may still come after the end
_NO_SUCH = 127  # the exit status of a shell for what can't be run

# Twisted has no option for a session of its own; and it forks, which takes long in a large process,
# if it shall change the folder. Python ignores SIGPIPE, and its child would.
_BEGIN = """
import os, signal, sys
os.setsid()
os.chdir("/")
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
try:
    os.execv(sys.argv[1], sys.argv[1:])
except OSError as error:
    sys.exit(os.write(2, f"can't be run: {error.strerror}\\n".encode()) and 127)
"""


def run(
    reactor: Any,
    path: str,
    body: bytes,
    environment: Mapping[str, str],
    say: Callable[[str], None],
) -> Program:
    """Start the program at `path` with `body` as its stdin; `say` gets each line of output."""
    program = Program(reactor, body, say)
    arguments = [sys.executable, "-I", "-S", "-c", _BEGIN, path]
    try:
        reactor.spawnProcess(program, sys.executable, arguments, {**ENVIRONMENT, **environment})
    except OSError as error:
        program.fail(f"can't be started: {error.strerror}")
    return program


class Program(ProcessProtocol):
    """One run. `done` fires with None after exit status 0, else with what went wrong."""

    def __init__(self, reactor: Any, body: bytes, say: Callable[[str], None]) -> None:
        self.done: Deferred[str | None] = Deferred()
        self._reactor = reactor
        self._body = body
        self._say = say
        self._outputs = {1: _Output(self._heard), 2: _Output(self._heard)}
        self._lines = 0
        self._timer: IDelayedCall | None = None
        self._is_late = False
        self._has_exited = False

    def fail(self, why: str) -> None:
        """It did not even begin."""
        self.done.callback(why)

    def terminate(self) -> None:
        """End it now: SIGTERM, and after `GRACE` seconds SIGKILL, to all of its group."""
        if self._has_exited:
            return
        self._signal(signal.SIGTERM)
        self._wait(GRACE, self._kill)

    # --- what Twisted tells ---

    def connectionMade(self) -> None:
        self._wait(LIMIT, self._too_late)
        self._look()
        self._process.write(self._body)
        self._process.closeStdin()

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        if self._lines <= LINES:
            self._outputs[childFD].put(data)

    def processExited(self, reason: Failure) -> None:
        self._has_exited = True
        # Who it left behind may hold its output open for ever.
        self._wait(_LAST_WORDS, self._process.loseConnection)

    def processEnded(self, reason: Failure) -> None:
        self._stop_waiting()
        for output in self._outputs.values():
            output.finish()
        self.done.callback(self._verdict(reason.value))

    # --- what follows ---

    def _look(self) -> None:
        """Look whether it has ended: uvloop takes the signal (SIGCHLD) that Twisted waits for."""
        reapAllProcesses()
        if not self._has_exited:
            self._reactor.callLater(_LOOK, self._look)

    @property
    def _process(self) -> IProcessTransport:
        return cast(IProcessTransport, self.transport)

    def _verdict(self, reason: Any) -> str | None:
        if self._is_late:
            return f"did not end within {LIMIT:g} s"
        match reason:
            case ProcessDone():
                return None
            case ProcessTerminated(signal=int(number)):
                return f"was killed by {_name(number)}"
            case ProcessTerminated(exitCode=code):
                return "can't be run" if code == _NO_SUCH else f"exit status {code}"
            case _:
                return str(reason)

    def _too_late(self) -> None:
        self._is_late = True
        self.terminate()

    def _kill(self) -> None:
        self._timer = None
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        pid = self._process.pid
        if pid is None:
            return
        try:
            os.killpg(pid, number)
        except ProcessLookupError:  # it has not come as far as to its own group
            os.kill(pid, number)
        except PermissionError:  # it has become another user's
            pass

    def _wait(self, seconds: float, call: Callable[[], object]) -> None:
        self._stop_waiting()
        self._timer = self._reactor.callLater(seconds, call)

    def _stop_waiting(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()

    def _heard(self, line: bytes) -> None:
        self._lines += 1
        if self._lines == LINES + 1:
            self._say("(more output is not logged)")
        elif self._lines <= LINES and line.strip():
            text = line.decode(errors="replace").rstrip()
            self._say("".join(one if one.isprintable() else "?" for one in text))


def _name(number: int) -> str:
    """A signal as people call it; most of the real-time ones have no name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


class _Output:
    """A stream of bytes as lines, each cut after `WIDTH` of them."""

    def __init__(self, heard: Callable[[bytes], None]) -> None:
        self._heard = heard
        self._line = bytearray()

    def put(self, data: bytes) -> None:
        *ended, rest = data.split(b"\n", LINES + 1)  # more of them are not logged anyway
        for piece in ended:
            self._add(piece)
            self._end()
        self._add(rest)

    def finish(self) -> None:
        """Nothing follows: what has no end is a line too."""
        if self._line:
            self._end()

    def _end(self) -> None:
        line = bytes(self._line)
        self._line.clear()
        self._heard(line)

    def _add(self, piece: bytes) -> None:
        self._line += piece[: WIDTH - len(self._line)]
