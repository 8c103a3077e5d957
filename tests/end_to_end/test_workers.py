"""Several processes that serve, really: killed, hung, replaced, never at odds with an answer."""

from __future__ import annotations

import os
import re
import select
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
from tests.end_to_end.daemon import NOBODY, Daemon, configuration
from tests.end_to_end.load import Load, Pages, asking, check_page, is_over
from tests.end_to_end.members import Member
from tests.end_to_end.waiting import PATIENCE, until
from tests.end_to_end.wire import Wire, visitor
from tests.processes import is_alive

SHORT_OF_PATIENCE: Final = """
import sorryd.workers.process as process
process.PATIENCE = 1.0
"""
STILLBORN: Final = """
from sorryd import serving
from sorryd.workers import forking
serving.BIRTH = 0.5
forking.Forks.__init__.__defaults__ = (("-c", "raise SystemExit(3)"),)
"""


@pytest.fixture
def pages() -> Iterator[Pages]:
    with Pages() as member:
        yield member


def started(folder: Path, member: Member, workers: int = 2, **options: Any) -> Daemon:
    return Daemon(folder, configuration([member.url], daemon=f"workers = {workers}"), **options)


def workers(daemon: Daemon) -> list[dict[str, Any]]:
    """What the daemon says of those that it has now."""
    found = daemon.ask("status")["workers"]
    return [one for one in found if not one["leaving"]]


def pids(daemon: Daemon) -> list[int]:
    """The processes of the workers by their number; empty while one is missing."""
    found = [one["pid"] for one in workers(daemon)]
    return [] if None in found else found


def visitors_of(daemon: Daemon, stack: ExitStack, each: int = 1) -> dict[int, list[Wire]]:
    """Connections that wait for a request, at least so many of `each` worker, by its pid."""
    port = daemon.port()
    family = daemon.family.at(port)
    found: dict[int, list[Wire]] = {pid: [] for pid in pids(daemon)}
    held: dict[int, Wire] = {}

    def sort() -> None:
        for pid, wires in found.items():
            wires += [held.pop(far) for far in family.visitors(pid) & held.keys()]

    for _ in range(1000):
        if all(len(wires) >= each for wires in found.values()):
            return found
        wire = stack.enter_context(visitor(port))
        check_page(asking(wire, b"/"), "/")
        held[wire.socket.getsockname()[1]] = wire
        sort()
    pytest.fail(f"one worker has them all: {found}")


def test_killed(pages: Pages, tmp_path: Path) -> None:
    """Kill -9 costs a worker's own connections; another one comes, as log and status say."""
    with started(tmp_path, pages) as daemon, ExitStack() as stack:
        connected = visitors_of(daemon, stack)
        victim, survivor = pids(daemon)
        os.kill(victim, signal.SIGKILL)
        assert all(is_over(wire) for wire in connected[victim])
        until(lambda: victim not in pids(daemon) and pids(daemon), "another worker")
        for wire in connected[survivor]:
            check_page(asking(wire, b"/still"), "/still")
        (first, second) = workers(daemon)
        assert (first["number"], first["restarts"], second["restarts"]) == (1, 1, 0)
        assert second["pid"] == survivor
        daemon.wait_for_log(rf"worker 1 \(process {victim}\) has died; another one is started$")
        daemon.wait_for_log(f"worker process {victim} was killed by SIGKILL")
        assert "workers: 1 died" in daemon.ctl("status").stdout
        visitors_of(daemon, stack)  # both accept


def test_keeps_dying(pages: Pages, tmp_path: Path) -> None:
    """A worker that dies again and again is given ever more time; the others go on."""
    with started(tmp_path, pages) as daemon, Load(daemon.port(), reopens=True) as load:
        survivor = pids(daemon)[1]
        for wait in ("", r" in 0\.1 s", r" in 0\.2 s", r" in 0\.4 s"):
            pid = until(lambda: pids(daemon), "a worker")[0]
            os.kill(pid, signal.SIGKILL)
            daemon.wait_for_log(rf"worker 1 \(process {pid}\) has died; another .* started{wait}$")
        assert until(lambda: pids(daemon), "a worker")[1] == survivor
        load.wait_for(20)


