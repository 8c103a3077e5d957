"""--wait: what is waited for, what is told meanwhile, and how it ends."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from tests.ctl.fake_daemon import FakeDaemon, Later
from tests.ctl.results import LIVE, MEMBER, RESULTS, SITE, STANDBY, STATUS, WINDOW
from tests.ctl.running import COMMAND, Run

from sorryd.ctl import waiting

URL = MEMBER["url"]


@pytest.fixture(autouse=True)
def quick(daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    """No time between two looks, or two lines; and nothing to warn of."""
    daemon.results = {**RESULTS, "site.down": [{**SITE, "window": None}]}
    monkeypatch.setattr(waiting, "LOOK_EVERY", 0.0)
    monkeypatch.setattr(waiting, "SAY_EVERY", 0.0)


def shop(active: int, phase: str = "draining", state: str = "ready", **fields: Any) -> Any:
    """A status whose shop has so many requests in flight; the other site has two."""
    members = [{**MEMBER, "active": active, "state": state}, STANDBY]
    site = {**SITE, "phase": phase, "members": members, **fields}
    return {**STATUS, "sites": [site, {**LIVE, "members": [{**MEMBER, "active": 2}]}]}


STAYING = {"phase": "down", "cause": "window"}
CASES: list[tuple[list[str], list[Any], int, list[str]]] = [
    (["down", "shop"], [shop(12), shop(1), shop(1), shop(0, "down")], 0,
     ["shop: draining, 12 requests in flight", "shop: draining, 1 request in flight",
      "shop: down, no request in flight"]),
    (["down", "shop"], [shop(12), shop(12, "live")], 1,
     ["shop: draining, 12 requests in flight", "shop: live", "waited in vain: shop: live"]),
    (["up", "wiki"], [shop(0, **STAYING), shop(0)], 0, ["wiki: live"]),
    (["drain", URL], [shop(3, state="drain"), shop(0, state="drain")], 0,
     [f"{URL}: drain, 3 requests in flight", f"{URL}: drain, no request in flight"]),
    (["maint", URL], [shop(3, state="maint"), shop(3, state="ready")], 1,
     [f"{URL}: maint, 3 requests in flight", f"{URL}: ready, 3 requests in flight",
      f"waited in vain: {URL}: ready, 3 requests in flight"]),
    (["maint", URL], [{**STATUS, "sites": []}], 1,
     [f"{URL} is no member of shop any more",
      f"waited in vain: {URL} is no member of shop any more"]),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "statuses", "code", "said"), CASES)
def test_waited(
    run: Run,
    daemon: FakeDaemon,
    arguments: list[str],
    statuses: list[Any],
    code: int,
    said: list[str],
) -> None:
    """It waits until nothing is in flight or visitors are served, and says what has changed."""
    daemon.results = {**daemon.results, "status": Later(*statuses)}
    outcome = run(*arguments, "--wait")
    assert outcome.exit_code == code
    assert outcome.stderr.splitlines()[: len(said)] == [f"sorryctl: {line}" for line in said]


@pytest.mark.parametrize(
    ("phases", "code"),
    [
        (["ended"], 0),
        (["verifying", "verifying", "ended"], 0),
        (["verifying", "down"], 1),
    ],
)
def test_verdict_is_waited_for(run: Run, daemon: FakeDaemon, phases: list[str], code: int) -> None:
    """end waits while members are verified; a window that stays for want of them is in vain."""
    windows = [{**WINDOW, "phase": phase} for phase in phases]
    daemon.results = {**daemon.results, "window.get": Later(*windows)}
    outcome = run("end", "db", "--wait")
    assert outcome.exit_code == code
    assert f"db: {phases[-1]}" in outcome.stderr.splitlines()[-1]


def test_instance_is_waited_for(run: Run, daemon: FakeDaemon) -> None:
    """end of a series waits for the instance that it has ended, not for the series."""
    ended = {**WINDOW, "id": "nightly@2026-11-29T02:30", "phase": "ended"}
    daemon.results = {**daemon.results, "window.end": ended, "window.get": ended}
    assert run("end", "nightly", "--wait").exit_code == 0
    assert daemon.asked[-1]["params"] == {"id": "nightly@2026-11-29T02:30"}


def test_members_that_are_dead_are_waited_for(run: Run, daemon: FakeDaemon) -> None:
    """up waits until a member is available, too."""
    dead = {**LIVE, "cause": "members"}
    statuses = [{**STATUS, "sites": [one]} for one in (dead, LIVE)]
    daemon.results = {**daemon.results, "status": Later(*statuses)}
    outcome = run("up", "--wait")
    assert outcome.stderr.splitlines() == [
        "sorryctl: wiki: live, no member is available",
        "sorryctl: wiki: live",
    ]


def test_timeout(run: Run, daemon: FakeDaemon) -> None:
    """After --timeout it exits 1 and says how things stand."""
    daemon.results = {**daemon.results, "status": shop(3)}
    outcome = run("down", "shop", "--wait", "--timeout", "50ms")
    assert outcome.exit_code == 1
    assert outcome.stderr.splitlines()[-1] == (
        "sorryctl: not within 50ms: shop: draining, 3 requests in flight"
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--timeout", "5s"], "--timeout is for --wait"),
     (["--wait", "--timeout", "5"], "--timeout: 5 is no duration")],
)  # fmt: skip
def test_wrong_patience(run: Run, daemon: FakeDaemon, words: list[str], said: str) -> None:
    """A --timeout that makes no sense is refused before anything is done."""
    outcome = run("down", *words)
    assert outcome.exit_code == 2
    assert said in outcome.stderr
    assert daemon.asked == []


@pytest.mark.parametrize(
    ("arguments", "statuses", "shown"),
    [
        (["down", "shop"], [shop(2), shop(0, "down")], shop(0, "down")["sites"][:1]),
        (["down", "shop"], [shop(2), shop(2, "live")], shop(2, "live")["sites"][:1]),
        (["drain", URL], [shop(2, state="drain"), shop(0, state="drain")],
         {**MEMBER, "active": 0, "state": "drain", "site": "shop"}),
    ],
)  # fmt: skip
def test_json(
    run: Run, daemon: FakeDaemon, arguments: list[str], statuses: list[Any], shown: Any
) -> None:
    """With --json the result is printed once, as it is when the waiting is over."""
    daemon.results = {**daemon.results, "status": Later(*statuses)}
    outcome = run(*arguments, "--wait", "--json")
    assert json.loads(outcome.stdout) == shown


def test_one_connection(run: Run, daemon: FakeDaemon) -> None:
    """However often it looks, waiting takes one connection."""
    daemon.results = {**daemon.results, "status": Later(*[shop(1)] * 50, shop(0))}
    run("down", "shop", "--wait")
    assert len(daemon.asked) == 52
    assert daemon.connections == 2


@pytest.fixture
def waiter(daemon: FakeDaemon) -> Iterator[subprocess.Popen[str]]:
    """sorryctl as a process that waits for ever."""
    daemon.results = {**daemon.results, "status": shop(3)}
    words = [*COMMAND, "--socket", str(daemon.path), "down", "shop", "--wait"]
    with subprocess.Popen(words, stdout=-1, stderr=-1, text=True) as process:
        yield process
        process.kill()


def test_interrupt(waiter: subprocess.Popen[str]) -> None:
    """Ctrl-C ends the waiting, and says that the maintenance goes on."""
    assert waiter.stderr is not None
    assert "3 requests in flight" in waiter.stderr.readline()
    waiter.send_signal(signal.SIGINT)
    assert waiter.stderr.read() == (
        "sorryctl: no longer waiting; what was asked for goes on: sorryctl status shows it\n"
    )
    assert waiter.wait(10) == 130


def test_terminal(daemon: FakeDaemon) -> None:
    """On a terminal one line is rewritten, cut to its width, and the last words stay."""
    daemon.results = {**daemon.results, "status": Later(shop(12), shop(0, "down"))}
    ours, theirs = pty.openpty()
    env = {**os.environ, "TERM": "xterm", "COLUMNS": "30"}
    words = [*COMMAND, "--socket", str(daemon.path), "down", "shop", "--wait"]
    done = subprocess.run(words, stdout=-1, stderr=theirs, env=env, timeout=30, check=True)
    os.close(theirs)
    written = os.read(ours, 65536).decode()
    os.close(ours)
    assert b"\x1b" not in done.stdout
    lines = re.split(r"\r\x1b\[K", written)
    assert lines == [
        "",
        "shop: draining, 12 requests i",
        "shop: down, no request in fli\r\n",
    ]
