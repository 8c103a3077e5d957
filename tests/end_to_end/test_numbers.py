"""What a real sorryd counts of real traffic, and where it tells it."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.admin.views import Series, labelled, of, parsed
from tests.end_to_end.daemon import NOBODY, Daemon, configuration
from tests.end_to_end.members import Conversation, Member, serving
from tests.end_to_end.waiting import until
from tests.end_to_end.wire import Message, answer, ask, request, visitor

STATUSES = {b"/found": 200, b"/moved": 302, b"/missing": 404, b"/broken": 500}
COUNTS = {b"/found": 20, b"/moved": 3, b"/missing": 5, b"/broken": 2}

WORKERS = pytest.mark.parametrize("workers", [0, 2])


def free() -> str:
    """An address that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


def reply(asked: Message) -> bytes:
    """As the path wants it."""
    return answer(b"x" * 1000, status=STATUSES[asked.target])


def waits(conversation: Conversation) -> None:
    """Reads, and says nothing."""
    conversation.until_end()


def ini(members: list[str], admin: str, workers: int = 0) -> str:
    """A configuration with an admin listener."""
    daemon = f"workers = {workers}\n" + (f"admin = {admin}\n" if admin else "")
    return configuration(members, daemon=daemon)


def get(address: str, path: str, method: str = "GET") -> tuple[int, bytes]:
    """What is answered there."""
    host, _, port = address.partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=30)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def scraped(address: str) -> Series:
    """The metrics of now."""
    status, text = get(address, "/metrics")
    assert status == 200
    return parsed(text)


def requests(series: Series, **wanted: str) -> float:
    """How many were counted with these labels."""
    name = "sorryd_requests_total"
    found = [one for one in labelled(series, name) if wanted.items() <= one.items()]
    return sum(of(series, name, **one) or 0 for one in found)


def scrape_until(address: str, holds: Callable[[Series], bool], what: str) -> Series:
    """The metrics of the moment at which they are so."""

    def look() -> Series | None:
        series = scraped(address)
        return series if holds(series) else None

    return until(look, what)


@WORKERS
def test_every_request_is_counted(tmp_path: Path, workers: int) -> None:
    """As many as were sent, by class and member; by durations as many as by codes."""
    admin = free()
    with Member(serving(reply)) as a, Member(serving(reply)) as b:
        urls = [a.url, b.url]
        with Daemon(tmp_path, ini(urls, admin, workers)) as daemon:
            for path, count in COUNTS.items():
                for _ in range(count):
                    assert ask(daemon.port(), path).status == STATUSES[path]
            daemon.ctl("down", "--drain", "0s")
            for _ in range(7):
                assert ask(daemon.port(), b"/found").status == 503
            total = sum(COUNTS.values()) + 7
            series = scrape_until(admin, lambda s: requests(s) == total, "all requests")
            asked = {one.url: len(one.requests) for one in (a, b)}
            for path, status in STATUSES.items():
                code = f"{status // 100}xx"
                assert requests(series, code=code, phase="live") == COUNTS[path]
            for url in urls:
                assert requests(series, member=url) == asked[url]
                labels = {"site": "shop", "member": url}
                timed = of(series, "sorryd_request_duration_seconds_count", **labels)
                assert timed == asked[url]
                sent = of(series, "sorryd_sent_bytes_total", **labels) or 0
                assert 1000 * asked[url] < sent < 1500 * asked[url]
            assert requests(series, member="", phase="down", code="5xx") == 7
            assert of(series, "sorryd_apologies_total", site="shop", cause="manual") == 7
            assert of(series, "sorryd_connections_accepted_total", site="shop") == total
            assert of(series, "sorryd_site_phase", site="shop", phase="down") == 1
            counted = daemon.ask("numbers.get")
            assert counted["workers"] == workers
            (site,) = counted["sites"]
            assert sum(site["itself"]["codes"].values()) == 7
            codes = [one["answered"]["codes"] for one in site["members"]]
            assert sum(one["2xx"] for one in codes) == COUNTS[b"/found"]


@WORKERS
def test_what_is_so_now(tmp_path: Path, workers: int) -> None:
    """Connections, requests in flight and kept connections go up, and down again."""
    admin = free()
    with (
        Member(serving(lambda _: answer(b"hello"))) as member,
        Daemon(tmp_path, ini([member.url], admin, workers)) as daemon,
    ):
        labels = {"site": "shop", "member": member.url}
        with visitor(daemon.port()) as wire:
            wire.send(request(b"/"))
            scrape_until(
                admin, lambda s: of(s, "sorryd_connections", site="shop") == 1, "a connection"
            )
            assert wire.answer().status == 200
            scrape_until(
                admin,
                lambda s: of(s, "sorryd_member_connections_idle", **labels) == 1,
                "a kept one",
            )
        series = scrape_until(
            admin, lambda s: of(s, "sorryd_connections", site="shop") == 0, "nobody"
        )
        assert of(series, "sorryd_member_requests_in_flight", **labels) == 0


