"""What sorryctl shows of windows that wait for members, or cover a part of a site."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.ctl.fake_daemon import FakeDaemon
from tests.ctl.results import SITE, STATUS, WINDOW

from sorryd.ctl.commands import cli

pytestmark = pytest.mark.usefixtures("tokyo")


def shown(folder: Path, result: object, method: str, *arguments: str) -> str:
    with FakeDaemon(folder / "control.sock", {method: result}) as daemon:
        words = ["--socket", str(daemon.path), *arguments]
        outcome = CliRunner().invoke(cli, words)
    assert outcome.exit_code == 0, outcome.output
    return outcome.stdout


SCOPE: dict[str, list[str]] = {"paths": [], "members": [], "methods": []}
WAITS = {"until_healthy": 600.0, "give_up": "stay", "warnings": []}


@pytest.mark.parametrize(
    ("change", "texts"),
    [
        (WAITS, ["healthy: waits for healthy members, up to 10m; then it stays down\n"]),
        ({**WAITS, "give_up": "open"}, ["up to 10m; then it opens all the same\n"]),
        ({"verified": "2026-11-22T05:00:12+09:00"}, ["found so 2026-11-22 05:00:12 JST\n"]),
        ({"gave_up": "2026-11-22T05:10:00+09:00"}, ["gave up: 2026-11-22 05:10 JST"]),
        ({"scope": {**SCOPE, "paths": ["/a", "/b"], "methods": ["unsafe", "GET"]}},
         ["only:    methods that change something, GET below /a, /b\n"]),
        ({"scope": {**SCOPE, "members": ["http://a"]}}, ["only:    http://a\n"]),
        ({"reasons": {"ja": "理由"}}, ["ja:      理由\n"]),
        ({"until": "2026-11-22T05:00:00+09:00", "ended": "2026-11-22T04:10:00+09:00",
          "phase": "ended"},
         ["until:   2026-11-22 05:00 JST\n", "over:    2026-11-22 04:10 JST\n"]),
    ],
)  # fmt: skip
def test_one(tmp_path: Path, change: dict[str, Any], texts: list[str]) -> None:
    """What was asked of a window, and what came of it."""
    page = shown(tmp_path, {**WINDOW, **change}, "window.get", "show", "db")
    for text in texts:
        assert text in page


VERIFYING = {**WINDOW, **WAITS, "phase": "verifying", "until": "2026-11-22T05:00:00+09:00"}


@pytest.mark.parametrize(
    ("site", "text"),
    [
        ({"phase": "verifying", "cause": "window", "window": VERIFYING},
         "  waits:   for healthy members, until 2026-11-22 05:10 JST; then it stays down\n"),
        ({"cause": "window", "window": {**VERIFYING, "phase": "down",
                                        "gave_up": "2026-11-22T05:10:00+09:00"}},
         "  waits:   the members were not healthy in time: sorryctl up, or sorryctl end db\n"),
        ({"partial": [{**WINDOW, "scope": {**SCOPE, "paths": ["/a"]}}]},
         "  partly:  db, /a, until 2126-11-22 05:00 JST: 新しい database\n"),
        ({"partial": [{**VERIFYING, "scope": {**SCOPE, "members": ["http://a"]}}]},
         "  partly:  db, http://a, waits for healthy members, until 2026-11-22 05:10 JST;"
         " then it stays down: 新しい database\n"),
    ],
)  # fmt: skip
def test_status(tmp_path: Path, site: dict[str, Any], text: str) -> None:
    """The status says what a site waits for, and what acts on a part of it."""
    status = {**STATUS, "sites": [{**SITE, "until": None, **site}]}
    assert text in shown(tmp_path, status, "status", "status")
