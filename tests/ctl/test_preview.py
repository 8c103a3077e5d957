"""What sorryctl preview prints: the page for a file, or for the eyes."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest
from tests.ctl.fake_daemon import FakeDaemon
from tests.ctl.results import PREVIEW
from tests.ctl.running import RUN, Run


def test_the_page_alone(run: Run) -> None:
    """Into a pipe goes the page to the byte, in UTF-8; what to know of it goes to stderr."""
    outcome = run("preview")
    assert outcome.stdout_bytes == PREVIEW["body"].encode()
    assert outcome.stderr == "sorryctl: warning: no window is planned: this one is made up\n"


@pytest.mark.parametrize("option", ["--headers", "-i"])
def test_with_headers(run: Run, option: str) -> None:
    """Status and fields come before the page where they are asked for."""
    assert run("preview", option).stdout == (
        "HTTP/1.1 503\nRetry-After: 60\nContent-Type: text/html; charset=utf-8\n\n"
        + PREVIEW["body"]
    )


def test_in_any_locale(daemon: FakeDaemon) -> None:
    """A page is in UTF-8, whatever the locale of who looks at it."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, "--socket", str(daemon.path), "preview"],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "latin-1", "PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=30,
        check=True,
    )
    assert done.stdout == PREVIEW["body"].encode()


def test_on_a_terminal(daemon: FakeDaemon) -> None:
    """On a terminal nothing that a page holds can move the cursor, and its last line ends."""
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-c", RUN, "--socket", str(daemon.path), "preview"],
        stdout=theirs,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=30,
        check=True,
    )
    shown = os.read(ours, 10000)
    os.close(ours)
    os.close(theirs)
    assert done.stderr.endswith(b"made up\n")
    assert shown.decode() == "<p>新しい database [2J</p>\r\n"


def test_an_answer_that_makes_no_sense(daemon: FakeDaemon, run: Run) -> None:
    """An answer in another shape is told in a line."""
    daemon.results = {"page.preview": {"status": 503}}
    outcome = run("preview")
    assert outcome.exit_code == 3
