"""Active checks: who is taken out of rotation by them, and brought back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.certificates import authority, issue
from tests.end_to_end.daemon import Daemon, configuration
from tests.end_to_end.members import Conversation, Member, server_side, serving
from tests.end_to_end.waiting import until
from tests.end_to_end.wire import Message, answer, ask, many
from tests.end_to_end.workers import ALONE, BOTH_KINDS

QUICK = "interval=0.1s timeout=1s"
HEALTHZ = f"GET /healthz {QUICK} rise=3 fall=2"


class Patient:
    """A member that answers its checks with `status`, and everything else with its name."""

    def __init__(self, name: str) -> None:
        self.name = name.encode()
        self.status = 200

    def __call__(self, conversation: Conversation) -> None:
        serving(self._reply)(conversation)

    def _reply(self, request: Message) -> bytes:
        if request.one("User-Agent") == b"sorryd":
            return answer(b"so so", status=self.status)
        return answer(self.name)


def checks(member: Member) -> list[Message]:
    """The checks that a member has got."""
    return [request for request in member.requests if request.one("User-Agent") == b"sorryd"]


def healths(daemon: Daemon) -> list[str]:
    members = daemon.ask("status")["sites"][0]["members"]
    return [str(member["health"]) for member in members]


def visited(daemon: Daemon, over: Callable[[], bool]) -> None:
    """Visitors come and go until it is `over`, and each of them is answered."""

    def look() -> bool:
        many(daemon.port(), 4)
        return over()

    until(look, "it to be over")


def test_nobody_waits_for_a_check(tmp_path: Path) -> None:
    """Checks and visitors are heard by one poll, the reactor's timers by its own: with two, each
    would wait a moment for more to come, while the other has something to do."""
    with Member(Patient("a")) as a:
        ini = configuration([a.url], check=HEALTHZ, daemon=ALONE)
        with Daemon(tmp_path, ini) as daemon:
            until(lambda: checks(a), "the first check")
            assert daemon.family.polls() == 2


@BOTH_KINDS
def test_a_sick_member_leaves_and_comes_back(tmp_path: Path) -> None:
    """After `fall` checks and `rise` checks; no visitor gets an error."""
    sick = Patient("a")
    with Member(sick) as a, Member(Patient("b")) as b:
        with Daemon(tmp_path, configuration([a.url, b.url], check=HEALTHZ)) as daemon:
            until(lambda: checks(a) and checks(b), "the first checks")
            assert many(daemon.port(), 10) == {b"a": 5, b"b": 5}
            sick.status = 500
            visited(daemon, lambda: healths(daemon) == ["down", "up"])
            daemon.wait_for_log(rf"member {a.url} is down \(check failed 2 times: answered 500\)")
            assert many(daemon.port(), 10) == {b"b": 10}
            sick.status, before = 200, len(checks(a))
            visited(daemon, lambda: healths(daemon) == ["up", "up"])
            assert len(checks(a)) >= before + 3
            daemon.wait_for_log(rf"member {a.url} is back \(check passed 3 times\)")
            assert many(daemon.port(), 10) == {b"a": 5, b"b": 5}
        (first, *_) = checks(a)
        assert first.first == b"GET /healthz HTTP/1.1"
        assert first.one("Host") == a.url.removeprefix("http://").encode()
        assert first.one("Connection") == b"close"


def test_a_recovered_member_starts_slowly(tmp_path: Path) -> None:
    """Its share is a twentieth at first, of what it had at the start of the daemon."""
    sick = Patient("a")
    with Member(sick) as a, Member(Patient("b")) as b:
        ini = configuration([a.url, b.url], check=HEALTHZ, slow_start="1h")
        with Daemon(tmp_path, ini) as daemon:
            until(lambda: checks(a), "the first check")
            assert many(daemon.port(), 42) == {b"a": 21, b"b": 21}
            sick.status = 500
            visited(daemon, lambda: healths(daemon) == ["down", "up"])
            sick.status = 200
            visited(daemon, lambda: healths(daemon) == ["up", "up"])
            assert many(daemon.port(), 42) == {b"a": 2, b"b": 40}


def test_nobody_is_left(tmp_path: Path) -> None:
    """The apology, until the checks say otherwise; no visitor's request is the probe."""
    sick = Patient("a")
    sick.status = 503
    with Member(sick) as a, Daemon(tmp_path, configuration([a.url], check=HEALTHZ)) as daemon:
        daemon.wait_for_log("no member is up")
        for _ in range(3):
            reply = ask(daemon.port())
            assert (reply.status, reply.one("Sorry-Cause")) == (503, b"members")
        assert a.requests == checks(a)
        site = daemon.ask("status")["sites"][0]
        assert (site["phase"], site["cause"]) == ("live", "members")
        sick.status = 200
        daemon.wait_for_log("a member is up again")
        daemon.settle()
        assert ask(daemon.port()).body == b"a"


