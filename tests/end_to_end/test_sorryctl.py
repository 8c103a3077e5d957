"""sorryctl and the control socket of a real daemon."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.end_to_end.daemon import SORRYCTL, Daemon, configuration
from tests.end_to_end.load import instant
from tests.end_to_end.wire import ask

MEMBERS = ["http://127.0.0.1:9 weight=3", "http://127.0.0.1:11 standby"]


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon that all tests of this file command."""
    folder = tmp_path_factory.mktemp("sorryctl")
    with Daemon(folder, configuration(MEMBERS, timezone="Asia/Tokyo")) as one:
        yield one


@pytest.fixture(autouse=True)
def up(daemon: Daemon) -> Iterator[None]:
    """Each test begins with the site up."""
    yield
    daemon.ask("site.up")
    for window in daemon.ask("window.list"):
        daemon.ask("window.cancel", {"id": window["id"]})


DIALOGUE = [
    ("status", 0, r"\Ashop: live\n"),
    ("status shop", 0, r"http://127\.0\.0\.1:11 +1 +standby +ready +up +0"),
    ("is-down", 1, r"\A\Z"),
    (
        "down shop --reason 'new disks' --for 2h --drain 0",
        0,
        r"\Ashop: down, by hand, until .*in (2h|1h59m)",
    ),
    ("is-down shop", 0, r"\A\Z"),
    ("status", 0, r"reason: +new disks"),
    ("up shop", 0, r"\Ashop: live\n"),
    ("disable --drain 0", 0, r"\Ashop: down, by hand, no end set\n"),
    ("enable", 0, r"\Ashop: live\n"),
    ("schedule --from +1h --for 2h --reason 'database upgrade' --id db", 0, r"\Adb\n\Z"),
    ("windows", 0, r"db +every site +announced .* database upgrade"),
    ("show db", 0, r"until: .*in (3h|2h59m)"),
    ("extend db --by 30m", 0, r"until: .*in 3h(30|29)m"),
    ("status", 0, r"\Ashop: announced\n +next: +db, "),
    ("end db", 1, r"\Asorryctl: db is not open yet: cancel it instead\n\Z"),
    ("cancel db", 0, r"\Adb  cancelled\n"),
    ("cancel db", 1, r"\Asorryctl: db was cancelled\n\Z"),
    ("windows", 0, r"\Ano windows\n\Z"),
    ("windows --past", 0, r"db +every site +cancelled"),
    ("schedule shop --from now --for 1h --id open", 0, r"\Aopen\n\Z"),
    ("extend open --until +3h", 0, r"until: .*in (3h|2h59m)"),
    ("end open", 0, r"\Aopen  ended\n"),
    ("members", 0, r"http://127\.0\.0\.1:9 +3 +ready"),
    ("weight http://127.0.0.1:9 5", 0, r"http://127\.0\.0\.1:9 +5 +ready"),
    ("maint shop/http://127.0.0.1:9", 0, r"http://127\.0\.0\.1:9 +5 +maint"),
    ("drain http://127.0.0.1:9", 0, r"http://127\.0\.0\.1:9 +5 +drain"),
    ("ready http://127.0.0.1:9", 0, r"http://127\.0\.0\.1:9 +5 +ready"),
    ("history", 0, r"site\.down +shop .* reason 'new disks'\n"),
    ("history", 0, r"member\.set +shop http://127\.0\.0\.1:9 .* state drain -> ready\n"),
    ("version", 0, r"\Asorryd \d+\.\d+"),
]


