"""Windows of a real daemon, seen by real visitors.

A visitor's request is judged by when it was asked and answered, by the clock that the daemon
reads too: one asked and answered within a window gets the apology, one asked and answered
outside of all gets the page, and one that an edge falls into may get either. That leaves the
100 ms that a window may be late no room at all, and a slow machine does not change it.
"""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from tests.end_to_end.daemon import Daemon, configuration
from tests.end_to_end.load import (
    Answer,
    Load,
    Pages,
    asking,
    check_apology,
    check_page,
    instant,
    is_over,
    utc,
)
from tests.end_to_end.waiting import until
from tests.end_to_end.wire import CutShort, anybody, request, visitor
from tests.end_to_end.workers import BOTH_KINDS

Span = tuple[float, float]


@pytest.fixture
def member() -> Iterator[Pages]:
    """A member that answers."""
    with Pages() as one:
        yield one


def two_sites(member: Pages, drain: str) -> str:
    """A sorryd.ini with the sites shop (plain and TLS) and blog."""
    listen = "127.0.0.1:0, 127.0.0.1:0 tls"
    shop = configuration([member.url], listen=listen, certificate="self-signed", drain=drain)
    blog = configuration([member.url], site="blog", drain=drain)
    return shop + blog[blog.index("[site") :]


def judge(load: Load, *spans: Span) -> None:
    """Not one request was lost, and each got what `spans`, in which the site is down, say."""
    assert load.faults == []
    wrong = [answer for answer in load.answers if not _is_right(answer, spans)]
    assert wrong == []
    for start, end in spans:
        inside = [a for a in load.answers if start <= a.asked and a.answered < end]
        assert len(inside) > 5, "too few requests to judge by"
    assert sum(answer.is_page for answer in load.answers) > 5 * (len(spans) + 1)


def _is_right(answer: Answer, spans: Sequence[Span]) -> bool:
    if any(start <= answer.asked and answer.answered < end for start, end in spans):
        return not answer.is_page
    if all(answer.answered < start or end <= answer.asked for start, end in spans):
        return answer.is_page
    return True


@BOTH_KINDS
def test_no_request_is_lost_while_windows_open_and_close(tmp_path: Path, member: Pages) -> None:
    """Windows of one site and of all open and close on time, overlapping ones are united, one
    that is prolonged ends later, one that is cancelled never opens; and every request on plain
    and TLS connections gets a whole page or a whole apology."""
    with Daemon(tmp_path, two_sites(member, drain="200ms")) as daemon, contextlib.ExitStack() as on:
        plain = on.enter_context(Load(daemon.port(), rate=150))
        secure = on.enter_context(Load(daemon.port(scheme="https"), tls=True, rate=100))
        blog = on.enter_context(Load(daemon.port("blog"), rate=50, visitors=4))
        base = round(time.time(), 3) + 1.0
        for name, site, start, end in (
            ("one", "shop", 0.0, 0.6),
            ("all", None, 0.4, 1.0),
            ("never", None, 1.1, 3.0),
            ("longer", "shop", 1.4, 1.6),
        ):
            span = {"from": utc(base + start), "until": utc(base + end)}
            daemon.ask("window.schedule", {"id": name, "site": site, **span})
        daemon.ask("window.cancel", {"id": "never"})
        daemon.ask("window.extend", {"id": "longer", "by": "200ms"})
        for load in (plain, secure, blog):
            load.wait_till(base + 2.1)
        on.pop_all().close()
        for load in (plain, secure):
            judge(load, (base, base + 1.0), (base + 1.4, base + 1.8))
        judge(blog, (base + 0.4, base + 1.0))
        # To go down is what the log tells at most twice: the windows that overlap are one.
        assert daemon.log.count("site shop: announced -> draining") == 2


def test_edges_are_seen_without_a_visitor(tmp_path: Path, member: Pages) -> None:
    """A window opens, drains and ends by itself at its time, with nobody there to notice."""
    with Daemon(tmp_path, configuration([member.url], drain="300ms")) as daemon:
        start = round(time.time(), 3) + 0.45
        end = start + 0.65
        named = {"id": "night", "from": utc(start), "until": utc(end)}
        daemon.ask("window.schedule", named)
        daemon.wait_for_log("site shop: announced -> draining .*night")
        assert start <= time.time()
        daemon.wait_for_log("site shop: draining -> down")
        assert start + 0.3 <= time.time()
        daemon.wait_for_log("site shop: down -> live")
        entry = until(lambda: _last_deed(daemon, "window.passed"), "the end in the history")
        noticed = instant(entry["at"]) - end
        # 100 ms are promised, on a machine that is not as busy as that of a test may be.
        assert 0 <= noticed < 0.7


