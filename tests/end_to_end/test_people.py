"""sorryctl --wait and calendar, with a real daemon and requests that are really in flight."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from icalendar import Calendar
from tests.end_to_end.daemon import SORRYCTL, Daemon, configuration
from tests.end_to_end.load import Pages, asking, check_apology, check_page
from tests.end_to_end.wire import request, visitor


@pytest.fixture
def member() -> Iterator[Pages]:
    with Pages() as one:
        yield one


@pytest.fixture
def daemon(tmp_path: Path, member: Pages) -> Iterator[Daemon]:
    """A daemon whose operators come from this machine by the header X-Forwarded-For."""
    keys = {"trusted_proxies": "127.0.0.1", "bypass_networks": "192.0.2.0/24"}
    with Daemon(tmp_path, configuration([member.url], drain="1h", **keys)) as one:
        yield one


class Waiting:
    """sorryctl, waiting for something."""

    def __init__(self, daemon: Daemon, *words: str) -> None:
        command = [str(SORRYCTL), "--socket", str(daemon.socket), *words, "--wait"]
        self._process = subprocess.Popen(command, stdout=-1, stderr=-1, text=True)

    def says(self) -> str:
        """The next line on stderr."""
        assert self._process.stderr is not None
        return self._process.stderr.readline().removeprefix("sorryctl: ").rstrip("\n")

    def end(self) -> tuple[int, str]:
        """How it ends, and what it has printed."""
        stdout, _ = self._process.communicate(timeout=30)
        return self._process.returncode, stdout

    def stop(self) -> None:
        """End it, if it has not ended."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()


Wait = Callable[..., Waiting]


@pytest.fixture
def wait(daemon: Daemon) -> Iterator[Wait]:
    """Starts sorryctl with words and --wait."""
    with contextlib.ExitStack() as stack:

        def start(*words: str) -> Waiting:
            started = Waiting(daemon, *words)
            stack.callback(started.stop)
            return started

        yield start


def test_down_waits_for_all_that_is_in_flight(daemon: Daemon, member: Pages, wait: Wait) -> None:
    """A request, a tunnel and an operator who is let past the page: all are counted, and waited
    for, and visitors get the apology meanwhile."""
    with (
        visitor(daemon.port()) as held,
        visitor(daemon.port()) as tunnel,
        visitor(daemon.port()) as operator,
        visitor(daemon.port()) as late,
    ):
        held.send(request(b"/held/1"))
        member.wait_for("/held/1")
        tunnel.send(request(b"/tunnel", b"Connection: upgrade", b"Upgrade: echo"))
        assert tunnel.answer().status == 101
        waiting = wait("down", "shop")
        assert waiting.says() == "shop: draining, 2 requests in flight"
        check_apology(asking(late))
        operator.send(request(b"/held/2", b"X-Forwarded-For: 192.0.2.7"))
        assert waiting.says() == "shop: draining, 3 requests in flight"
        member.release("/held/1")
        check_page(held.answer(), "/held/1")
        assert waiting.says() == "shop: draining, 2 requests in flight"
        tunnel.close()
        assert waiting.says() == "shop: draining, 1 request in flight"
        member.release("/held/2")
        check_page(operator.answer(), "/held/2")
        assert waiting.says() == "shop: draining, no request in flight"
    assert waiting.end() == (0, waiting_page(daemon))


def waiting_page(daemon: Daemon) -> str:
    """What down has printed before it waited."""
    (site,) = daemon.ask("status")["sites"]
    return f"shop: draining, by hand, no end set\n  window:  {site['window']['id']}\n"


def test_up_ends_a_waiting_down(daemon: Daemon, member: Pages, wait: Wait) -> None:
    """A down that somebody else takes back is waited for in vain, and says so."""
    with visitor(daemon.port()) as held:
        held.send(request(b"/held/1"))
        member.wait_for("/held/1")
        waiting = wait("down", "shop")
        assert waiting.says() == "shop: draining, 1 request in flight"
        assert daemon.ctl("up", "shop", "--wait").returncode == 0
        assert waiting.says() == "shop: live"
        assert waiting.end()[0] == 1
        member.release("/held/1")
        check_page(held.answer(), "/held/1")


def test_member_is_waited_for(daemon: Daemon, member: Pages) -> None:
    """A member in drain is waited for until it has nothing to do; --json has that state."""
    with visitor(daemon.port()) as held:
        held.send(request(b"/held/1"))
        member.wait_for("/held/1")
        slow = daemon.ctl("drain", member.url, "--wait", "--timeout", "300ms", "--json")
        assert (slow.returncode, json.loads(slow.stdout)["active"]) == (1, 1)
        member.release("/held/1")
        check_page(held.answer(), "/held/1")
    done = daemon.ctl("drain", member.url, "--wait", "--json")
    assert (done.returncode, json.loads(done.stdout)["active"]) == (0, 0)


def test_calendar(daemon: Daemon, tmp_path: Path) -> None:
    """The feed in a file has the windows that the daemon lists, and visitors are served while
    it is made."""
    daemon.ctl("schedule", "--from", "tomorrow 02:00", "--for", "3h", "--id", "night")
    path = tmp_path / "maintenance.ics"
    assert daemon.ctl("calendar", "-o", str(path)).returncode == 0
    (event,) = Calendar.from_ical(path.read_bytes()).walk("VEVENT")
    (window,) = daemon.ask("window.list")
    times = [event.decoded(key).isoformat() for key in ("dtstart", "dtend")]
    assert times == [window["from"], window["until"]]
    before = path.stat()
    assert daemon.ctl("calendar", "-o", str(path)).returncode == 0
    assert path.stat() == before
