"""What sorryctl's commands show of the daemon's answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.ctl.fake_daemon import FakeDaemon, Later
from tests.ctl.results import HISTORY, LIVE, MEMBER, SITE, STATUS, UPGRADE, WINDOW
from tests.ctl.running import Run

from sorryd.ctl.commands import cli


def test_status_for_people(run: Run) -> None:
    """The status says phase, why, until when in the local zone, the members, what comes next."""
    assert run("status").stdout == (
        "shop: down, by hand, until 2026-11-22 05:00 JST (in 2h10m)\n"
        "  reason:  hardware upgrade\n"
        "  window:  m1\n"
        "  next:    db, 2126-11-22 02:00 JST (in 36523d23h), until 05:00 JST:"
        " 新しい database\n"
        "  warning: 02:30 is skipped: 03:30 is meant\n"
        "  MEMBER                 WEIGHT  ROLE     STATE  HEALTH  ACTIVE\n"
        "  http://10.0.0.11:3000       3           ready  up          12\n"
        "  http://10.0.0.9:80          1  standby  ready  up           0\n"
        "\n"
        "wiki: live\n"
        "  MEMBER                 WEIGHT  ROLE     STATE  HEALTH  ACTIVE\n"
        "  http://10.0.0.11:3000       3           ready  up          12\n"
        "  http://10.0.0.9:80          1  standby  ready  up           0\n"
    )


def worker(number: int, restarted: str | None = None, **fields: object) -> dict[str, object]:
    """A worker that died at `restarted`, if ever."""
    there = {"number": number, "pid": 70 + number, "since": STATUS["now"], "leaving": False}
    return {**there, "restarts": 0 if restarted is None else 1, "restarted": restarted, **fields}


@pytest.mark.parametrize(
    ("workers", "told"),
    [
        ([], ""),
        ([worker(1), worker(2)], ""),
        ([worker(1, "2026-11-22T01:49:59+09:00"), worker(2)], ""),
        (
            [worker(1), worker(2, "2026-11-22T02:47:00+09:00")],
            "\nworkers: 2 died 3m ago (once in all)\n",
        ),
        (
            [
                worker(1, "2026-11-22T02:49:59+09:00", restarts=5),
                worker(2, "2026-11-22T02:49:59+09:00", pid=None, since=None),
            ],
            "\nworkers: 1 died 1s ago (5 times in all); 2 is missing\n",
        ),
    ],
)
def test_workers(tmp_path: Path, workers: list[dict[str, object]], told: str) -> None:
    """A line tells of workers where one is missing, or was within the last hour."""
    status = {**STATUS, "workers": workers} if workers else STATUS
    with FakeDaemon(tmp_path / "s", {"status": status}) as daemon:
        outcome = CliRunner().invoke(cli, ["status", "--socket", str(daemon.path)])
    assert outcome.stdout.partition("wiki: live\n")[2].partition("up           0\n")[2] == told


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


@pytest.mark.parametrize(
    ("version", "code", "said"),
    [
        ("1.1", 0, "sorryd 1.0 has become sorryd 1.1\n"),
        ("1.0", 1, "sorryctl: sorryd 1.1 did not start, its log says why; sorryd 1.0 runs\n"),
    ],
)
def test_upgrade(tmp_path: Path, version: str, code: int, said: str) -> None:
    """It says what became of it, by who answers when the old one is gone."""
    before = {"version": "1.0", "started": "before"}
    after = {"version": version, "started": "after"}
    results = {"daemon.upgrade": UPGRADE, "daemon.version": Later(before, after)}
    with FakeDaemon(tmp_path / "s", results) as daemon:
        outcome = CliRunner().invoke(cli, ["upgrade", "--socket", str(daemon.path)])
    assert (outcome.exit_code, outcome.output) == (code, said)


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


def test_certificates(tmp_path: Path) -> None:
    """The status tells of certificates that need somebody, and of no others."""
    fine = {"file": "/etc/a.pem", "names": ["a.example"], "expires": WINDOW["until"], "warning": ""}
    late = {**fine, "file": "/etc/b.pem", "warning": "expires in 3 days"}
    status = {**STATUS, "sites": [{**LIVE, "certificates": [fine, late]}]}
    with FakeDaemon(tmp_path / "s", {"status": status}) as daemon:
        outcome = CliRunner().invoke(cli, ["status", "--socket", str(daemon.path)])
    assert outcome.stdout.startswith("wiki: live\n  warning: /etc/b.pem expires in 3 days\n")
    assert "a.pem" not in outcome.stdout


def test_members_that_are_down(tmp_path: Path) -> None:
    """A member whose checks fail is told apart from one that rests."""
    members = [{**MEMBER, "health": health} for health in ("down", "resting")]
    status = {**STATUS, "sites": [{**LIVE, "members": members}]}
    with FakeDaemon(tmp_path / "s", {"status": status}) as daemon:
        outcome = CliRunner().invoke(cli, ["members", "--socket", str(daemon.path)])
    assert [line.split()[3] for line in outcome.stdout.splitlines()[2:]] == ["down", "resting"]


def test_reload_for_people(run: Run) -> None:
    """A reload says what it has changed, and on stderr what it warns of."""
    outcome = run("reload")
    assert outcome.stdout == (
        "reloaded\n  added:   wiki\n  changed: shop, blog\n  removed: old\n  sorryd:  timezone\n"
    )
    assert outcome.stderr == (
        "sorryctl: warning: old: 2 windows are kept, and will act if the site comes back\n"
    )


def test_reload_of_nothing(tmp_path: Path) -> None:
    """A reload that changed nothing says so."""
    names = ("added", "changed", "removed", "settings", "warnings")
    with FakeDaemon(tmp_path / "s", {"daemon.reload": dict.fromkeys(names, ())}) as daemon:
        outcome = CliRunner().invoke(cli, ["reload", "--socket", str(daemon.path)])
    assert outcome.stdout == "reloaded: nothing has changed\n"


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["for people", "--json"])
def test_refused_reload(tmp_path: Path, options: list[str]) -> None:
    """The faults of a file that is refused stand on stderr, each as --check has it; exit 1."""
    fault = "/etc/sorryd.ini:3: [sorryd] colour: unknown key"
    error = {
        "code": -32000,
        "message": "/etc/sorryd.ini is refused, and nothing was changed",
        "data": {"faults": [fault, "a\x1b[2Jb"]},
    }
    answer = json.dumps({"jsonrpc": "2.0", "id": 1, "error": error}).encode() + b"\n"
    with FakeDaemon(tmp_path / "s", {"daemon.reload": answer}) as daemon:
        words = [*options, "reload", "--socket", str(daemon.path)]
        outcome = CliRunner().invoke(cli, words)
    assert (outcome.exit_code, outcome.stdout) == (1, "")
    assert outcome.stderr == f"sorryctl: {error['message']}\n{fault}\na [2Jb\n"


def test_history_of_the_daemon(tmp_path: Path) -> None:
    """What was done to the daemon itself is told of no site, whoever did it."""
    (entry,) = HISTORY["entries"]
    entry = {**entry, "author": None, "action": "daemon.reload", "site": None, "window": None}
    entry |= {"reason": "", "detail": "by SIGHUP: added wiki"}
    with FakeDaemon(tmp_path / "s", {"history.list": {"entries": [entry]}}) as daemon:
        outcome = CliRunner().invoke(cli, ["history", "--socket", str(daemon.path)])
    said = outcome.stdout.splitlines()[1].split()
    assert said[3:] == ["sorryd", "daemon.reload", "sorryd", "by", "SIGHUP:", "added", "wiki"]


@pytest.mark.parametrize(
    "arguments", [["windows"], ["history"]], ids=lambda arguments: arguments[0]
)
def test_nothing(tmp_path: Path, arguments: list[str]) -> None:
    """Where there is nothing to list it says so."""
    results = {"window.list": [], "history.list": {"entries": []}}
    with FakeDaemon(tmp_path / "s", results) as daemon:
        outcome = CliRunner().invoke(cli, ["--socket", str(daemon.path), *arguments])
    assert outcome.stdout == f"no {arguments[0]}\n"