def _last_deed(daemon: Daemon, action: str) -> dict[str, str] | None:
    deeds = daemon.ask("history.list")["entries"]
    return next((deed for deed in reversed(deeds) if deed["action"] == action), None)


@BOTH_KINDS
def test_requests_in_flight_have_the_drain_to_finish(tmp_path: Path, member: Pages) -> None:
    """Who is in flight when the site goes down may finish within the drain; who is not done at
    its end is cut, or gets the apology where nothing was sent yet; and the log tells it."""
    with Daemon(tmp_path, configuration([member.url])) as daemon, contextlib.ExitStack() as on:
        quick, half, held, tunnel, late = (
            on.enter_context(visitor(daemon.port())) for _ in range(5)
        )
        for wire, path in ((quick, b"/held/quick"), (half, b"/half/1"), (held, b"/held/1")):
            wire.send(request(path))
            member.wait_for(path.decode())
        tunnel.send(request(b"/tunnel", b"Connection: upgrade", b"Upgrade: echo"))
        assert tunnel.answer().status == 101
        before = time.time()
        (site,) = daemon.ask("site.down", {"site": "shop", "drain": "1500ms"})
        assert site["phase"] == "draining"
        assert site["members"][0]["active"] == 4
        check_apology(asking(late))
        member.release("/held/quick")
        check_page(quick.answer(), "/held/quick")
        tunnel.send(b"still there")
        assert tunnel.exactly(11) == b"still there"

        check_apology(held.answer())
        assert time.time() >= before + 1.5
        with pytest.raises((CutShort, ConnectionResetError)):
            half.answer()
        assert is_over(tunnel)
        assert time.time() < before + 10.0  # no time-out of another kind
        until(lambda: _cut(daemon) == 3, "what the log tells of those that were cut")
        until(lambda: _active(daemon) == 0, "the member's slots to be free")
        assert daemon.ask("status")["sites"][0]["phase"] == "down"

        daemon.ask("site.up")
        for wire in (quick, held, late):  # all of these connections live on
            check_page(asking(wire, b"/after"), "/after")


def _cut(daemon: Daemon) -> int:
    said = re.findall(r"site shop: (\d+) requests? still in flight at the end of", daemon.log)
    return sum(map(int, said))


def _active(daemon: Daemon) -> int:
    (site,) = daemon.ask("status")["sites"]
    return sum(one["active"] for one in site["members"])


def test_sorryctl_takes_down_and_brings_back(tmp_path: Path, member: Pages) -> None:
    """What sorryctl has said is so for the very next request: of one site, and of all."""
    with Daemon(tmp_path, two_sites(member, drain="0s")) as daemon, contextlib.ExitStack() as on:
        shop = on.enter_context(visitor(daemon.port(scheme="https"), anybody()))
        blog = on.enter_context(visitor(daemon.port("blog")))

        def seen() -> str:
            """What visitors get of shop and blog: the page (1) or the apology (0)."""
            return "".join(str(int(asking(one).status == 200)) for one in (shop, blog))

        def done(*arguments: str) -> str:
            said = daemon.ctl(*arguments)
            assert said.returncode == 0, said.stderr
            return said.stdout.strip()

        assert seen() == "11"
        done("down", "shop")
        assert seen() == "01"
        done("down")
        assert seen() == "00"
        done("up", "shop")
        assert seen() == "10"
        done("up")
        assert seen() == "11"
        done("schedule", "--from", "now", "--for", "1h", "--id", "all")
        done("schedule", "shop", "--from", "now", "--for", "1h", "--id", "one")
        assert seen() == "00"
        done("end", "all")  # the end of one never ends the other
        assert seen() == "01"
        done("extend", "one", "--by", "1h")
        assert seen() == "01"
        done("up")
        assert seen() == "11"
        done("schedule", "--from", "+1h", "--for", "1h", "--id", "later")
        done("schedule", "--from", "now", "--for", "1h", "--id", "later")  # moved to now
        assert seen() == "00"
        done("schedule", "--from", "+1h", "--for", "1h", "--id", "later")  # and back
        assert seen() == "11"
        done("cancel", "later")
        assert "no windows" in done("windows")


def test_pipelined_requests_are_answered_in_order_over_an_edge(
    tmp_path: Path, member: Pages
) -> None:
    """Requests sent ahead of their turn get what is so when their turn comes."""
    with (
        Daemon(tmp_path, configuration([member.url])) as daemon,
        visitor(daemon.port()) as wire,
    ):
        wire.send(request(b"/held/1") + request(b"/2"))
        member.wait_for("/held/1")
        assert json.loads(daemon.ctl("--json", "down").stdout)[0]["phase"] == "draining"
        member.release("/held/1")
        check_page(wire.answer(), "/held/1")
        check_apology(wire.answer())
