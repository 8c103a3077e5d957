"""The control process is killed: its workers go on, and the next control process replaces them."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.end_to_end.daemon import Daemon, configuration
from tests.end_to_end.load import Pages, asking, check_apology, check_page
from tests.end_to_end.waiting import until
from tests.end_to_end.wire import visitor


@pytest.fixture(scope="module")
def pages() -> Iterator[Pages]:
    """A member that answers."""
    with Pages() as one:
        yield one


class Town:
    """A daemon, and all workers that it ever had."""

    def __init__(self, folder: Path, pages: Pages, foreground: bool = True) -> None:
        self.folder = folder
        self.pages = pages
        self.daemon = Daemon(folder, self.ini(), foreground=foreground)

    def ini(self, workers: int = 2, listen: str = "127.0.0.1:0", retire: str = "5s") -> str:
        keys = f"workers = {workers}\nretire = {retire}"
        return configuration([self.pages.url], daemon=keys, listen=listen, drain="0s")

    def workers(self) -> set[int]:
        """Those that could be asked to hand over."""
        with contextlib.suppress(FileNotFoundError):
            names = os.listdir(self.folder / "sorryd.db.workers")
            return {int(name) for name in names if os.path.exists(f"/proc/{name}")}
        return set()

    def page(self, path: str = "/a") -> None:
        """Somebody comes, and gets a page."""
        with visitor(self.port) as wire:
            check_page(asking(wire, path.encode()), path)

    def start(self) -> None:
        self.daemon.start()
        self.port = self.daemon.port()
        self.page()

    def gone(self, workers: set[int]) -> None:
        """Wait until these have ended."""
        until(lambda: not self.workers() & workers, f"the end of {workers}")

    def end(self) -> None:
        """Stop it; whatever comes of that, nothing is left."""
        try:
            if self.daemon.running:
                self.daemon.stop()
        finally:
            self.daemon.kill()
            self._kill_workers()

    def _kill_workers(self) -> None:
        for pid in self.workers():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@pytest.fixture
def town(tmp_path: Path, pages: Pages) -> Iterator[Town]:
    town = Town(tmp_path, pages)
    try:
        yield town
    except BaseException:
        print(town.daemon.log)
        raise
    finally:
        town.end()


def test_another_control_process(town: Town) -> None:
    """Workers serve on when the control process is killed, and go when another one has come."""
    town.start()
    before = town.workers()
    assert len(before) == 2
    town.daemon.kill()
    for _ in range(10):
        town.page()
    assert town.workers() == before
    port = town.port
    town.start()
    assert town.port == port
    town.gone(before)
    assert len(town.workers()) == 2
    town.page()
    town.daemon.stop()
    assert town.workers() == set()
    assert os.listdir(town.folder / "sorryd.db.workers") == []


def test_killed_again_and_again(town: Town) -> None:
    """However often the control process is killed, the next one takes over from all before."""
    town.start()
    before: set[int] = set()
    for _ in range(3):
        before |= town.workers()
        town.daemon.kill()
        town.page()
        town.daemon.start()
    town.gone(before)
    town.page()


def test_killed_workers_leave_nothing(town: Town) -> None:
    """Also of a worker that was killed, nothing is left when sorryd has stopped."""
    town.start()
    killed = min(town.workers())
    os.kill(killed, signal.SIGKILL)
    until(lambda: len(town.workers() - {killed}) == 2, "another worker")
    town.daemon.stop()
    assert os.listdir(town.folder / "sorryd.db.workers") == []


def test_windows_while_nobody_controls(town: Town) -> None:
    """A window opens and closes on time while there is no control process."""
    town.start()
    now = time.time()
    done = town.daemon.ask("window.schedule", {"site": "shop", "from": "+1s", "for": "2s"})
    assert done["id"]
    town.daemon.kill()
    with visitor(town.port) as wire:
        until(lambda: asking(wire, b"/a").status == 503, "the window")
        assert time.time() >= now + 1
        check_apology(asking(wire, b"/a"))
        until(lambda: asking(wire, b"/a").status == 200, "the end of the window")
        assert time.time() >= now + 3
    town.start()


def test_who_stays_with_an_old_worker(town: Town) -> None:
    """Nobody gets a page after `down` was answered, whichever worker a connection is kept by."""
    town.start()
    town.daemon.ask("site.down")
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(visitor(town.port)) for _ in range(8)]
        for wire in wires:
            check_apology(asking(wire))
        town.daemon.kill()
        town.daemon.start()
        town.daemon.ask("site.up")
        for wire in wires[:4]:
            check_page(asking(wire, b"/a"), "/a")
        town.daemon.ask("site.down")
        for wire in wires[4:]:
            check_apology(asking(wire))


def test_one_process_takes_over(town: Town) -> None:
    """A configuration without workers takes over from workers."""
    town.start()
    before = town.workers()
    town.daemon.kill()
    town.daemon.config.write_text(town.ini(workers=0))
    town.start()
    town.gone(before)
    town.page()


def test_unix_socket(town: Town) -> None:
    """The file of a UNIX socket stays, and is removed when sorryd has stopped."""
    path = town.folder / "shop.sock"
    town.daemon.config.write_text(town.ini(listen=f"127.0.0.1:0, unix:{path}"))
    town.start()
    before, file = town.workers(), path.stat().st_ino
    town.daemon.kill()
    town.start()
    town.gone(before)
    assert path.stat().st_ino == file
    town.daemon.stop()
    assert not path.exists()


def test_failed_start_leaves_them(town: Town) -> None:
    """A start that fails changes nothing for the workers; who listens there can be taken over."""
    path = town.folder / "shop.sock"
    town.daemon.config.write_text(town.ini(listen=f"127.0.0.1:0, unix:{path}"))
    town.start()
    before = town.workers()
    town.daemon.kill()
    (town.folder / "sorryd.db.workers" / "1").touch()  # of no socket
    town.daemon.socket.unlink()
    town.daemon.socket.mkdir()
    town.daemon.launch()
    assert town.daemon.wait() == 1
    town.daemon.socket.rmdir()
    town.page()
    assert town.workers() - {1} == before
    assert path.exists()
    town.start()
    town.gone(before)


def test_second_daemon(town: Town, tmp_path: Path) -> None:
    """A daemon that is started twice takes nothing from the first one."""
    town.start()
    before = town.workers()
    other = Daemon(tmp_path, town.daemon.config.read_text().replace(":0", f":{town.port}"))
    other.pidfile = tmp_path / "other.pid"
    other.launch()
    assert other.wait() == 1
    assert "in use" in other.log
    assert town.workers() == before
    town.page()
