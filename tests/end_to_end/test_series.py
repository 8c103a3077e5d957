"""A series of windows, planned with sorryctl, in a daemon that is killed now and then."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.end_to_end.daemon import Daemon, configuration
from tests.end_to_end.load import Pages, asking, check_apology, check_page
from tests.end_to_end.wire import visitor


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon that drains nobody, before a member that answers."""
    with (
        Pages() as member,
        Daemon(tmp_path, configuration([member.url], drain="0s", timezone="Asia/Tokyo")) as one,
    ):
        yield one


def killed(daemon: Daemon) -> None:
    """It dies, and is started again."""
    daemon.kill()
    daemon.start()


def looks_down(daemon: Daemon) -> bool:
    """Whether a visitor gets the apology."""
    with visitor(daemon.port()) as stream:
        answer = asking(stream)
    if answer.status == 200:
        check_page(answer, "/")
        return False
    check_apology(answer)
    return True


def test_a_series_survives(daemon: Daemon) -> None:
    """What was answered of a series and its instances holds after each kill -9."""
    planned = "schedule", "shop", "--from", "now", "--for", "2h", "--every", "daily"
    done = daemon.ctl(*planned, "--id", "nightly", "--reason", "backup")
    assert (done.returncode, done.stdout) == (0, "nightly\n")
    killed(daemon)
    assert looks_down(daemon)
    told = json.loads(daemon.ctl("--json", "plan", "--days", "3").stdout)["windows"]
    names = [one["id"] for one in told]
    assert len(names) in (3, 4)
    assert all(name.startswith("nightly@") for name in names)
    assert told[0]["sites"][0]["reason"] == "backup"

    ended = daemon.ctl("end", "nightly")
    assert ended.stdout.startswith(f"{names[0]}  ended\n")
    assert not looks_down(daemon)
    cancelled = daemon.ctl("cancel", names[1].replace("T", " "))
    assert cancelled.stdout.startswith(f"{names[1]}  cancelled\n")
    killed(daemon)
    assert not looks_down(daemon)
    (series,) = daemon.ask("window.list")
    assert (series["id"], series["next"]["id"]) == ("nightly", names[2])
    status = daemon.ctl("status").stdout
    assert names[2] in status

    assert daemon.ctl("cancel", "nightly").returncode == 0
    killed(daemon)
    assert daemon.ask("window.list") == []
    history = daemon.ctl("history").stdout
    assert all(deed in history for deed in ("window.schedule", "window.end", "window.cancel"))


def test_wrong_rules_are_refused_in_one_line(daemon: Daemon) -> None:
    """A rule that is none is refused by name, with exit code 1 and no traceback."""
    for dry in ((), ("--dry-run",)):
        done = daemon.ctl("schedule", "--from", "02:00", "--for", "1h", "--every", "often", *dry)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("sorryctl: every: OFTEN: not a part of a rule (say daily")
