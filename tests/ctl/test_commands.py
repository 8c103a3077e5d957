"""sorryctl's commands against a daemon that answers as told."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.ctl.fake_daemon import FakeDaemon

from sorryd.ctl.commands import cli

WINDOW: dict[str, Any] = {
    "id": "db",
    "site": None,
    "from": "2126-11-22T02:00:00+09:00",
    "until": "2126-11-22T05:00:00+09:00",
    "reason": "新しい database",
    "every": None,
    "timezone": "Asia/Tokyo",
    "drain": 90.0,
    "until_healthy": None,
    "give_up": None,
    "scope": {"paths": [], "members": [], "methods": []},
    "warnings": ["02:30 is skipped: 03:30 is meant"],
    "phase": "scheduled",
    "author": {"uid": 0, "name": "root", "pid": 7},
    "created": "2026-11-21T20:00:00+09:00",
}
MEMBER: dict[str, Any] = {
    "url": "http://10.0.0.11:3000",
    "weight": 3,
    "standby": False,
    "state": "ready",
    "health": "up",
    "active": 12,
}
STANDBY = {**MEMBER, "url": "http://10.0.0.9:80", "weight": 1, "standby": True, "active": 0}
SITE: dict[str, Any] = {
    "name": "shop",
    "phase": "down",
    "cause": "manual",
    "reason": "hardware upgrade",
    "until": "2026-11-22T05:00:00+09:00",
    "until_text": None,
    "window": {**WINDOW, "id": "m1"},
    "next": WINDOW,
    "members": [MEMBER, STANDBY],
}
LIVE = {**SITE, "name": "wiki", "phase": "live", "cause": None, "reason": "", "until": None}
LIVE |= {"window": None, "next": None}
STATUS = {"version": "1", "pid": 7, "now": "2026-11-22T02:50:00+09:00", "sites": [SITE, LIVE]}
HISTORY = {
    "entries": [
        {
            "at": "2026-11-22T02:00:00+09:00",
            "author": WINDOW["author"],
            "action": "site.down",
            "site": "shop",
            "window": "m1",
            "member": None,
            "reason": "hardware upgrade",
            "detail": "until 05:00",
        }
    ]
}
RESULTS: dict[str, object] = {
    "status": STATUS,
    "site.down": [SITE],
    "site.up": [LIVE],
    "window.schedule": WINDOW,
    "window.list": [WINDOW],
    "window.get": WINDOW,
    "window.extend": WINDOW,
    "window.end": {**WINDOW, "phase": "ended"},
    "window.cancel": {**WINDOW, "phase": "cancelled"},
    "member.set": {**MEMBER, "site": "shop"},
    "history.list": HISTORY,
    "daemon.version": {"version": "1.0", "python": "3.11", "twisted": "26", "openssl": "OpenSSL 3"},
}

Run = Callable[..., Result]


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[FakeDaemon]:
    """A daemon that answers every method."""
    with FakeDaemon(tmp_path / "s", RESULTS) as running:
        yield running


@pytest.fixture
def tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The terminal is in Tokyo."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def run(daemon: FakeDaemon, tokyo: None) -> Run:
    """sorryctl, asking that daemon."""

    def invoke(*arguments: str, **environment: str) -> Result:
        env = {"SORRYD_SOCKET": str(daemon.path), **environment}
        return CliRunner().invoke(cli, arguments, env=env)

    return invoke


ASKED: list[tuple[list[str], str, dict[str, object]]] = [
    (["status"], "status", {}),
    (["status", "shop"], "status", {"site": "shop"}),
    (["down"], "site.down", {}),
    (["down", "shop", "--reason", "r", "--for", "2h", "--drain", "10s"], "site.down",
     {"site": "shop", "reason": "r", "for": "2h", "drain": "10s"}),
    (["disable", "shop", "--until", "02:00"], "site.down", {"site": "shop", "until": "02:00"}),
    (["up"], "site.up", {}),
    (["enable", "shop"], "site.up", {"site": "shop"}),
    (["is-down", "shop"], "status", {"site": "shop"}),
    (["schedule", "--from", "now", "--for", "3h"], "window.schedule", {"from": "now", "for": "3h"}),
    (["schedule", "shop", "--from", "02:00", "--until", "05:00", "--reason", "r", "--every",
      "daily", "--timezone", "Asia/Tokyo", "--drain", "5s", "--until-healthy", "10m", "--give-up",
      "open", "--id", "db", "--path", "/a", "--path", "/b", "--member", "http://a", "--read-only",
      "--dry-run"],
     "window.schedule",
     {"site": "shop", "from": "02:00", "until": "05:00", "reason": "r", "every": "daily",
      "timezone": "Asia/Tokyo", "drain": "5s", "until_healthy": "10m", "give_up": "open",
      "id": "db", "dry_run": True,
      "scope": {"paths": ["/a", "/b"], "members": ["http://a"], "methods": ["unsafe"]}}),
    (["windows"], "window.list", {}),
    (["windows", "shop", "--past"], "window.list", {"site": "shop", "past": True}),
    (["show", "db"], "window.get", {"id": "db"}),
    (["extend", "db", "--by", "30m"], "window.extend", {"id": "db", "by": "30m"}),
    (["extend", "db", "--until", "06:00"], "window.extend", {"id": "db", "until": "06:00"}),
    (["end", "db"], "window.end", {"id": "db"}),
    (["cancel", "db@2026"], "window.cancel", {"id": "db@2026"}),
    (["members"], "status", {}),
    (["ready", "http://a:1"], "member.set", {"url": "http://a:1", "state": "ready"}),
    (["drain", "shop/http://a:1/x"], "member.set",
     {"site": "shop", "url": "http://a:1/x", "state": "drain"}),
    (["maint", "unix:/run/a.sock"], "member.set", {"url": "unix:/run/a.sock", "state": "maint"}),
    (["weight", "http://a:1", "0"], "member.set", {"url": "http://a:1", "weight": 0}),
    (["history", "shop"], "history.list", {"site": "shop"}),
    (["version"], "daemon.version", {}),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "method", "params"), ASKED)
def test_asked(
    run: Run, daemon: FakeDaemon, arguments: list[str], method: str, params: dict[str, object]
) -> None:
    """Each command asks one question with just the parameters that were given."""
    outcome = run(*arguments)
    one_is_up = 1 if arguments[0] == "is-down" else 0
    assert outcome.exit_code == one_is_up, outcome.output
    assert daemon.asked == [{"jsonrpc": "2.0", "id": 1, "method": method, "params": params}]


@pytest.mark.parametrize(
    ("arguments", "environment", "params"),
    [
        ([], {"REASON": "r", "UNTIL": "12pm Central Time"},
         {"reason": "r", "until_text": "12pm Central Time"}),
        (["--reason", "mine"], {"REASON": "r"}, {"reason": "mine"}),
        (["--for", "1h"], {"UNTIL": "noon"}, {"for": "1h"}),
        (["--until", "02:00"], {"UNTIL": "noon"}, {"until": "02:00"}),
        ([], {"REASON": "", "UNTIL": ""}, {}),
    ],
    ids=["both", "option before REASON", "for before UNTIL", "until before UNTIL", "empty"],
)  # fmt: skip
def test_environment(
    run: Run,
    daemon: FakeDaemon,
    arguments: list[str],
    environment: dict[str, str],
    params: dict[str, str],
) -> None:
    """down takes REASON and UNTIL from the environment where no option says otherwise."""
    run("down", *arguments, **environment)
    assert daemon.asked[0]["params"] == params


@pytest.mark.parametrize(("arguments", "method", "params"), ASKED)
@pytest.mark.parametrize("place", ["before", "after"])
def test_json(
    run: Run, arguments: list[str], method: str, params: dict[str, object], place: str
) -> None:
    """With --json, before or after the command, stdout is the result alone, in one line."""
    words = ["--json", *arguments] if place == "before" else [*arguments, "--json"]
    outcome = run(*words)
    assert outcome.stdout.count("\n") == 1
    assert json.loads(outcome.stdout) == RESULTS[method]
    assert outcome.stderr == ""


def test_status_for_people(run: Run) -> None:
    """The status says phase, why, until when in the local zone, the members, what comes next."""
    assert run("status").stdout == (
        "shop: down, by hand, until 2026-11-22 05:00 JST (in 2h10m)\n"
        "  reason:  hardware upgrade\n"
        "  window:  m1\n"
        "  next:    db, 2126-11-22 02:00 JST (in 36523d23h), until 2126-11-22 05:00 JST:"
        " 新しい database\n"
        "  MEMBER                 WEIGHT  ROLE     STATE  HEALTH  ACTIVE\n"
        "  http://10.0.0.11:3000       3           ready  up          12\n"
        "  http://10.0.0.9:80          1  standby  ready  up           0\n"
        "\n"
        "wiki: live\n"
        "  MEMBER                 WEIGHT  ROLE     STATE  HEALTH  ACTIVE\n"
        "  http://10.0.0.11:3000       3           ready  up          12\n"
        "  http://10.0.0.9:80          1  standby  ready  up           0\n"
    )


@pytest.mark.parametrize(
    ("arguments", "texts"),
    [
        (["down"], ["shop: down, by hand, until 2026-11-22 05:00 JST", "hardware upgrade"]),
        (["up"], ["wiki: live\n"]),
        (["windows"], ["ID  SITE        PHASE", "db  every site  scheduled", "新しい database"]),
        (["show", "db"], ["db  scheduled\n", "site:    every site", "drain:   1m30s",
                          "root (uid 0)", "warning: 02:30 is skipped"]),
        (["cancel", "db"], ["db  cancelled"]),
        (["members"], ["shop\n", "http://10.0.0.9:80"]),
        (["weight", "http://10.0.0.11:3000", "3"], ["shop\n", "http://10.0.0.11:3000       3"]),
        (["history"], ["2026-11-22 02:00 JST  root  site.down  shop m1  until 05:00: hardware"]),
        (["version"], ["sorryd 1.0\n", "Python 3.11, Twisted 26, OpenSSL 3\n"]),
    ],
    ids=lambda value: value[0],
)  # fmt: skip
def test_for_people(run: Run, arguments: list[str], texts: list[str]) -> None:
    """Each command says in words and tables what the daemon answered."""
    shown = run(*arguments).stdout
    for text in texts:
        assert text in shown


def test_schedule_prints_the_id(run: Run) -> None:
    """schedule prints the id alone, for a script to keep, and warnings on stderr."""
    outcome = run("schedule", "--from", "now", "--for", "3h")
    assert outcome.stdout == "db\n"
    assert outcome.stderr == "sorryctl: warning: 02:30 is skipped: 03:30 is meant\n"


def test_dry_run_shows_the_window(run: Run) -> None:
    """A dry run shows the window as it would be, where an id would be of no use."""
    outcome = run("schedule", "--from", "now", "--for", "3h", "--dry-run")
    assert "  until:   2126-11-22 05:00 JST" in outcome.stdout
    assert outcome.stdout.count("02:30 is skipped") == 1
    assert outcome.stderr == ""


def test_down_says_warnings_once(tmp_path: Path) -> None:
    """Warnings of a down are said on stderr, once for all of its sites."""
    site = {**SITE, "window": {**WINDOW, "warnings": ["it lasts 23h"]}}
    with FakeDaemon(tmp_path / "s", {"site.down": [site, site, LIVE]}) as daemon:
        outcome = CliRunner().invoke(cli, ["down", "--socket", str(daemon.path)])
    assert outcome.stderr == "sorryctl: warning: it lasts 23h\n"


def test_help_offers_what_is_served() -> None:
    """The help leaves out the options that the daemon refuses as not supported yet."""
    shown = CliRunner().invoke(cli, ["schedule", "--help"]).stdout
    options = set(re.findall(r"--[a-z-]+", shown))
    wanted = {"--from", "--until", "--for", "--reason", "--timezone", "--drain", "--id"}
    assert options == wanted | {"--dry-run", "--help"}


@pytest.mark.parametrize(
    ("phases", "code"),
    [
        (["down"], 0),
        (["draining", "verifying"], 0),
        (["live"], 1),
        (["announced"], 1),
        (["down", "live"], 1),
        ([], 1),
    ],
)
def test_is_down(tmp_path: Path, phases: list[str], code: int) -> None:
    """is-down exits 0 where every site is draining, down or verifying, else 1; silently."""
    sites = [{**SITE, "phase": phase} for phase in phases]
    with FakeDaemon(tmp_path / "s", {"status": {**STATUS, "sites": sites}}) as daemon:
        outcome = CliRunner().invoke(cli, ["is-down", "--socket", str(daemon.path)])
    assert (outcome.exit_code, outcome.output) == (code, "")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"until": None, "until_text": "12pm Central Time"}, "by hand, until 12pm Central Time\n"),
        ({"until": None}, "shop: down, by hand, no end set\n"),
        ({"until": None, "cause": "file"}, "the sorry file is there, no end set\n"),
        ({"phase": "live", "cause": "members", "until": None}, "live, no member is available\n"),
        ({"reason": "a\x1b[31mb\nc"}, "reason:  a [31mb c\n"),
    ],
    ids=["words", "open-ended", "file", "members", "control characters"],
)
def test_causes(tmp_path: Path, change: dict[str, object], text: str) -> None:
    """The status tells the causes apart, and lets nobody's text play with the terminal."""
    status = {**STATUS, "sites": [{**SITE, **change}]}
    with FakeDaemon(tmp_path / "s", {"status": status}) as daemon:
        outcome = CliRunner().invoke(cli, ["status", "--socket", str(daemon.path)])
    assert text in outcome.stdout


