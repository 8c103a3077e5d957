"""sorryctl upgrade: the code that is installed now takes the place of the code that runs."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.end_to_end.daemon import BOTH, SORRYCTL
from tests.end_to_end.load import Pages, check_page
from tests.end_to_end.regulars import Regulars
from tests.end_to_end.test_takeover import Town
from tests.end_to_end.waiting import until
from tests.end_to_end.wire import request, visitor


@pytest.fixture(scope="module")
def pages() -> Iterator[Pages]:
    """A member that answers."""
    with Pages() as one:
        yield one


Towns = Callable[[bool], Town]


@pytest.fixture
def towns(tmp_path: Path, pages: Pages) -> Iterator[Towns]:
    """Makes a daemon, in the foreground or not, of which nothing is left."""
    with contextlib.ExitStack() as stack:

        def make(foreground: bool) -> Town:
            town = Town(tmp_path, pages, foreground=foreground)
            stack.callback(town.end)
            return town

        yield make


def upgrade(town: Town) -> subprocess.CompletedProcess[str]:
    """Run sorryctl upgrade, which starts Python three times before it is done."""
    return subprocess.run(command(town), capture_output=True, text=True, timeout=120, check=False)


def start_upgrade(town: Town) -> subprocess.Popen[bytes]:
    """The same, without waiting for its end."""
    return subprocess.Popen(command(town))


def command(town: Town) -> list[str]:
    return [str(SORRYCTL), "--socket", str(town.daemon.socket), "upgrade"]


@BOTH
def test_upgrade(towns: Towns, foreground: bool) -> None:
    """The same process goes on with the new release, and no visitor finds out."""
    town = towns(foreground)
    town.start()
    before, pid = town.workers(), town.daemon.pid
    with Regulars(town.port) as regulars:
        for _ in range(2):
            done = upgrade(town)
            assert (done.returncode, done.stdout) == (0, "sorryd 0.1.0 runs anew\n"), done.stderr
            regulars.wait_for(50)
    assert regulars.faults == []
    town.gone(before)
    assert town.daemon.running
    assert int(town.daemon.pidfile.read_text()) == pid == town.daemon.ask("status")["pid"]
    assert len(town.workers()) == 2
    entries = town.daemon.ask("history.list")["entries"]
    assert [one["detail"] for one in entries if one["action"] == "daemon.upgrade"] == [
        "0.1.0 -> 0.1.0"
    ] * 2


def test_without_workers(towns: Towns, pages: Pages) -> None:
    """One process for all is upgraded too: a worker has its visitors meanwhile."""
    town = towns(True)
    town.daemon.config.write_text(town.ini(workers=0))
    town.start()
    with Regulars(town.port) as regulars, visitor(town.port) as late:
        late.send(request(b"/held/late"))
        pages.wait_for("/held/late")
        done = start_upgrade(town)
        town.daemon.wait_for_log("a worker takes the place of this process")
        regulars.wait_for(50)
        assert done.poll() is None
        pages.release("/held/late")
        check_page(late.answer(b"GET"), "/held/late")
        assert done.wait(120) == 0
        regulars.wait_for(50)
    assert regulars.faults == []
    until(lambda: not town.workers(), "the end of the worker")
    town.page()


REFUSED = "sorryctl: the release that is installed now would not start, and nothing was changed\n"


@pytest.mark.parametrize(
    ("launcher", "said"),
    [
        ("import sys; '--check' in sys.argv and sys.exit('it lacks a library')", "it lacks a lib"),
        ("import sys; '--version' in sys.argv and sys.exit(3)", ""),
    ],
)
def test_release_that_would_not_start(towns: Towns, launcher: str, said: str) -> None:
    """It is not run, and what it says is passed on; everything is as before."""
    town = towns(True)
    town.daemon._launcher = f"{launcher}\n"
    town.start()
    before = town.daemon.ask("daemon.version")
    done = upgrade(town)
    assert done.returncode == 1
    assert done.stderr.startswith(REFUSED)
    assert said in done.stderr
    assert town.daemon.ask("daemon.version") == before
    town.page()


def test_other_journal(towns: Towns) -> None:
    """A configuration that needs a restart is refused: nobody would find the workers."""
    town = towns(True)
    town.start()
    ini = town.daemon.config.read_text().replace("state = sorryd.db", "state = other.db")
    town.daemon.config.write_text(ini)
    done = upgrade(town)
    assert done.returncode == 1
    assert "state" in done.stderr
    town.page()


# In place of what is started the second time: an operator who is quicker than Python.
STOPPED_AT_ONCE = """
import os, pathlib, signal, sys
if "--check" not in sys.argv and "--version" not in sys.argv:
    first = pathlib.Path("first")
    first.exists() and os.kill(os.getpid(), signal.SIGTERM)
    first.touch()
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_stopped_meanwhile(tmp_path: Path, pages: Pages, when: str) -> None:
    """SIGTERM is heeded also just before one release becomes the other, and just after it: by the
    new one, once it can, with all workers of both."""
    town = Town(tmp_path, pages)
    if when == "after":
        town.daemon._launcher = STOPPED_AT_ONCE
    with town.daemon as daemon:
        daemon.ask("daemon.upgrade")
        if when == "before":
            daemon.wait_for_log("upgrade: sorryd stops")
            daemon.signal(signal.SIGTERM)
        assert daemon.wait() == 0
        assert "sorryd has stopped" in daemon.log
        until(lambda: not daemon.family.pids(), "the end of its processes")
        assert os.listdir(tmp_path / "sorryd.db.workers") == []
        daemon.assert_clean()
