"""A real sorryd for tests: `twistd sorryd` as a process, in a folder of its own.

    with Daemon(tmp_path, configuration(["http://127.0.0.1:9001"])) as daemon:
        daemon.ctl("down")
        daemon.ask("status")

Leaving the block stops it, and asserts that it ended well and logged no traceback.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import pytest
from tests.end_to_end.control import Control
from tests.end_to_end.family import MARK, Family
from tests.end_to_end.waiting import PATIENCE, until
from tests.end_to_end.workers import asked_workers, workers_in

BIN: Final = Path(sys.executable).parent
TWISTD: Final = BIN / "twistd"
SORRYCTL: Final = BIN / "sorryctl"

NOBODY: Final = "http://127.0.0.1:9"
"""A member for those who ask none; whoever asked it would be refused."""

BOTH = pytest.mark.parametrize("foreground", [True, False], ids=["-n", "daemonised"])
"""How a daemon may run."""

WITHOUT_UVLOOP: Final = "import sys; sys.modules['uvloop'] = None"
"""For `launcher`: sorryd as it is where uvloop is not installed."""

_RUN: Final = """
import sys
from twisted.scripts.twistd import run
sys.argv[0] = "twistd"
run()
"""


def configuration(
    members: Iterable[str],
    *,
    listen: str = "127.0.0.1:0",
    site: str = "shop",
    daemon: str = "",
    **keys: object,
) -> str:
    """A sorryd.ini with one site. `daemon` holds more lines for [sorryd], `keys` more keys.

    It has the workers that are asked for (workers.py), unless `daemon` says how many.
    """
    lines = ["[sorryd]", "control = control.sock", "state = sorryd.db", "timezone = UTC", daemon]
    if "workers" not in daemon:
        lines += asked_workers()
    return "\n".join(lines) + section(site, members, listen=listen, **keys)


def section(site: str, members: Iterable[str], *, listen: str, **keys: object) -> str:
    """The section of one site, to add to a configuration."""
    lines = [
        *("", f"[site {site}]", f"listen = {listen}", "members ="),
        *(f"    {member}" for member in members),
        *(f"{key} = {value}" for key, value in keys.items()),
    ]
    return "\n".join(lines) + "\n"


class Daemon:
    """`twistd sorryd` in `folder`, with `ini` as its sorryd.ini there.

    `launcher` is Python source that runs in the daemon's process before twistd does, `reactor`
    is twistd's --reactor, `foreground` False lets it become a daemon, `environment` is added
    to ours. It may be started again in the same folder, after `stop` or `kill`.
    """

    def __init__(
        self,
        folder: Path,
        ini: str,
        *,
        launcher: str = "",
        reactor: str = "",
        foreground: bool = True,
        environment: dict[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.config = folder / "sorryd.ini"
        self.config.write_text(ini)
        self.pidfile = folder / "sorryd.pid"
        self.socket = folder / "control.sock"
        self.log_file = folder / "sorryd.log"
        self.error_file = folder / "stderr"
        self._launcher = launcher
        self._reactor = reactor
        self._foreground = foreground
        self._environment = {**os.environ, MARK: os.urandom(8).hex(), **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._ended: int | None = None  # a descriptor that is readable once it has ended
        self._inherited: tuple[int, ...] = ()  # descriptors that it gets from us
        self._log_from = 0  # where the log of this run begins
        self.pid = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        try:
            if kind is None and self.running:
                self.stop()
        finally:
            self.kill()
            self.family.kill()
        if kind is not None:
            print(f"--- {self.log_file}\n{self.log[-20000:]}\n{self.errors}")

    # --- running ---

    def command(self, *options: str) -> list[str]:
        """The command line, with more `options` of `twistd sorryd`."""
        script = [str(TWISTD)]
        if self._launcher:
            path = self.folder / "launcher.py"
            path.write_text(self._launcher + _RUN)
            script = [sys.executable, str(path)]
        mode = ["-n"] if self._foreground else [f"--logfile={self.log_file}"]
        reactor = [f"--reactor={self._reactor}"] if self._reactor else []
        own = [f"--pidfile={self.pidfile}", "sorryd", f"--config={self.config}", *options]
        return [*script, *mode, *reactor, *own]

    def start(self) -> None:
        """Start it, and wait until it says that it is up."""
        self.launch()
        try:
            self.wait_for_log("sorryd is up")
        except BaseException:
            print(self.log, self.errors)
            self.kill()
            raise

    def launch(self) -> None:
        """Start it without waiting for more than its process."""
        self._log_from = len(self._whole_log())
        with self.log_file.open("ab") as log, self.error_file.open("ab") as errors:
            process = subprocess.Popen(
                self.command(), stdout=log, stderr=errors, cwd=self.folder, env=self._environment,
                pass_fds=self._inherited,
            )  # fmt: skip
        if self._foreground:
            self._process, self.pid = process, process.pid
        else:
            assert process.wait(PATIENCE) == 0, self.errors
            # Its log is written before its pidfile where the fork is quick.
            self.pid = until(self._pid_in_file, "the pidfile")
        self._ended = os.pidfd_open(self.pid)

    def _pid_in_file(self) -> int:
        with contextlib.suppress(OSError, ValueError):
            return int(self.pidfile.read_text())
        return 0

    @property
    def running(self) -> bool:
        """Whether its process lives."""
        return self._ended is not None and not select.select([self._ended], [], [], 0)[0]

    def signal(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def wait(self, patience: float = PATIENCE) -> int | None:
        """Wait for its end; its exit status, None where it is a daemon (init has that)."""
        if self._ended is not None:
            if not select.select([self._ended], [], [], patience)[0]:
                pytest.fail(f"sorryd still runs after {patience:g} s")
            os.close(self._ended)
            self._ended = None
        process, self._process = self._process, None
        return None if process is None else process.wait()

    def stop(self) -> None:
        """SIGTERM: it must end with status 0, and have logged nothing that looks like a bug.

        Nothing that it has started may be left.
        """
        self.signal(signal.SIGTERM)
        status = self.wait()
        assert status in (0, None), f"exit status {status}\n{self.log}\n{self.errors}"
        assert "sorryd has stopped" in self.log
        self.assert_clean()
        until(lambda: not self.family.pids(), "the end of its processes")

    def kill(self) -> None:
        """SIGKILL, where it still runs; its workers are left alone."""
        if self.running:
            self.signal(signal.SIGKILL)
        self.wait()

    def assert_clean(self) -> None:
        """No traceback, and nothing said of a bug, in this run so far."""
        for text in (self.log, self.errors):
            for word in ("Traceback", "Unhandled", "a bug in"):
                assert word not in text, text

    # --- what it holds ---

    @property
    def family(self) -> Family:
        """All its processes: workers, and what else it has started."""
        return Family(self._environment[MARK])

    @property
    def edges(self) -> int:
        """How many of its processes serve visitors, as its file has it now."""
        return max(1, workers_in(self.config.read_text()))

    def descriptors(self) -> int:
        """How many file descriptors are open, in all its processes."""
        return self.family.descriptors()

    def memory(self, what: str = "VmRSS") -> int:
        """Of all its processes; see Family."""
        return self.family.memory(what)

    # --- what it says ---

    def _whole_log(self) -> str:
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    @property
    def log(self) -> str:
        """What it has logged since its last start."""
        return self._whole_log()[self._log_from :]

    @property
    def errors(self) -> str:
        """All that it wrote to stderr."""
        return self.error_file.read_text() if self.error_file.exists() else ""

    def wait_for_log(self, pattern: str, patience: float = PATIENCE) -> re.Match[str]:
        """The first match of a regular expression in its log."""
        expression = re.compile(pattern, re.MULTILINE)

        def look() -> re.Match[str] | None:
            alive = self.running
            found = expression.search(self.log)
            if found is None and not alive:
                pytest.fail(
                    f"sorryd ended without {pattern!r} in its log:\n{self.log}{self.errors}"
                )
            return found

        return until(look, f"{pattern!r} in the log", patience)

    def port(self, site: str = "shop", scheme: str = "http") -> int:
        """The port where `site` listens."""
        said = rf"site {re.escape(site)} listens at {scheme}://\S*:(\d+)"
        return int(self.wait_for_log(said)[1])

    def settle(self) -> None:
        """Wait until each of its edges serves by what was decided."""
        self.ask("status")  # which asks them

    # --- its control socket ---

    def ctl(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run sorryctl on its socket."""
        return subprocess.run(
            [str(SORRYCTL), "--socket", str(self.socket), *arguments],
            capture_output=True, text=True, timeout=PATIENCE, check=False,
            env={**self._environment, MARK: "", **environment},
        )  # fmt: skip

    @contextlib.contextmanager
    def control(self) -> Iterator[Control]:
        """A connection to its control socket."""
        connection = Control(self.socket)
        try:
            yield connection
        finally:
            connection.close()

    def ask(self, method: str, params: dict[str, Any] | None = None) -> Any:
        """The result of one request, on a connection of its own."""
        with self.control() as connection:
            return connection.ask(method, params)