@pytest.mark.parametrize("command", ["down", "reload"])
def test_hung(pages: Pages, tmp_path: Path, command: str) -> None:
    """A worker that hangs is killed when patience is over: a command is answered all the same."""
    with started(tmp_path, pages, launcher=SHORT_OF_PATIENCE) as daemon, ExitStack() as stack:
        connected = visitors_of(daemon, stack)
        hung, well = pids(daemon)
        os.kill(hung, signal.SIGSTOP)
        outcome = daemon.ctl(command)
        assert outcome.returncode == 0, outcome.stderr
        daemon.wait_for_log(
            rf"worker 1 \(process {hung}\) did not carry out an order within 1 s, and is killed"
        )
        assert all(is_over(wire) for wire in connected[hung])
        until(lambda: hung not in pids(daemon) and well in pids(daemon), "another worker")
        (wire,) = connected[well][:1]
        assert asking(wire, b"/").status == (503 if command == "down" else 200)


def test_hung_with_nothing_to_do(pages: Pages, tmp_path: Path) -> None:
    """Nobody has to give a command for a worker that hangs to be found."""
    with started(tmp_path, pages, launcher=SHORT_OF_PATIENCE) as daemon:
        hung, _ = pids(daemon)
        os.kill(hung, signal.SIGSTOP)
        daemon.wait_for_log(f"worker process {hung} was killed by SIGKILL")
        until(lambda: pids(daemon), "another worker")


def test_answer_waits_for_the_last_worker(pages: Pages, tmp_path: Path) -> None:
    """As long as one has not heard of a command, it is not answered; then it is, and is so."""
    launcher = "import sorryd.workers.remote as remote\nremote.COUNTING = 0.01\n"
    with started(tmp_path, pages, launcher=launcher) as daemon, ExitStack() as stack:
        connected = visitors_of(daemon, stack)
        with daemon.control() as control:
            for slow in pids(daemon):
                os.kill(slow, signal.SIGSTOP)
                control.send("site.down", {"drain": 0})
                is_answered, _, _ = select.select([control.socket], [], [], 0.5)
                os.kill(slow, signal.SIGCONT)
                assert not is_answered
                answer = control.receive()
                assert answer is not None
                assert "result" in answer
                for wire in connected[slow]:
                    assert asking(wire, b"/").status == 503
                control.ask("site.up")


def test_down_is_down_everywhere(pages: Pages, tmp_path: Path) -> None:
    """After `down` was answered no worker serves a live page, and after `up` each of them does."""
    with started(tmp_path, pages, 4) as daemon, ExitStack() as stack:
        wires = [one for each in visitors_of(daemon, stack, 4).values() for one in each]
        with daemon.control() as control:
            for turn in range(25):
                path = f"/{turn}"
                control.ask("site.down", {"drain": 0})
                statuses = [asking(wire, path.encode()).status for wire in wires]
                assert set(statuses) == {503}, f"{turn}: {statuses}"
                control.ask("site.up")
                for wire in wires:
                    check_page(asking(wire, path.encode()), path)


def test_other_numbers(pages: Pages, tmp_path: Path) -> None:
    """From one worker to four, two, none and two: not one request is lost, and none is left."""
    ini = configuration([pages.url], daemon="workers = 1")
    with Daemon(tmp_path, ini) as daemon:
        with Load(daemon.port(), reopens=True) as load:
            for count in (4, 2, 0, 2):
                daemon.config.write_text(ini.replace("workers = 1", f"workers = {count}"))
                outcome = daemon.ctl("reload")
                assert (outcome.returncode, outcome.stderr) == (0, "")
                assert len(workers(daemon)) == count
                load.wait_for(50)
        assert load.faults == []
        until(lambda: len(daemon.ask("status")["workers"]) == 2, "the end of those that left")