def test_bad_requests_take_down_no_site(tmp_path: Path) -> None:
    """The last member goes on while its checks pass, however its answers break."""

    def breaks(conversation: Conversation) -> None:
        while (request := conversation.request()) is not None and request.target != b"/bad":
            conversation.send(answer(b"good"))

    with (
        Member(breaks) as member,
        Daemon(tmp_path, configuration([member.url], check=HEALTHZ)) as daemon,
    ):
        until(lambda: checks(member), "the first check")
        for _ in range(5):
            assert ask(daemon.port(), b"/bad").status == 502
            assert ask(daemon.port()).body == b"good"
        assert healths(daemon) == ["up"]


def test_maintenance_is_not_checked(tmp_path: Path) -> None:
    """The checks of a member in drain go on; out of maintenance they begin anew."""
    with Member(Patient("a")) as a, Member(Patient("b")) as b, Member(Patient("c")) as c:
        urls = [a.url, b.url, c.url]
        with Daemon(tmp_path, configuration(urls, check=HEALTHZ)) as daemon:

            def rounds(members: list[Member]) -> list[int]:
                """What each got while `members` got three checks more."""
                before = [len(checks(one)) for one in (a, b, c)]
                wanted = {id(one): len(checks(one)) + 3 for one in members}
                until(lambda: all(len(checks(m)) >= wanted[id(m)] for m in members), "checks")
                return [len(checks(m)) - n for m, n in zip((a, b, c), before, strict=True)]

            rounds([a, b, c])
            assert daemon.ctl("maint", a.url).returncode == 0
            assert daemon.ctl("drain", b.url).returncode == 0
            rounds([c])  # what was under way when it was said is over by now
            assert rounds([b, c])[0] == 0
            assert daemon.ctl("ready", a.url).returncode == 0
            rounds([a, b, c])
            assert many(daemon.port(), 4) == {b"a": 2, b"c": 2}


def test_a_check_is_no_request_in_flight(tmp_path: Path) -> None:
    """It is never counted as one, so that nobody waits for it."""

    def silent(conversation: Conversation) -> None:
        conversation.request()
        conversation.until_end()

    with Member(silent) as member:
        ini = configuration([member.url], check="GET /healthz timeout=60s interval=0.1s")
        with Daemon(tmp_path, ini) as daemon:
            until(lambda: member.requests, "the check")
            (one,) = daemon.ask("status")["sites"][0]["members"]
            assert (one["active"], one["health"]) == (0, "up")
            assert member.connections == 1


def test_tcp(tmp_path: Path) -> None:
    """Who can be connected to is well, and is asked nothing."""
    a = Member(Patient("a"))
    with Member(Patient("b")) as b:
        ini = configuration([a.url, b.url], check=f"tcp {QUICK} rise=2 fall=1")
        with Daemon(tmp_path, ini) as daemon:
            until(lambda: a.connections > 2 and b.connections > 2, "some checks")
            assert (a.requests, b.requests) == ([], [])
            a.close()
            daemon.wait_for_log(rf"{a.url} is down \(check failed: connection refused\)")
            assert many(daemon.port(), 10) == {b"b": 10}
            with Member(Patient("a"), port=a.port):
                daemon.wait_for_log(rf"{a.url} is back \(check passed 2 times\)")
                assert many(daemon.port(), 10) == {b"a": 5, b"b": 5}


@pytest.mark.parametrize("check", [f"GET /healthz {QUICK}", f"tcp {QUICK}"], ids=["http", "tcp"])
def test_tls(tmp_path: Path, check: str) -> None:
    """A member with https:// is checked over TLS, and must be who it should be."""
    root = authority()
    (tmp_path / "root.pem").write_bytes(root.pem)
    right = server_side(tmp_path, *issue(root, ["app.internal"]))
    wrong = server_side(tmp_path, *issue(root, ["other.internal"]))
    with Member(Patient("a"), tls=right) as a, Member(Patient("b"), tls=wrong) as b:
        urls = [f"{one.url} ca=root.pem name=app.internal" for one in (a, b)]
        with Daemon(tmp_path, configuration(urls, check=check)) as daemon:
            daemon.wait_for_log(
                rf"{b.url} is down \(check failed: its certificate is for other.internal"
            )
            until(lambda: a.connections > 2, "some checks")
            assert healths(daemon) == ["up", "down"]
            assert bool(checks(a)) is check.startswith("GET")
            assert checks(b) == []


def test_reload(tmp_path: Path) -> None:
    """Another check takes effect; what the old one knew is still known."""
    with Member(Patient("a")) as a, Member(Patient("b")) as b:
        ini = configuration([a.url, b.url], check=HEALTHZ)
        with Daemon(tmp_path, ini) as daemon:
            until(lambda: checks(a) and checks(b), "the first checks")
            daemon.config.write_text(ini.replace("/healthz", "/up"))
            assert daemon.ctl("reload").returncode == 0
            until(lambda: checks(a)[-1].target == b"/up", "the new check")
            assert healths(daemon) == ["up", "up"]
            daemon.config.write_text(configuration([a.url], check=HEALTHZ))
            assert daemon.ctl("reload").returncode == 0
            until(lambda: checks(a)[-1].target == b"/healthz", "the old check")
            before = len(checks(b))
            until(lambda: checks(a)[-3].target == b"/healthz", "more of them")
            assert len(checks(b)) == before
