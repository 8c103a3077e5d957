"""Processes of a run: started on their core, ended whatever happens. Linux only."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

import msgspec

from bench.processor import family

_PROJECT = Path(__file__).parents[1]
_SYSTEM_FOLDERS = "/usr/sbin:/usr/local/sbin:/sbin"
_PRECEDENCE = "-10"
_given: set[int] = set()  # ports that were given away: a free one may come twice otherwise


class BenchError(Exception):
    """The run cannot go on; the message says why."""


def program(*names: str) -> str | None:
    """The first of `names` that is installed; servers often lie outside a user's PATH."""
    path = os.environ.get("PATH", "") + os.pathsep + _SYSTEM_FOLDERS
    found = (shutil.which(name, path=path) for name in names)
    return next((each for each in found if each), None)


Set = frozenset[int]  # of cores


class Cores(msgspec.Struct, frozen=True, kw_only=True):
    """The cores of the proxies, and those of the load and the members."""

    proxy: Set
    load: Set

    @classmethod
    def of_this_machine(cls) -> Cores:
        """The first and the last core that this process may use (the same one if only one)."""
        usable = sorted(os.sched_getaffinity(0))
        return cls(proxy=frozenset(usable[:1]), load=frozenset(usable[-1:]))

    @classmethod
    def for_two(cls) -> Cores:
        """Two cores for each proxy; the load has what is left, and shares both if none is."""
        usable = sorted(os.sched_getaffinity(0))
        return cls(proxy=frozenset(usable[:2]), load=frozenset(usable[2:] or usable))


@contextlib.contextmanager
def pinned(cores: Set) -> Iterator[None]:
    """What is started within is born on `cores`; children inherit the mask of their parent."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def prefer(root: int) -> None:
    """Give `root` and its descendants precedence over what else the machine does, where we may.

    Where Linux shares processors out by session (sched(7), autogroup), one that is niced gives way
    to its own session alone. All that a run starts is preferred alike, whatever sessions it makes.
    """
    for pid in family(root):
        with contextlib.suppress(OSError):
            Path(f"/proc/{pid}/autogroup").write_text(_PRECEDENCE)


@contextlib.contextmanager
def preferred() -> Iterator[None]:
    """The same for the session of this very process, until the end."""
    group = Path("/proc/self/autogroup")
    with contextlib.ExitStack() as restored:
        with contextlib.suppress(OSError):
            nice = group.read_text().split()[-1]
            group.write_text(_PRECEDENCE)
            restored.callback(group.write_text, nice)
        yield


class Fleet:
    """Everything that a run started, each in a session of its own so that it ends whole."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Fleet:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in self._running:
            _signal_session(process, signal.SIGTERM)
        until = time.monotonic() + 5.0
        for process in self._running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, until - time.monotonic()))
            _signal_session(process, signal.SIGKILL)
            process.wait()

    def start(
        self, name: str, command: Sequence[str], ports: Sequence[int], cores: Set
    ) -> subprocess.Popen[bytes]:
        """Start `command` on `cores` and wait until it listens at `ports`, for 15 s at most.

        Raises BenchError, with the end of what it printed, where it does not come up.
        """
        with self.said(name).open("ab") as out, pinned(cores):
            process = subprocess.Popen(
                command,
                cwd=_PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._running.append(process)
        until = time.monotonic() + 15.0
        for port in ports:
            while not _listens(port):
                if process.poll() is not None or time.monotonic() > until:
                    raise BenchError(f"{name} did not come up: {self._last_words(name)}")
                time.sleep(0.02)
        prefer(process.pid)
        return process

    def said(self, name: str) -> Path:
        """The file of what `name` says on its standard output."""
        return self._folder / f"{name}.out"

    def _last_words(self, name: str) -> str:
        """The end of what `name` printed, and of its own log."""
        files = (self.said(name), self._folder / f"{name}.log")
        lines = [file.read_text(errors="replace").splitlines() for file in files if file.exists()]
        return "\n".join(line for each in lines for line in each[-15:])


def _signal_session(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
    except OSError:
        return False
    return True


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens at now, another one each time."""
    while True:
        with socket.socket() as held:
            held.bind(("127.0.0.1", 0))
            port = int(held.getsockname()[1])
        if port not in _given:
            _given.add(port)
            return port


def free_ports(count: int) -> list[int]:
    """`count` of them."""
    return [free_port() for _ in range(count)]
