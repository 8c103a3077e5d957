"""The wall clock of a real daemon is stepped by an hour, under load.

Twice: with libfaketime, which all of the process believes (but for the monotonic clock), and,
where that is not installed too, with a time.time of our own.
"""

from __future__ import annotations

import contextlib
import glob
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.end_to_end.daemon import Daemon, configuration
from tests.end_to_end.load import Load, Pages, asking, check_page, instant, utc
from tests.end_to_end.waiting import until
from tests.end_to_end.wire import request, visitor
from tests.end_to_end.workers import ALONE

HOUR = 3600

OWN_CLOCK = """
import pathlib, time

true_time = time.time

def time_by_file():
    return true_time() + float(pathlib.Path("clock").read_text())

time.time = time_by_file
"""

LIBRARIES = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
FAKED = pytest.mark.skipif(not LIBRARIES, reason="libfaketime is not installed")


class SteppedDaemon(Daemon):
    """A daemon whose wall clock is `ahead` of ours."""

    def __init__(self, folder: Path, ini: str, kind: str) -> None:
        self._clock = folder / "clock"
        self.step(0)
        if kind == "own":
            # Twisted's own reactors keep time by time.time, where uvloop does not.
            super().__init__(folder, ini, launcher=OWN_CLOCK, reactor="epoll")
            return
        environment = {
            "LD_PRELOAD": LIBRARIES[0],
            "FAKETIME_TIMESTAMP_FILE": str(self._clock),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",  # its name in other versions
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",  # else threads wait up to seconds for each other
        }
        super().__init__(folder, ini, environment=environment)

    def step(self, ahead: int) -> None:
        """Set its clock so many seconds before ours."""
        new = self._clock.with_suffix(".new")
        new.write_text(f"{ahead:+d}")
        os.replace(new, self._clock)  # it must never read half of it
        self.ahead = ahead

    @property
    def now(self) -> float:
        """The instant by its clock, as it says itself."""
        return instant(self.ask("status")["now"])


@pytest.fixture(
    params=[
        pytest.param("libfaketime", marks=FAKED),
        "own",
        pytest.param("workers", marks=FAKED),
    ]
)
def stepped(
    request: pytest.FixtureRequest, tmp_path: Path, member: Pages
) -> Iterator[SteppedDaemon]:
    """A daemon with a clock to step."""
    # Its own clock is one process's alone.
    where = {"own": ALONE, "workers": "workers = 2"}.get(request.param, "")
    ini = configuration([member.url], drain="0s", timeout_tunnel="30s", daemon=where)
    with SteppedDaemon(tmp_path, ini, request.param) as daemon:
        yield daemon


@pytest.fixture
def member() -> Iterator[Pages]:
    """A member that answers."""
    with Pages() as one:
        yield one


def test_a_step_fires_no_time_out(stepped: SteppedDaemon, member: Pages) -> None:
    """Whatever a connection waits for, it may take as long as before the step: an idle visitor,
    half a head, half a body, a member that thinks, half an answer, a tunnel at rest."""
    with contextlib.ExitStack() as on:
        port = stepped.port()
        idle, head, body, held, half, tunnel = (on.enter_context(visitor(port)) for _ in range(6))
        load = on.enter_context(Load(port))
        check_page(asking(idle, b"/idle"), "/idle")
        head.send(b"GET /head HTTP/1.1\r\nHo")
        posted = request(b"/body", method=b"POST", body=b"1234")
        body.send(posted[:-2])
        held.send(request(b"/held/1"))
        half.send(request(b"/half/1"))
        tunnel.send(request(b"/tunnel", b"Connection: upgrade", b"Upgrade: echo"))
        assert tunnel.answer().status == 101
        for path in ("/held/1", "/half/1"):
            member.wait_for(path)

        stepped.step(HOUR)
        stepped.wait_for_log("the wall clock was set forward by 1h")
        load.wait_for(100)  # half a second: the wheel has looked at all of them since
        stepped.step(-HOUR)
        stepped.wait_for_log("the wall clock was set back by 2h")
        load.wait_for(100)

        check_page(asking(idle, b"/again"), "/again")
        head.send(b"st: shop.example\r\n\r\n")
        check_page(head.answer(), "/head")
        body.send(posted[-2:])
        check_page(body.answer(), "/body")
        member.release("/held/1")
        check_page(held.answer(), "/held/1")
        member.release("/half/1")
        check_page(half.answer(), "/half/1")
        tunnel.send(b"still there")
        assert tunnel.exactly(11) == b"still there"
    assert load.faults == []
    assert all(answer.is_page for answer in load.answers)


