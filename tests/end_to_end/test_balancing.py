"""Which member is asked: weights, failures, rests, trials, the standby and the operator's word."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.end_to_end.daemon import Daemon, configuration
from tests.end_to_end.members import Conversation, Member, MemberProcess, saying
from tests.end_to_end.waiting import PATIENCE, until
from tests.end_to_end.wire import Wire, answer, ask, request, visitor


def many(port: int, count: int) -> Counter[bytes]:
    """Who answered `count` requests, one after the other on one connection."""
    with visitor(port) as wire:
        return Counter(one(wire) for _ in range(count))


def one(wire: Wire) -> bytes:
    """Who answered one request."""
    wire.send(request())
    reply = wire.answer()
    assert reply.status == 200, reply
    return reply.body


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
                a.kill()
                daemon.wait_for_log(rf"member {a.url} failed \(.*\); it rests for 1s")
                failed = time.monotonic()
                a.start()
                back = load.wait_for(b"a", failed)
                daemon.wait_for_log(f"member {a.url} is back")
                load.wait_for(b"a", back)
            assert load.faults == []
            assert back - failed > retry - 0.1
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


# --- the operator's word ----------------------------------------------------------------------


def test_states_and_weights_take_effect_at_once(tmp_path: Path) -> None:
    """drain, maint, ready and weight, by sorryctl, without a restart."""
    with (
        Member(saying(b"a")) as a,
        Member(saying(b"b")) as b,
        Daemon(tmp_path, configuration([a.url, b.url])) as daemon,
    ):
        port = daemon.port()

        def told(*words: str) -> Counter[bytes]:
            done = daemon.ctl(*words)
            assert done.returncode == 0, done.stderr
            return many(port, 20)

        assert many(port, 20) == {b"a": 10, b"b": 10}
        assert told("drain", a.url) == {b"b": 20}
        assert told("ready", a.url) == {b"a": 10, b"b": 10}
        assert told("maint", f"shop/{a.url}") == {b"b": 20}
        assert told("ready", a.url) == {b"a": 10, b"b": 10}
        assert told("weight", b.url, "4") == {b"a": 4, b"b": 16}
        assert told("weight", a.url, "0") == {b"b": 20}
        assert told("members", "--json") == {b"b": 20}
        daemon.wait_for_log(f"member.set shop {a.url} maint")
        daemon.wait_for_log(f"member.set shop {b.url} ready with weight 4")


def test_no_member_may_be_asked(tmp_path: Path) -> None:
    """All in maint: the apology, with members as its cause; ready ends it."""
    with Member(saying(b"a")) as a, Daemon(tmp_path, configuration([a.url])) as daemon:
        port = daemon.port()
        assert daemon.ctl("maint", a.url).returncode == 0
        reply = ask(port)
        assert (reply.status, reply.one("Sorry-Cause")) == (503, b"members")
        assert daemon.ctl("ready", a.url).returncode == 0
        assert many(port, 3) == {b"a": 3}


def test_what_the_operator_said_outlives_a_crash(tmp_path: Path) -> None:
    """kill -9, and the next start knows the states and weights that were set."""
    with Member(saying(b"a")) as a, Member(saying(b"b")) as b:
        daemon = Daemon(tmp_path, configuration([a.url, b.url]))
        daemon.start()
        daemon.ctl("weight", a.url, "3")
        daemon.kill()
        with daemon:
            assert many(daemon.port(), 40) == {b"a": 30, b"b": 10}
            daemon.ctl("drain", a.url)
            assert many(daemon.port(), 10) == {b"b": 10}


def test_requests_in_flight_stay_when_their_member_is_drained(tmp_path: Path) -> None:
    """drain lets a request finish where it is; status shows it until then."""
    release = threading.Event()

    def slow(conversation: Conversation) -> None:
        while conversation.request() is not None:
            release.wait(PATIENCE)
            conversation.send(answer(b"slow"))

    with (
        Member(slow) as a,
        Daemon(tmp_path, configuration([a.url])) as daemon,
        visitor(daemon.port()) as wire,
    ):
        wire.send(request())
        until(lambda: a.requests, "the request at its member")
        daemon.ctl("drain", a.url)
        (member,) = daemon.ask("status")["sites"][0]["members"]
        assert (member["state"], member["active"]) == ("drain", 1)
        release.set()
        assert wire.answer().body == b"slow"
        (member,) = daemon.ask("status")["sites"][0]["members"]
        assert member["active"] == 0


@pytest.mark.parametrize(
    ("words", "code"),
    [
        pytest.param(("drain", "http://127.0.0.1:1"), 1, id="no such member"),
        pytest.param(("weight", "{url}", "257"), 2, id="too heavy"),
        pytest.param(("weight", "{url}", "-1"), 2, id="negative"),
    ],
)
def test_a_wrong_word_changes_nothing(tmp_path: Path, words: tuple[str, ...], code: int) -> None:
    """It is refused in one line, with the exit code that scripts hold on to."""
    with Member(saying(b"a")) as a, Daemon(tmp_path, configuration([a.url])) as daemon:
        done = daemon.ctl(*(word.format(url=a.url) for word in words))
        assert done.returncode == code, done
        assert done.stderr
        assert "Traceback" not in done.stderr
        assert many(daemon.port(), 2) == {b"a": 2}