def test_a_day_of_an_operator(daemon: Daemon) -> None:
    """Each command does what it says, says what it did, and exits as it should."""
    for line, code, said in DIALOGUE:
        done = daemon.ctl(*shlex.split(line))
        assert done.returncode == code, (line, done)
        assert re.search(said, done.stderr if code and done.stderr else done.stdout), (line, done)
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        pytest.param("down nowhere", 1, "there is no site nowhere", id="no such site"),
        pytest.param("show nothing", 1, "there is no window nothing", id="no such window"),
        pytest.param("maint http://10.0.0.1:1", 1, "there is no member", id="no such member"),
        pytest.param("schedule --from 25:00 --for 1h", 1, "from: 25:00", id="no time"),
        pytest.param("schedule --from now --for soon", 1, "for: soon", id="no duration"),
        pytest.param("down --until 1999-01-01", 1, "still to come", id="an end in the past"),
        pytest.param("schedule --from now", 2, "--until and --for", id="no end"),
        pytest.param("schedule --from now --until +1h --for 1h", 2, "exclude", id="two ends"),
        pytest.param("weight http://127.0.0.1:9 257", 2, "257", id="a weight out of range"),
        pytest.param("frobnicate", 2, "frobnicate", id="no such command"),
    ],
)
def test_exit_codes(daemon: Daemon, arguments: str, code: int, said: str) -> None:
    """1 is refused by the daemon, 2 is wrong usage; why is one line on stderr."""
    done = daemon.ctl(*shlex.split(arguments))
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_exit_code_without_a_daemon(tmp_path: Path) -> None:
    """3 is that no daemon answered, whether there is a socket or not."""
    path = tmp_path / "control.sock"
    for _ in range(2):
        done = subprocess.run(
            [SORRYCTL, "--socket", path, "status"], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout) == (3, "")
        assert f"at {path}: start it" in done.stderr
        with socket.socket(socket.AF_UNIX) as left_behind, contextlib.suppress(OSError):
            left_behind.bind(str(path))


def test_environment_as_with_capistrano(daemon: Daemon) -> None:
    """REASON and UNTIL serve ``down`` as in `cap deploy:web:disable`: an UNTIL that is no time
    is kept as it is, and options go before them."""
    down = daemon.ctl("--json", "down", REASON="hardware upgrade", UNTIL="12pm Central Time")
    (site,) = json.loads(down.stdout)
    assert (site["reason"], site["until"]) == ("hardware upgrade", None)
    assert site["until_text"] == "12pm Central Time"
    down = daemon.ctl("--json", "down", "--reason", "disks", REASON="hardware", UNTIL="+2h")
    (site,) = json.loads(down.stdout)
    assert (site["reason"], site["until_text"]) == ("disks", None)
    assert in_seconds(site["until"]) == pytest.approx(7200, abs=20)


def test_check_is_the_daemons_own(daemon: Daemon, tmp_path: Path) -> None:
    """``check`` says what `twistd sorryd --check` says, with its exit code."""
    good = daemon.ctl("check", str(daemon.config))
    assert (good.returncode, good.stdout) == (0, f"{daemon.config}: ok\n")
    bad = tmp_path / "bad.ini"
    bad.write_text(daemon.config.read_text() + "colour = red\ndrain = soon\n")
    done = daemon.ctl("check", str(bad))
    assert done.returncode == 1
    assert done.stdout.count(f"{bad}:") == 2
    assert "[site shop] colour: unknown key" in done.stdout
    assert "[site shop] drain: " in done.stdout


# --- JSON (INTERFACE.md, section 3) -----------------------------------------------------------

AUTHOR = {"uid": os.getuid(), "name": str, "pid": int}
WINDOW: dict[str, Any] = {
    "id": str,
    "site": "shop",
    "from": str,
    "until": str,
    "reason": "new disks",
    "every": None,
    "timezone": "Asia/Tokyo",
    "drain": None,
    "until_healthy": None,
    "give_up": None,
    "scope": {"paths": [], "members": [], "methods": []},
    "warnings": [],
    "phase": str,
    "author": AUTHOR,
    "created": str,
    "series": None,
    "next": None,
    "reasons": {},
    "verified": None,
    "gave_up": None,
    "ended": None,
}
MEMBER: dict[str, Any] = {
    "url": str,
    "weight": int,
    "standby": bool,
    "state": "ready",
    "health": "up",
    "active": 0,
}
SITE: dict[str, Any] = {
    "name": "shop",
    "phase": str,
    "cause": None,
    "reason": "",
    "until": None,
    "until_text": None,
    "window": None,
    "next": None,
    "members": [MEMBER, MEMBER],
    "certificates": [],
    "ahead": [],
    "warnings": [],
    "partial": [],
}
STATUS: dict[str, Any] = {
    "version": str,
    "pid": int,
    "started": str,
    "now": str,
    "sites": [SITE],
    "workers": list,
}


