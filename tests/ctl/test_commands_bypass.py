"""What sorryctl shows of a secret link."""

from __future__ import annotations

import pytest
from tests.ctl.results import BYPASS, RESULTS
from tests.ctl.running import Run


def test_link_alone(run: Run) -> None:
    """The link is all that is printed, for a script to keep; warnings are on stderr."""
    outcome = run("bypass", "shop")
    assert outcome.stdout == "https://shop.example/.sorryd/bypass?t=TOKEN\n"
    assert outcome.stderr == "sorryctl: warning: the window is to come\n"


def test_verbose(run: Run) -> None:
    """With -v also the field for scripts, and what it is good for."""
    assert run("bypass", "-v").stdout == (
        "https://shop.example/.sorryd/bypass?t=TOKEN\n"
        "Sorryd-Bypass: TOKEN\n"
        "for window db, at the most until 2126-12-22 02:00 JST\n"
    )


def test_no_url_is_known(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody knows how the site is reached, the link is what comes behind its host."""
    monkeypatch.setitem(RESULTS, "site.bypass", {**BYPASS, "urls": [], "window": None})
    shown = run("bypass", "-v").stdout
    assert shown.startswith("/.sorryd/bypass?t=TOKEN\n")
    assert "for the sorry file" in shown