def test_asked_to_go(pages: Pages, tmp_path: Path) -> None:
    """SIGTERM to one worker: another one takes its place, and not one request is lost."""
    with started(tmp_path, pages) as daemon:
        with Load(daemon.port(), reopens=True) as load:
            before = pids(daemon)
            os.kill(before[0], signal.SIGTERM)
            until(lambda: before[0] not in pids(daemon) and pids(daemon), "another worker")
            load.wait_for(50)
            until(lambda: not Path(f"/proc/{before[0]}").exists(), "its end")
        assert load.faults == []
        assert [one["restarts"] for one in workers(daemon)] == [0, 0]
        assert "has died" not in daemon.log


def has_lines(path: Path, count: int) -> bool:
    return path.read_text().count("/each") == count


def test_access_log(pages: Pages, tmp_path: Path) -> None:
    """Each worker writes whole lines to the one log, and to the new one when it was moved."""
    path, old = tmp_path / "access.log", tmp_path / "old.log"
    ini = configuration([pages.url], daemon=f"workers = 2\naccess_log = {path}")
    with Daemon(tmp_path, ini) as daemon:
        for turn in range(2):
            with ExitStack() as stack:
                connected = visitors_of(daemon, stack, 2)
                wires = [one for each in connected.values() for one in each]
                for wire in wires:
                    check_page(asking(wire, b"/each"), "/each")
            until(partial(has_lines, path, len(wires)), "their lines")
            if turn == 0:
                path.rename(old)
                daemon.signal(signal.SIGUSR1)
                until(path.exists, "a new file")
    for line in (path.read_text() + old.read_text()).splitlines():
        assert re.fullmatch(r'127\.0\.0\.1 - - \[.*\] "GET /\S* HTTP/1\.1" 200 .*', line), line


def test_no_worker_at_the_start(tmp_path: Path) -> None:
    """Where no worker can be started, the daemon says so in one line, and ends with status 1."""
    daemon = Daemon(tmp_path, configuration([NOBODY], daemon="workers = 2"), launcher=STILLBORN)
    daemon.launch()
    assert daemon.wait(PATIENCE) == 1
    assert "sorryd can't start: no worker serves after 0.5 s: see the log" in daemon.log
    assert "worker 1 could not be started; another one is started in " in daemon.log
    assert "sorryd is up" not in daemon.log
    assert not daemon.pidfile.exists()
    daemon.assert_clean()


def test_no_worker_after_a_reload(pages: Pages, tmp_path: Path) -> None:
    """Where those that a reload asks for can't live, it says so, and who served serves on."""
    ini = configuration([pages.url], daemon="workers = 0")
    with (
        Daemon(tmp_path, ini, launcher=STILLBORN) as daemon,
        visitor(daemon.port()) as wire,
    ):
        check_page(asking(wire, b"/before"), "/before")
        daemon.config.write_text(ini.replace("workers = 0", "workers = 2"))
        outcome = daemon.ctl("reload")
        assert outcome.returncode == 0
        assert "workers that do not serve by it yet: 1, 2 (see the log)" in outcome.stderr
        assert "workers: 1 is missing; 2 is missing" in daemon.ctl("status").stdout
        assert daemon.ctl("down").returncode == 0
        assert asking(wire, b"/down").status == 503
        daemon.config.write_text(ini)
        assert daemon.ctl("reload").stderr == ""
        assert daemon.ctl("up").returncode == 0
        with visitor(daemon.port()) as another:
            check_page(asking(another, b"/after"), "/after")
        assert daemon.ask("status")["workers"] == []


def test_stopping_while_one_leaves(pages: Pages, tmp_path: Path) -> None:
    """Who stops the daemon stops those too that were on their way out."""
    with started(tmp_path, pages) as daemon, ExitStack() as stack:
        connected = visitors_of(daemon, stack)
        leaving = pids(daemon)[0]
        connected[leaving][0].send(b"GET /held/1 HTTP/1.1\r\nHost: shop\r\n\r\n")
        pages.wait_for("/held/1")
        os.kill(leaving, signal.SIGTERM)
        until(lambda: leaving not in pids(daemon) and pids(daemon), "another worker")
        daemon.signal(signal.SIGTERM)
        daemon.wait_for_log("no new connections")
        pages.release("/held/1")
        check_page(connected[leaving][0].answer(b"GET"), "/held/1")
        assert daemon.wait() == 0
    until(lambda: not is_alive(leaving), "its end")