def test_a_worker_that_is_killed(tmp_path: Path) -> None:
    """What it had counted stays, but for its last second; and that it died is told."""
    admin = free()
    with (
        Member(serving(reply)) as member,
        Daemon(tmp_path, ini([member.url], admin, 1)) as daemon,
    ):
        for _ in range(5):
            ask(daemon.port(), b"/found")
        scrape_until(admin, lambda s: requests(s) == 5, "five requests")
        (worker,) = daemon.ask("status")["workers"]
        os.kill(worker["pid"], signal.SIGKILL)
        series = scrape_until(
            admin,
            lambda s: (
                of(s, "sorryd_worker_restarts_total", worker="1") == 1
                and of(s, "sorryd_worker_up", worker="1") == 1
            ),
            "another worker",
        )
        assert requests(series) == 5
        ask(daemon.port(), b"/found")
        scrape_until(admin, lambda s: requests(s) == 6, "six requests")


@pytest.mark.parametrize("change", [(0, 2), (2, 0), (2, 1)], ids=str)
def test_reload_keeps_counters(tmp_path: Path, change: tuple[int, int]) -> None:
    """Whatever processes a reload ends, what they had counted stays; of what is gone nothing."""
    admin = free()
    before, after = change
    with (
        Member(serving(reply)) as member,
        Daemon(tmp_path, ini([f"{member.url} retry=0", NOBODY], admin, before)) as daemon,
    ):
        for _ in range(10):
            ask(daemon.port(), b"/found")
        scrape_until(admin, lambda s: requests(s) == 10, "ten requests")
        daemon.config.write_text(ini([member.url], admin, after))
        assert daemon.ctl("reload").returncode == 0
        ask(daemon.port(), b"/found")
        series = scrape_until(
            admin, lambda s: requests(s, member=member.url) == 11, "eleven requests"
        )
        assert not any(
            one["member"] == NOBODY for one in labelled(series, "sorryd_sent_bytes_total")
        )


def test_moved_by_a_reload(tmp_path: Path) -> None:
    """To another address, to none, and back; one that is taken refuses the reload."""
    first, second = free(), free()
    with Daemon(tmp_path, ini([NOBODY], first)) as daemon:
        assert get(first, "/ready") == (200, b"ready\n")
        daemon.config.write_text(ini([NOBODY], second))
        done = daemon.ctl("reload")
        assert (done.returncode, "admin" in done.stdout) == (0, True)
        assert get(second, "/ready")[0] == 200
        with pytest.raises(ConnectionRefusedError):
            get(first, "/ready")
        with socket.create_server(("127.0.0.1", 0)) as taken:
            host, port = taken.getsockname()
            daemon.config.write_text(ini([NOBODY], f"{host}:{port}"))
            refused = daemon.ctl("reload")
            assert refused.returncode == 1
            assert re.search(r"nothing was changed: admin: .*already in use", refused.stderr)
        assert get(second, "/ready")[0] == 200
        daemon.config.write_text(ini([NOBODY], ""))
        assert daemon.ctl("reload").returncode == 0
        with pytest.raises(ConnectionRefusedError):
            get(second, "/ready")


def test_taken_at_the_start(tmp_path: Path) -> None:
    """sorryd says in one line that it can't start, and whose fault it is."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        host, port = taken.getsockname()
        daemon = Daemon(tmp_path, ini([NOBODY], f"{host}:{port}"))
        daemon.launch()
        assert daemon.wait() == 1
        daemon.wait_for_log(r"sorryd can't start: admin: 127\.0\.0\.1:\d+: address already in use")


@WORKERS
def test_not_ready_while_it_stops(tmp_path: Path, workers: int) -> None:
    """A balancer in front hears 503 as long as requests in flight are finished."""
    admin = free()
    with (
        Member(waits) as member,
        Daemon(tmp_path, ini([member.url], admin, workers)) as daemon,
    ):
        assert get(admin, "/ready") == (200, b"ready\n")
        with visitor(daemon.port()) as wire:
            wire.send(request(b"/"))
            until(lambda: member.connections, "the request")
            daemon.signal(signal.SIGTERM)
            until(lambda: get(admin, "/ready")[0] == 503, "not ready")
            assert get(admin, "/metrics")[0] == 200
            daemon.signal(signal.SIGTERM)
