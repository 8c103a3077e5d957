"""What sorryctl's commands ask the daemon, and hand on as JSON."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner
from tests.ctl.fake_daemon import FakeDaemon
from tests.ctl.results import RESULTS
from tests.ctl.running import Run

from sorryd.ctl.commands import cli

ASKED: list[tuple[list[str], str, dict[str, object]]] = [
    (["status"], "status", {"ahead": "7d"}),
    (["status", "shop"], "status", {"ahead": "7d", "site": "shop"}),
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
    (["schedule", "--from", "now", "--for", "3h", "--member", "shop/http://a:1", "--member",
      "http://b:1", "--reason-in", "ja=理由", "--reason-in", "pt-BR=a = b"], "window.schedule",
     {"from": "now", "for": "3h", "site": "shop",
      "scope": {"paths": [], "members": ["shop/http://a:1", "http://b:1"], "methods": []},
      "reasons": {"ja": "理由", "pt-BR": "a = b"}}),
    (["down", "--reason-in", "ja=理由"], "site.down", {"reasons": {"ja": "理由"}}),
    (["windows"], "window.list", {}),
    (["windows", "shop", "--past"], "window.list", {"site": "shop", "past": True}),
    (["show", "db"], "window.get", {"id": "db"}),
    (["extend", "db", "--by", "30m"], "window.extend", {"id": "db", "by": "30m"}),
    (["extend", "db", "--until", "06:00"], "window.extend", {"id": "db", "until": "06:00"}),
    (["end", "db"], "window.end", {"id": "db"}),
    (["cancel", "db@2026"], "window.cancel", {"id": "db@2026"}),
    (["plan"], "window.plan", {}),
    (["plan", "shop", "--days", "30"], "window.plan", {"site": "shop", "days": 30}),
    (["preview"], "page.preview", {}),
    (["preview", "shop", "--language", "ja", "--accept", "json", "--phase", "verifying",
      "--window", "db@2026", "-i"],
     "page.preview",
     {"site": "shop", "language": "ja", "accept": "application/json", "phase": "verifying",
      "window": "db@2026"}),
    (["preview", "--accept", "text/*;q=0.5"], "page.preview", {"accept": "text/*;q=0.5"}),
    (["preview", "--cause", "members"], "page.preview", {"cause": "members"}),
    (["members"], "status", {}),
    (["ready", "http://a:1"], "member.set", {"url": "http://a:1", "state": "ready"}),
    (["drain", "shop/http://a:1/x"], "member.set",
     {"site": "shop", "url": "http://a:1/x", "state": "drain"}),
    (["maint", "unix:/run/a.sock"], "member.set", {"url": "unix:/run/a.sock", "state": "maint"}),
    (["weight", "http://a:1", "0"], "member.set", {"url": "http://a:1", "weight": 0}),
    (["bypass"], "site.bypass", {}),
    (["bypass", "shop", "--window", "db@2026", "-v"], "site.bypass",
     {"site": "shop", "window": "db@2026"}),
    (["calendar"], "calendar.get", {}),
    (["calendar", "shop"], "calendar.get", {"site": "shop"}),
    (["history", "shop"], "history.list", {"site": "shop"}),
    (["reload"], "daemon.reload", {}),
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


def test_help_offers_what_is_served() -> None:
    """The help has all that the daemon takes, and nothing else."""
    shown = CliRunner().invoke(cli, ["schedule", "--help"]).stdout
    options = set(re.findall(r"--[a-z-]+", shown))
    wanted = {"--from", "--until", "--for", "--reason", "--every", "--timezone", "--drain", "--id"}
    wanted |= {"--until-healthy", "--give-up", "--path", "--member", "--read-only", "--reason-in"}
    assert options == wanted | {"--dry-run", "--help"}


WRONG_USE = [
    ["schedule", "--from", "now"],
    ["schedule", "--for", "1h"],
    ["schedule", "--from", "now", "--for", "1h", "--reason-in", "ja"],
    ["schedule", "wiki", "--from", "now", "--for", "1h", "--member", "shop/http://a:1"],
    [
        "schedule",
        "--from",
        "now",
        "--for",
        "1h",
        "--member",
        "a/http://a:1",
        "--member",
        "b/http://a:1",
    ],
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
    ["preview", "--phase", "live"],
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
