"""kill -9 between any two steps of a command, and at the edges of windows.

The daemon kills itself at the step that a file in its folder names: so a crash comes at that
very step, and not somewhere near it. Then it is started again as it is in earnest.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.end_to_end.control import Control
from tests.end_to_end.daemon import Daemon, configuration
from tests.end_to_end.load import Pages, asking, check_apology, check_page, instant
from tests.end_to_end.waiting import until
from tests.end_to_end.wire import visitor
from tests.end_to_end.workers import BOTH_KINDS

KILLS_ITSELF = """
import os, pathlib, signal

import sorryd.journal
from sorryd.control import commands, observed, server, truth

def crash_before(owner, name, step):
    wrapped = getattr(owner, name)
    def crashing(*args, **named):
        crash(step)
        return wrapped(*args, **named)
    setattr(owner, name, crashing)

def crash_after(owner, name, step):
    wrapped = getattr(owner, name)
    def crashing(*args, **named):
        result = wrapped(*args, **named)
        crash(step)
        return result
    setattr(owner, name, crashing)

def crash(step):
    armed = pathlib.Path("crash")
    if armed.exists() and armed.read_text() == step:
        os.kill(os.getpid(), signal.SIGKILL)

crash_before(commands.Commands, "_answer", "before it is decided")
crash_before(sorryd.journal.Journal, "commit", "before the journal")
crash_after(sorryd.journal, "_put", "within the transaction")
crash_after(sorryd.journal.Journal, "_write", "after the commit")
crash_before(sorryd.journal.Journal, "append", "before a phase is written")
crash_after(sorryd.journal.Journal, "append", "while a phase is written")
crash_before(truth.Truth, "apply", "before it is applied")
crash_before(observed.Observed, "_save", "before an end is saved")
crash_before(server.ControlProtocol, "_answer", "before the answer")
"""

STEPS = [
    pytest.param("before it is decided", False, id="before it is decided"),
    pytest.param("before the journal", False, id="before the journal"),
    pytest.param("within the transaction", False, id="within the transaction"),
    pytest.param("after the commit", True, id="after the commit"),
    pytest.param("before it is applied", True, id="before it is applied"),
    pytest.param("before the answer", True, id="before the answer"),
]


@pytest.fixture(scope="module")
def member() -> Iterator[Pages]:
    """A member that answers."""
    with Pages() as one:
        yield one


@pytest.fixture
def daemon(tmp_path: Path, member: Pages) -> Iterator[Daemon]:
    """A daemon that can be made to crash, and drains nobody."""
    ini = configuration([member.url], drain="0s")
    with Daemon(tmp_path, ini, launcher=KILLS_ITSELF) as one:
        yield one


def crash_within(daemon: Daemon, step: str, method: str, params: dict[str, Any]) -> None:
    """Ask for something, in which the daemon crashes; then start it again."""
    armed = daemon.folder / "crash"
    armed.write_text(step)
    with pytest.raises((EOFError, ConnectionResetError)):
        daemon.ask(method, params)
    assert daemon.wait() == -signal.SIGKILL
    armed.unlink()
    daemon.start()


def what_is_so(daemon: Daemon) -> Any:
    """Phase, windows, members and what people did."""
    (site,) = daemon.ask("status")["sites"]
    windows = {one["id"]: one for one in daemon.ask("window.list", {"past": True})}
    entries = daemon.ask("history.list")["entries"]
    deeds = [deed["action"] for deed in entries if deed["author"] is not None]
    return site["phase"], windows, site["members"], deeds


@pytest.mark.parametrize(("step", "done"), STEPS)
def test_a_command_is_done_wholly_or_not_at_all(daemon: Daemon, step: str, done: bool) -> None:
    """A crash within a command leaves all of it or nothing, and nothing else changed."""
    for name in ("one", "two"):
        span = {"from": "now", "for": "2h"}
        daemon.ask("window.schedule", {"id": name, **span})
    _, windows, _, _ = before = what_is_so(daemon)

    crash_within(daemon, step, "window.schedule", {"id": "new", "from": "+3h", "for": "1h"})
    after = what_is_so(daemon)
    assert ("new" in after[1]) is done
    assert after == before or done
    assert {**after[1], **windows} == after[1]

    before = after
    url = before[2][0]["url"]
    crash_within(daemon, step, "member.set", {"url": url, "state": "drain", "weight": 7})
    after = what_is_so(daemon)
    (one,) = after[2]
    assert (one["state"], one["weight"]) == (("drain", 7) if done else ("ready", 1))
    assert after == before or done

    before = after
    crash_within(daemon, step, "site.up", {})  # ends two windows, or none
    after = what_is_so(daemon)
    assert {after[1][name]["phase"] for name in ("one", "two")} == {"ended" if done else "down"}
    assert after == before or done
    deeds = ["window.schedule", "member.set", "site.up"] if done else []
    assert after[3] == ["window.schedule"] * 2 + deeds


def test_all_that_was_acknowledged_is_there(daemon: Daemon) -> None:
    """Of a burst of commands, what was answered before the kill is kept, and of the others
    none without those before it."""
    with daemon.control() as connection:
        for number in range(200):
            connection.send(
                "window.schedule", {"id": f"w{number}", "from": f"+{number + 1}h", "for": "30m"}
            )
        answered: list[str] = []
        while len(answered) < 20 and (answer := connection.receive()):
            answered.append(answer["result"]["id"])
        daemon.signal(signal.SIGKILL)
        while (answer := _or_none(connection)) is not None:
            answered.append(answer["result"]["id"])
    assert daemon.wait() == -signal.SIGKILL
    daemon.start()
    kept = [one["id"] for one in daemon.ask("window.list")]
    assert kept[: len(answered)] == answered
    assert kept == [f"w{number}" for number in range(len(kept))]


def _or_none(connection: Control) -> dict[str, Any] | None:
    try:
        return connection.receive()
    except ConnectionResetError:
        return None


@BOTH_KINDS
def test_windows_are_kept_over_crashes_at_their_edges(daemon: Daemon) -> None:
    """A window opens, stays open, ends and stays ended at its times, whether the daemon lived
    then or not; and a stale control socket is replaced."""
    window = daemon.ask("window.schedule", {"id": "w", "from": "+200ms", "for": "1h"})
    daemon.kill()  # just before it opens
    assert daemon.socket.exists()
    assert daemon.ctl("status").returncode == 3
    until(lambda: time.time() > instant(window["from"]), "its start")
    daemon.start()
    assert seen(daemon) == 503
    daemon.kill()  # just after it has opened
    daemon.start()
    assert seen(daemon) == 503
    window = daemon.ask("window.extend", {"id": "w", "until": "+200ms"})
    daemon.kill()  # just before it ends
    until(lambda: time.time() > instant(window["until"]), "its end")
    daemon.start()
    assert seen(daemon) == 200
    until(lambda: deeds(daemon, "window.passed"), "its end in the history")
    daemon.kill()  # just after it has ended
    daemon.start()
    assert seen(daemon) == 200
    assert len(deeds(daemon, "window.passed")) == 1
    assert daemon.ask("window.get", {"id": "w"})["phase"] == "ended"
    daemon.ask("site.down", {"reason": "by hand"})
    daemon.kill()
    daemon.start()
    assert seen(daemon) == 503


CRASHES_AT_ENDS = ["before an end is saved", "within the transaction", "after the commit"]


@pytest.mark.parametrize("step", CRASHES_AT_ENDS)
def test_an_instance_is_over_whenever_the_crash_comes(daemon: Daemon, step: str) -> None:
    """The same of an instance of a series, which goes on: the next one is there again."""
    repeated = {"id": "s", "from": "now", "for": "2s", "every": "daily"}
    series = daemon.ask("window.schedule", repeated)
    until(lambda: deeds(daemon, "site.phase"), "its beginning in the history")
    (daemon.folder / "crash").write_text(step)
    assert daemon.wait() == -signal.SIGKILL
    (daemon.folder / "crash").unlink()
    daemon.start()
    assert seen(daemon) == 200
    (over,) = until(lambda: deeds(daemon, "window.passed"), "its end in the history")
    assert over["window"] == series["next"]["id"]
    (listed,) = daemon.ask("window.list")
    assert listed["id"] == "s"
    assert listed["next"]["id"] > series["next"]["id"]
    assert daemon.ask("window.get", {"id": series["next"]["id"]})["phase"] == "ended"


@pytest.mark.parametrize("step", CRASHES_AT_ENDS)
def test_an_end_is_final_whenever_the_crash_comes(daemon: Daemon, step: str) -> None:
    """A crash while the end of a window goes to the journal does not keep the site down, and
    the history tells that end once."""
    window = daemon.ask("window.schedule", {"id": "w", "from": "now", "for": "1s"})
    until(lambda: deeds(daemon, "site.phase"), "its beginning in the history")
    (daemon.folder / "crash").write_text(step)
    assert daemon.wait() == -signal.SIGKILL
    (daemon.folder / "crash").unlink()
    daemon.start()
    assert seen(daemon) == 200
    until(lambda: deeds(daemon, "window.passed"), "its end in the history")
    assert len(deeds(daemon, "window.passed")) == 1
    assert daemon.ask("window.list") == []
    over = {**window, "phase": "ended", "ended": window["until"]}
    assert daemon.ask("window.get", {"id": "w"}) == over


@pytest.mark.parametrize("step", ["before a phase is written", "while a phase is written"])
def test_a_phase_is_in_the_history_whenever_the_crash_comes(daemon: Daemon, step: str) -> None:
    """A crash while a phase goes to the journal neither loses nor doubles it."""
    crash_within(daemon, step, "site.down", {"reason": "by hand"})
    until(lambda: deeds(daemon, "site.phase"), "the phase")
    daemon.ask("site.up", {})
    until(lambda: len(deeds(daemon, "site.phase")) > 1, "the next one")
    told = [deed["detail"] for deed in deeds(daemon, "site.phase")]
    assert told == ["live -> down, by hand", "down -> live"]


def deeds(daemon: Daemon, action: str) -> list[dict[str, Any]]:
    """What the history has of one kind."""
    return [one for one in daemon.ask("history.list")["entries"] if one["action"] == action]


def seen(daemon: Daemon) -> int:
    """The status that a visitor gets, with the body that belongs to it."""
    with visitor(daemon.port()) as wire:
        response = asking(wire)
    if response.status == 200:
        check_page(response, "/")
    else:
        check_apology(response)
    return response.status
