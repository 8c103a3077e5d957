"""kill -9 at every write of a maintenance's whole life: none is lost, doubled or half done.

The daemon kills itself at its n-th transaction, just before it is committed or just after. It is
started again, the operator goes on where the last answer was, and so for every n that there is.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from tests.end_to_end.daemon import Daemon, configuration
from tests.end_to_end.load import Pages
from tests.end_to_end.waiting import until

KILLS_ITSELF: Final = """
import contextlib, os, pathlib, signal

from sorryd import database

transaction = database.transaction
armed = pathlib.Path("crash")
written = 0  # since it was armed

@contextlib.contextmanager
def watched(connection):
    global written
    written += armed.exists()
    with transaction(connection) as inside:
        yield inside
        crash("before it is committed")
    crash("after it is committed")

def crash(point):
    if armed.exists() and armed.read_text() == f"{written} {point}":
        os.kill(os.getpid(), signal.SIGKILL)

database.transaction = watched
"""

LEAST: Final = 10
"""Writes of such a life: six commands, and what is observed of phases and ends."""

Act = Callable[[Daemon], Any]


def _plan(daemon: Daemon) -> Any:
    span = {"from": "2100-01-01 02:00", "for": "1h", "every": "daily"}
    return daemon.ask("window.schedule", {"id": "nightly", **span})


def _skip_one(daemon: Daemon) -> Any:
    following = daemon.ask("status")["sites"][0]["next"]["id"]
    if not following.startswith("nightly@"):
        return None
    name = daemon.folder / "skipped"
    if not name.exists():  # which one was meant, a crash does not change
        name.write_text(following)
    if daemon.ask("window.get", {"id": name.read_text()})["phase"] == "cancelled":
        return None
    return daemon.ask("window.cancel", {"id": name.read_text()})


def _verify(daemon: Daemon) -> Any:
    if _known(daemon, "deep") is not None:
        return None
    span = {"from": "now", "for": "300ms", "until_healthy": "1h"}
    return daemon.ask("window.schedule", {"id": "deep", **span})


def _down(daemon: Daemon) -> Any:
    return daemon.ask("site.down", {"reason": "disk swap", "drain": "0s"})


def _up(daemon: Daemon) -> Any:
    return daemon.ask("site.up")


def _drain(daemon: Daemon) -> Any:
    (member,) = daemon.ask("status")["sites"][0]["members"]
    return daemon.ask("member.set", {"url": member["url"], "weight": 7})


def _settle(daemon: Daemon) -> Any:
    """Wait until the window that is verified is over, and the journal has all that was seen."""
    return until(lambda: _has(daemon, "window.verified"), "the verdict in the history")


def _rest(daemon: Daemon) -> Any:
    """Wait until the journal has the last phase too."""
    return until(lambda: _turns(daemon)[-1]["after"][0]["phase"] == "live", "the last phase")


ACTS: Final[tuple[Act, ...]] = (_plan, _skip_one, _drain, _verify, _settle, _down, _up, _rest)


@pytest.fixture(scope="module")
def member() -> Iterator[Pages]:
    """A member that answers."""
    with Pages() as one:
        yield one


@pytest.mark.parametrize("point", ["before it is committed", "after it is committed"])
def test_a_life_with_a_crash_at_every_write(tmp_path: Path, member: Pages, point: str) -> None:
    """Whatever write a crash comes at, the life ends as one without a crash does."""
    number, crashed = 0, True
    while crashed:
        number += 1
        folder = tmp_path / str(number)
        folder.mkdir()
        check = "tcp interval=100ms rise=1"
        ini = configuration([member.url], drain="0s", announce="0s", check=check)
        with Daemon(folder, ini, launcher=KILLS_ITSELF) as daemon:
            crashed = _live(daemon, f"{number} {point}")
            _check(daemon)
    assert number > LEAST


def _live(daemon: Daemon, step: str) -> bool:
    """All acts, one after the other; whether the daemon crashed in between, and was restarted."""
    armed = daemon.folder / "crash"
    armed.write_text(step)
    for act in ACTS:
        try:
            act(daemon)
        except (EOFError, OSError):
            assert daemon.wait() == -signal.SIGKILL
            armed.unlink()
            daemon.start()
            act(daemon)  # without an answer, the operator asks again
    if not armed.exists():
        return True
    armed.unlink()
    return False


def _check(daemon: Daemon) -> None:
    """All that was answered is so, once, and the phases follow each other without a gap."""
    (site,) = daemon.ask("status")["sites"]
    assert (site["phase"], site["members"][0]["weight"]) == ("live", 7)
    skipped = daemon.ask("window.get", {"id": (daemon.folder / "skipped").read_text()})
    assert skipped["phase"] == "cancelled"
    assert site["next"]["series"] == "nightly"
    assert site["next"]["id"] != skipped["id"]
    assert _known(daemon, "deep")["phase"] == "ended"
    entries = daemon.ask("history.list")["entries"]
    actions = [one["action"] for one in entries]
    for action in ("window.schedule", "window.cancel", "member.set", "site.up"):
        assert actions.count(action) == (2 if action == "window.schedule" else 1), actions
    assert actions.count("window.verified") == 1
    turns = _turns(daemon)
    phases = ["live", *(turn["after"][0]["phase"] for turn in turns)]
    assert [turn["before"][0]["phase"] for turn in turns] == phases[:-1]
    assert phases[-1] == "live"


def _known(daemon: Daemon, name: str) -> Any:
    found = [one for one in daemon.ask("window.list", {"past": True}) if one["id"] == name]
    return found[0] if found else None


def _has(daemon: Daemon, action: str) -> bool:
    return any(one["action"] == action for one in daemon.ask("history.list")["entries"])


def _turns(daemon: Daemon) -> list[dict[str, Any]]:
    entries = daemon.ask("history.list")["entries"]
    return [one for one in entries if one["action"] == "site.phase"]