@pytest.mark.parametrize(
    "arguments", [["windows"], ["history"]], ids=lambda arguments: arguments[0]
)
def test_nothing(tmp_path: Path, arguments: list[str]) -> None:
    """Where there is nothing to list it says so."""
    results = {"window.list": [], "history.list": {"entries": []}}
    with FakeDaemon(tmp_path / "s", results) as daemon:
        outcome = CliRunner().invoke(cli, ["--socket", str(daemon.path), *arguments])
    assert outcome.stdout == f"no {arguments[0]}\n"


WRONG_USE = [
    ["schedule", "--from", "now"],
    ["schedule", "--for", "1h"],
    ["schedule", "--from", "now", "--for", "1h", "--until", "02:00"],
    ["down", "--for", "1h", "--until", "02:00"],
    ["extend", "db"],
    ["extend", "db", "--by", "1h", "--until", "02:00"],
    ["weight", "http://a", "257"],
    ["weight", "http://a", "much"],
    ["show"],
    ["nosuch"],
    ["status", "shop", "wiki"],
    ["schedule", "--from", "now", "--for", "1h", "--give-up", "perhaps"],
    ["--config", "/nonexistent/sorryd.ini", "status"],
    ["down", "--reason", "\udcff"],
]


@pytest.mark.parametrize("arguments", WRONG_USE, ids=" ".join)
def test_wrong_use(daemon: FakeDaemon, arguments: list[str]) -> None:
    """Wrong usage exits 2, and the daemon is not asked."""
    needs_socket = "--config" not in arguments
    words = ["--socket", str(daemon.path), *arguments] if needs_socket else arguments
    outcome = CliRunner(env={"SORRYD_SOCKET": None}).invoke(cli, words)
    assert outcome.exit_code == 2
    assert daemon.asked == []