def test_windows_follow_the_new_clock(stepped: SteppedDaemon) -> None:
    """A window to come opens and closes as the clock is stepped into it and out of it again;
    one that is over, ended or cancelled never comes back; and no request is lost by any of it."""
    with Load(stepped.port()) as load:
        now = stepped.now
        for name, start, end in (
            ("over", -2 * HOUR, "+300ms"),
            ("ended", -2 * HOUR, "+1h"),
            ("later", 1.5 * HOUR, "+150m"),
            ("cancelled", 0.5 * HOUR, "+90m"),
        ):
            span = {"from": utc(now + start), "until": end}
            stepped.ask("window.schedule", {"id": name, **span})
        stepped.ask("window.end", {"id": "ended"})
        stepped.ask("window.cancel", {"id": "cancelled"})
        until(lambda: phase(stepped, "over") == "ended", "the end of a window")
        assert served(load) == "pages"
        stepped.step(-HOUR)  # into those that are over
        assert served(load) == "pages"
        stepped.step(HOUR)  # into the cancelled one
        assert served(load) == "pages"
        stepped.step(2 * HOUR)
        assert served(load) == "apologies"
        stepped.step(-HOUR)
        assert served(load) == "pages"
        assert phase(stepped, "later") == "announced"
        stepped.step(2 * HOUR)
        assert served(load) == "apologies"
        stepped.step(3 * HOUR)
        assert served(load) == "pages"
        until(lambda: phase(stepped, "later") == "ended", "the end of a window")
        stepped.step(2 * HOUR)
        assert served(load) == "pages"
    assert load.faults == []

    stepped.kill()
    stepped.step(-HOUR)  # nor does a restart bring anything back
    stepped.start()
    assert stepped.ask("window.list") == []
    with visitor(stepped.port()) as wire:
        check_page(asking(wire), "/")


def served(load: Load) -> str:
    """What a load is served from now on."""
    since = time.time()
    load.wait_till(since)
    first = len(load.answers)
    load.wait_for(30)
    kinds = {one.is_page for one in load.answers[first:] if one.asked > since}
    return " and ".join("pages" if kind else "apologies" for kind in kinds)


def phase(daemon: Daemon, name: str) -> str:
    """The phase of a window."""
    found: str = daemon.ask("window.get", {"id": name})["phase"]
    return found


def test_the_alarm_goes_on_after_a_step_back(stepped: SteppedDaemon) -> None:
    """After a step back the daemon still looks each second, whether anybody asks or not."""
    stepped.ask("window.schedule", {"id": "soon", "from": "+2s", "for": "1h"})
    stepped.step(-HOUR)
    stepped.wait_for_log("the wall clock was set back by 1h")
    stepped.step(2)
    stepped.wait_for_log("site shop: announced -> down .*soon")


@pytest.mark.parametrize("ahead", [HOUR, -HOUR])
def test_a_member_rests_as_long_as_without_a_step(tmp_path: Path, ahead: int) -> None:
    """The rest of a failed member is timed by the monotonic clock."""
    with Pages() as gone:
        url = gone.url
    ini = configuration([f"{url} retry=1"])
    with SteppedDaemon(tmp_path, ini, "own") as daemon, visitor(daemon.port()) as wire:
        failed = time.monotonic()
        assert asking(wire).one("Sorry-Cause") == b"members"
        daemon.step(ahead)
        daemon.wait_for_log("the wall clock was set")
        until(lambda: _health(daemon) == "trial", "its trial")
        assert time.monotonic() >= failed + 1.0


def _health(daemon: Daemon) -> str:
    (site,) = daemon.ask("status")["sites"]
    found: str = site["members"][0]["health"]
    return found
