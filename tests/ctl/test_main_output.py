"""sorryctl as a process: what it writes to terminals, pipes and narrow locales."""

from __future__ import annotations

import os
import pty
import re
import subprocess

import pytest
from tests.ctl.fake_daemon import FakeDaemon
from tests.ctl.running import COMMAND, RUN, run


@pytest.mark.parametrize("words", [["windows"], ["windows", "--json"]])
def test_narrow_locale(daemon: FakeDaemon, words: list[str]) -> None:
    """A terminal that can't show a letter gets its escape, and JSON stays JSON."""
    outcome = run(*words, SORRYD_SOCKET=str(daemon.path), PYTHONIOENCODING="latin-1")
    assert outcome.returncode == 0
    assert r"\u65b0" in outcome.stdout


def test_terminal(daemon: FakeDaemon) -> None:
    """On a terminal there are colours, and nothing of the text is lost."""
    ours, theirs = pty.openpty()
    env = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    env.pop("NO_COLOR", None)
    command = [*COMMAND, "status", "--socket", str(daemon.path)]
    with subprocess.Popen(command, stdout=theirs, env=env) as process:
        os.close(theirs)
        shown = _read_all(ours)
        assert process.wait(10) == 0
    assert "\x1b[1;31mdown\x1b[0m" in shown
    text = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert "shop: down, by hand" in text
    assert "http://10.0.0.11:3000" in text
    assert "新しい database" in text


@pytest.mark.parametrize(
    ("columns", "ends"),
    [
        pytest.param(
            78, ["  ON\n", "  shop m1\n", "      until 05:00: hardware upgrade\n"], id="too narrow"
        ),
        pytest.param(
            79, ["  ON       WHY\n", "  shop m1  until 05:00: hardware upgrade\n"], id="wide enough"
        ),
    ],
)
def test_width_of_a_terminal(daemon: FakeDaemon, columns: int, ends: list[str]) -> None:
    """Running text that does not fit beside its row stands below it, and no column is broken."""
    lines = _on_terminal(daemon, columns, "history")
    assert len(lines) == len(ends)
    for line, end in zip(lines, ends, strict=True):
        assert f"{line.rstrip()}\n".endswith(end)


def test_table_that_is_too_wide(daemon: FakeDaemon) -> None:
    """Columns for which there is no room stand below their row, by their names; none is broken."""
    lines = _on_terminal(daemon, 50, "members")
    assert [line.rstrip() for line in lines[:5]] == [
        "shop",
        "  MEMBER                 WEIGHT  ROLE     STATE",
        "  http://10.0.0.11:3000       3           ready",
        "      health up  active 12",
        "  http://10.0.0.9:80          1  standby  ready",
    ]


def test_sites_on_a_terminal(daemon: FakeDaemon) -> None:
    """On a terminal as in a pipe, one blank line stands between two sites, and none elsewhere."""
    lines = _on_terminal(daemon, 120, "status")
    piped = run("status", SORRYD_SOCKET=str(daemon.path), TZ="UTC").stdout.splitlines()
    assert [line.rstrip() for line in lines] == piped


def _on_terminal(daemon: FakeDaemon, columns: int, *words: str) -> list[str]:
    """The lines that a terminal of so many columns shows, without colours."""
    ours, theirs = pty.openpty()
    env = {**os.environ, "TERM": "xterm", "COLUMNS": str(columns), "TZ": "UTC"}
    command = [*COMMAND, *words, "--socket", str(daemon.path)]
    with subprocess.Popen(command, stdout=theirs, env=env) as process:
        os.close(theirs)
        shown = _read_all(ours)
        assert process.wait(10) == 0
    return re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()


def _read_all(descriptor: int) -> str:
    pieces = []
    try:
        while piece := os.read(descriptor, 65536):
            pieces.append(piece)
    except OSError:  # Linux's way to say that the other end of a terminal is closed
        pass
    finally:
        os.close(descriptor)
    return b"".join(pieces).decode()


def test_plain_output_needs_no_rich(daemon: FakeDaemon) -> None:
    """Output into a pipe is written without rich."""
    code = f"import sys; sys.modules['rich'] = None; {RUN}"
    assert run("status", code=code, SORRYD_SOCKET=str(daemon.path)).returncode == 0
