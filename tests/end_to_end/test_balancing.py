"""Which member is asked: weights, failures, rests, trials and the standby."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.end_to_end.daemon import Daemon, configuration
from tests.end_to_end.members import Conversation, Member, MemberProcess, saying
from tests.end_to_end.waiting import PATIENCE, until
from tests.end_to_end.wire import answer, ask, many, request, visitor
from tests.end_to_end.workers import BOTH_KINDS


def test_weights_are_exact(tmp_path: Path) -> None:
    """Weights 3 and 1 make 300 and 100 of 400, and 3 and 1 of any four in a row."""
    with (
        Member(saying(b"three")) as three,
        Member(saying(b"one")) as one,
        Daemon(tmp_path, configuration([f"{three.url} weight=3", one.url])) as daemon,
    ):
        port = daemon.port()
        for _ in range(5):
            assert many(port, 4) == {b"three": 3, b"one": 1}
        assert many(port, 400) == {b"three": 300, b"one": 100}
        with ThreadPoolExecutor(16) as pool:
            counts = sum(pool.map(lambda _: many(port, 25), range(16)), Counter[bytes]())
        assert counts == {b"three": 300, b"one": 100}


class Load:
    """Visitors that ask without a pause, each on one connection, and count who answered."""

    def __init__(self, port: int, visitors: int = 4) -> None:
        self.answers: list[tuple[float, bytes]] = []  # when, and by whom
        self.faults: list[str] = []
        self._port = port
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._visit) for _ in range(visitors)]

    def _visit(self) -> None:
        try:
            with visitor(self._port) as wire:
                while not self._over.is_set():
                    wire.send(request())
                    reply = wire.answer()
                    if reply.status != 200:
                        self.faults.append(repr(reply))
                    self.answers.append((time.monotonic(), reply.body))
        except Exception as why:
            self.faults.append(repr(why))

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, name: bytes, since: float) -> float:
        """When `name` first answered after `since`."""

        def look() -> float | None:
            return next((at for at, by in tuple(self.answers) if at > since and by == name), None)

        return until(look, f"an answer by {name!r}")


def test_a_killed_member_costs_no_visitor_an_error(tmp_path: Path) -> None:
    """kill -9 under load: the other one serves; it rests, is tried again, and is back."""
    retry = 1.0
    with MemberProcess("a") as a, MemberProcess("b") as b:
        members = [f"{a.url} retry={retry:g}", b.url]
        with Daemon(tmp_path, configuration(members)) as daemon:
            with Load(daemon.port()) as load:
                load.wait_for(b"a", 0)
                killed = time.monotonic()
                a.kill()
                daemon.wait_for_log(rf"member {a.url} failed \(.*\); it rests for 1s")
                failed = time.monotonic()
                a.start()
                back = load.wait_for(b"a", failed)
                daemon.wait_for_log(f"member {a.url} is back")
                load.wait_for(b"a", back)
            assert load.faults == []
            assert back - killed > retry
            assert many(daemon.port(), 10) == {b"a": 5, b"b": 5}


def test_a_request_that_was_not_sent_goes_to_the_next_member(tmp_path: Path) -> None:
    """Even a POST, where the first member refuses the connection."""
    with Member(saying(b"a")) as a, Member(saying(b"b")) as b:
        a.close()
        with Daemon(tmp_path, configuration([a.url, b.url])) as daemon, visitor(daemon.port()) as w:
            w.send(request(method=b"POST", body=b"pay"))
            assert w.answer().body == b"b"
            assert [seen.body for seen in b.requests] == [b"pay"]


def test_only_this_request_failed(tmp_path: Path) -> None:
    """Where other members are left, a POST that may not be sent again is answered 502."""

    def cut(conversation: Conversation) -> None:
        conversation.request()

    with (
        Member(cut) as bad,
        Member(saying(b"good")) as good,
        Daemon(tmp_path, configuration([bad.url, good.url])) as daemon,
        visitor(daemon.port()) as wire,
    ):
        wire.send(request(method=b"POST", body=b"pay"))
        reply = wire.answer()
        assert (reply.status, reply.one("Sorry-Cause")) == (502, b"members")
        wire.send(request(method=b"POST", body=b"pay"))
        assert wire.answer().body == b"good"


def test_a_member_that_does_not_answer_is_504(tmp_path: Path) -> None:
    """It is not asked again elsewhere: that would double the load that it suffers from."""

    def silent(conversation: Conversation) -> None:
        conversation.request()
        conversation.until_end()

    with (
        Member(silent) as slow,
        Member(saying(b"good")) as good,
        Daemon(tmp_path, configuration([slow.url, good.url], timeout_answer="0.5s")) as daemon,
    ):
        reply = ask(daemon.port())
        assert (reply.status, reply.one("Sorry-Cause")) == (504, b"members")
        assert good.requests == []


@BOTH_KINDS
def test_a_member_on_trial_gets_one_request_at_a_time(tmp_path: Path) -> None:
    """Until it answers; everybody else is served by the other member."""
    answering = threading.Event()
    asked = threading.Semaphore(0)

    def hesitant(conversation: Conversation) -> None:
        while conversation.request() is not None:
            asked.release()
            answering.wait(PATIENCE)
            conversation.send(answer(b"a"))

    a = Member(saying(b"a"))
    a.close()
    with Member(saying(b"b")) as b:
        members = [f"{a.url} retry=0.3", b.url]
        with Daemon(tmp_path, configuration(members)) as daemon:
            port = daemon.port()
            assert many(port, 4) == {b"b": 4}
            with Member(hesitant, port=a.port) as back, ThreadPoolExecutor(20) as pool:
                until(lambda: _health(daemon, a.url) == "trial", "the trial")
                asking = [pool.submit(many, port, 1) for _ in range(20)]
                assert asked.acquire(timeout=PATIENCE)
                until(lambda: sum(each.done() for each in asking) == 19, "the other answers")
                assert many(port, 10) == {b"b": 10}
                assert len(back.requests) == 1
                answering.set()
                answers = sum((each.result() for each in asking), Counter[bytes]())
                assert answers == {b"a": 1, b"b": 19}
                until(lambda: _health(daemon, a.url) == "up", "the end of the trial")
                assert many(port, 40) == {b"a": 20, b"b": 20}


def _health(daemon: Daemon, url: str) -> str:
    members = daemon.ask("status")["sites"][0]["members"]
    return next(str(member["health"]) for member in members if member["url"] == url)


def test_the_standby_serves_only_while_no_other_does(tmp_path: Path) -> None:
    """It takes over without an error, and is left at once when a member is back."""
    a = Member(saying(b"a"))
    with Member(saying(b"standby")) as standby:
        members = [f"{a.url} retry=0.5", f"{standby.url} standby"]
        with Daemon(tmp_path, configuration(members)) as daemon:
            port = daemon.port()
            assert many(port, 20) == {b"a": 20}
            a.close()
            assert many(port, 20) == {b"standby": 20}
            with Member(saying(b"a"), port=a.port), visitor(port) as wire:
                replies: list[bytes] = []
                while not replies or replies[-1] != b"a":
                    wire.send(request())
                    replies.append(wire.answer().body)
                assert set(replies[:-1]) <= {b"standby"}
                assert many(port, 20) == {b"a": 20}
            assert many(port, 20) == {b"standby": 20}


@BOTH_KINDS
def test_no_member_is_left(tmp_path: Path) -> None:
    """Everybody gets the apology, unplanned as it is, until a member is back."""
    a, b = Member(saying(b"a")), Member(saying(b"b"))
    a.close()
    b.close()
    with Daemon(tmp_path, configuration([f"{a.url} retry=0.5", f"{b.url} standby"])) as daemon:
        port = daemon.port()
        for _ in range(3):
            reply = ask(port, b"/any/path")
            assert (reply.status, reply.one("Sorry-Cause")) == (503, b"members")
            assert reply.one("Retry-After") == b"30"
        site = daemon.ask("status")["sites"][0]
        assert (site["phase"], site["cause"]) == ("live", "members")
        with Member(saying(b"a"), port=a.port):
            until(lambda: ask(port).status == 200, "the member to be back")
            assert many(port, 10) == {b"a": 10}