def assert_like(found: Any, wanted: Any, where: str = "") -> None:
    """`found` has the very keys of `wanted`, and values of its types or equal to its values."""
    if isinstance(wanted, type):
        assert type(found) is wanted, where
    elif isinstance(wanted, dict):
        assert list(found) == list(wanted), where
        for key, value in wanted.items():
            assert_like(found[key], value, f"{where}.{key}")
    elif isinstance(wanted, list):
        assert len(found) == len(wanted), where
        for one, value in zip(found, wanted, strict=True):
            assert_like(one, value, f"{where}[]")
    else:
        assert found == wanted, where


def said(daemon: Daemon, *arguments: str) -> Any:
    """The one line of JSON that sorryctl prints."""
    done = daemon.ctl("--json", *arguments)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    return json.loads(done.stdout)


def in_seconds(text: str) -> float:
    """How far ahead an RFC 3339 time with an offset is."""
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d:\d\d", text)
    return instant(text) - time.time()


def test_json_of_a_window(daemon: Daemon) -> None:
    """``schedule`` and ``show`` print the window object itself."""
    words = ["--from", "+1h", "--for", "2h", "--reason", "new disks"]
    planned = said(daemon, "schedule", "shop", *words)
    assert_like(planned, WINDOW)
    assert in_seconds(planned["from"]) == pytest.approx(3600, abs=20)
    assert in_seconds(planned["until"]) == pytest.approx(3 * 3600, abs=20)
    assert planned["phase"] == "announced"
    assert said(daemon, "show", planned["id"]) == planned
    assert said(daemon, "windows") == [planned]
    gone = said(daemon, "cancel", planned["id"])
    assert gone == {**planned, "phase": "cancelled", "ended": gone["ended"]}
    assert in_seconds(gone["ended"]) == pytest.approx(0, abs=20)


def test_json_of_status(daemon: Daemon) -> None:
    """``status`` prints phase, cause, windows and members, as the protocol has them."""
    live = said(daemon, "status")
    assert_like(live, STATUS)
    assert (live["pid"], live["sites"][0]["phase"]) == (daemon.pid, "live")
    words = ["--for", "2h", "--reason", "new disks"]
    said(daemon, "schedule", "shop", "--from", "+1h", *words)
    (down,) = said(daemon, "down", "shop", "--drain", "0", *words)
    until = {"until": str, "reason": "new disks"}
    window = {**WINDOW, "drain": 0.0}
    both = {"phase": "down", "cause": "manual", "window": window, "next": WINDOW}
    assert_like(down, {**SITE, **until, **both})
    assert said(daemon, "status")["sites"] == [down]
    assert in_seconds(down["until"]) == pytest.approx(3 * 3600, abs=20)  # the windows are one


def test_json_of_reload(daemon: Daemon) -> None:
    """``reload`` prints what has changed."""
    nothing: dict[str, list[str]] = {
        "added": [], "changed": [], "removed": [], "settings": [], "warnings": [],
    }  # fmt: skip
    assert said(daemon, "reload") == nothing


def test_members_that_are_dead_are_a_cause(daemon: Daemon) -> None:
    """With every member dead the phase stays live, and the cause is members."""
    assert ask(daemon.port()).status == 503
    (site,) = said(daemon, "status")["sites"]
    assert (site["phase"], site["cause"]) == ("live", "members")
    assert daemon.ctl("is-down").returncode == 1
