"""Several workers are one daemon to its members, and to the visitors who come to another one."""

from __future__ import annotations

import contextlib
import itertools
import select
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.end_to_end.daemon import Daemon, configuration
from tests.end_to_end.holding import Holding, crowd
from tests.end_to_end.members import Conversation, Member, saying
from tests.end_to_end.waiting import until
from tests.end_to_end.wire import Message, Wire, many, one, request
from tests.end_to_end.workers import one_at_each

NAMES = (b"a", b"b", b"c")
TWO = "workers = 2"


@contextlib.contextmanager
def three(folder: Path, *more: str, **keys: object) -> Iterator[tuple[Daemon, list[Member]]]:
    """A daemon with two workers and three members, each with `more` in the file."""
    with contextlib.ExitStack() as open_:
        members = [open_.enter_context(Member(saying(name))) for name in NAMES]
        lines = itertools.zip_longest((one.url for one in members), more, fillvalue="")
        ini = configuration([f"{url} {words}" for url, words in lines], daemon=TWO, **keys)  # type: ignore[arg-type]  # listen is a str
        yield open_.enter_context(Daemon(folder, ini)), members


def test_round_robin(tmp_path: Path) -> None:
    """Weights are exact at each worker, and within 1 % in all whoever comes to which."""
    with three(tmp_path, "weight=3") as (daemon, _):
        port = daemon.port()
        with one_at_each(daemon, port) as wires:
            for wire, turn in itertools.product(wires, range(4)):
                got = Counter(one(wire) for _ in range(5))
                assert got == {b"a": 3, b"b": 1, b"c": 1}, turn
        with ThreadPoolExecutor(20) as pool:
            counts = sum(pool.map(lambda _: many(port, 50), range(20)), Counter[bytes]())
        for name, share in ((b"a", 600), (b"b", 200), (b"c", 200)):
            assert abs(counts[name] - share) <= 10, counts


def test_a_members_limit_is_for_all_workers_together(tmp_path: Path) -> None:
    """It never has more than its max_connections at once; the others wait, and are answered."""
    with Holding(b"one") as holding:
        members = [f"{holding.member.url} max_connections=5"]
        with Daemon(tmp_path, configuration(members, daemon=TWO)) as daemon:
            with one_at_each_holding(daemon, holding) as wires:
                until(lambda: holding.in_flight == len(wires), "both to be asked")
                assert active(daemon) == 2
                with crowd(daemon.port(), 20) as asking:
                    holding.answering.release(100)
                    assert [each.result().body for each in asking] == 20 * [b"one"]
                for wire in wires:
                    assert wire.answer().body == b"one"
            assert holding.most <= 5
            until(lambda: active(daemon) == 0, "none in flight")


@contextlib.contextmanager
def one_at_each_holding(daemon: Daemon, holding: Holding) -> Iterator[Sequence[Wire]]:
    """A request at each worker that the member has not answered."""
    holding.answering.release(2)  # those by which the workers are told apart
    with one_at_each(daemon, daemon.port()) as wires:
        for wire in wires:
            wire.send(request())
        yield wires


def active(daemon: Daemon) -> int:
    """Requests in flight at the first member, as status says."""
    return int(daemon.ask("status")["sites"][0]["members"][0]["active"])


def ask(wire: Wire, *lines: bytes, method: bytes = b"GET", target: bytes = b"/") -> Message:
    """One request, and its answer."""
    wire.send(request(target, *lines, method=method, body=b"pay" if method == b"POST" else None))
    return wire.answer()


@pytest.mark.parametrize("first", [0, 1])
def test_cookies_and_links_are_good_at_each_worker(tmp_path: Path, first: int) -> None:
    """Who got a sticky cookie, or came past the page, at one worker, is known at the other."""
    with (
        three(tmp_path, balance="sticky") as (daemon, _),
        one_at_each(daemon, daemon.port()) as wires,
    ):
        here, there = wires[first], wires[1 - first]
        reply = ask(here)
        cookie = _cookie(reply)
        assert {ask(there, cookie).body for _ in range(4)} == {reply.body}
        daemon.ask("site.down", {"site": "shop"})
        link = daemon.ask("site.bypass", {"site": "shop"})["path"].encode()
        passed = _cookie(ask(here, target=link))
        assert [ask(wire, passed).status for wire in wires] == [200, 200]
        assert [ask(wire).status for wire in wires] == [503, 503]
        assert ask(there, target=link).status == 302


def _cookie(reply: Message) -> bytes:
    value = reply.all("Set-Cookie")[0]
    return b"Cookie: " + value.partition(b";")[0]


def test_least_conn(tmp_path: Path) -> None:
    """At each worker, a member that still has a request gets none while another has none."""
    with Holding(b"slow") as slow, Member(saying(b"quick")) as quick:
        slow.answering.release(100)
        ini = configuration([slow.member.url, quick.url], balance="least_conn", daemon=TWO)
        with Daemon(tmp_path, ini) as daemon, one_at_each(daemon, daemon.port(), 2) as wires:
            while slow.answering.acquire(blocking=False):
                pass
            for number, (busy, other) in enumerate(zip(wires[::2], wires[1::2], strict=True), 1):
                while not _is_held(busy, slow, number):
                    assert busy.answer().body == b"quick"
                assert [one(other) for _ in range(5)] == 5 * [b"quick"]
            slow.answering.release(2)


def _is_held(wire: Wire, slow: Holding, number: int) -> bool:
    """Ask; whether it is the request of that number that the slow member has."""
    wire.send(request())
    until(lambda: slow.in_flight == number or select.select([wire.socket], [], [], 0)[0], "it")
    return slow.in_flight == number


def test_what_one_worker_learns_holds_for_all(tmp_path: Path) -> None:
    """A member that failed at one worker rests for the other too, which does not ask it."""

    def cut(conversation: Conversation) -> None:
        conversation.request()

    with (
        Member(cut) as bad,
        Member(saying(b"good")) as good,
        Daemon(tmp_path, configuration([f"{bad.url} retry=60", good.url], daemon=TWO)) as daemon,
        one_at_each(daemon, daemon.port()) as wires,  # which goes on to the good one, being GET
    ):
        until(lambda: health(daemon) == "resting", "the rest")
        asked = len(bad.requests)
        assert [ask(wire, method=b"POST").body for wire in 4 * wires] == 8 * [b"good"]
        assert len(bad.requests) == asked


def health(daemon: Daemon) -> str:
    """Of the first member."""
    return str(daemon.ask("status")["sites"][0]["members"][0]["health"])
