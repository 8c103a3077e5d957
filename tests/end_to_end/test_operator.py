"""What an operator says of members by sorryctl is done at once, and remembered."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.end_to_end.daemon import NOBODY, Daemon, configuration
from tests.end_to_end.members import Conversation, Member, saying
from tests.end_to_end.waiting import PATIENCE, until
from tests.end_to_end.wire import answer, ask, many, request, visitor


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


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Daemon, str]]:
    """A daemon and the URL of its only member."""
    with Daemon(tmp_path_factory.mktemp("alone"), configuration([NOBODY])) as daemon:
        yield daemon, NOBODY


@pytest.mark.parametrize(
    ("words", "code"),
    [
        pytest.param(("drain", "http://127.0.0.1:1"), 1, id="no such member"),
        pytest.param(("weight", "{url}", "257"), 2, id="too heavy"),
        pytest.param(("weight", "{url}", "-1"), 2, id="negative"),
    ],
)
def test_a_wrong_word_changes_nothing(
    alone: tuple[Daemon, str], words: tuple[str, ...], code: int
) -> None:
    """It is refused in one line, with the exit code that scripts hold on to."""
    daemon, url = alone
    before = daemon.ask("status")["sites"][0]["members"]
    done = daemon.ctl(*(word.format(url=url) for word in words))
    assert done.returncode == code, done
    assert done.stderr
    assert "Traceback" not in done.stderr
    assert daemon.ask("status")["sites"][0]["members"] == before
