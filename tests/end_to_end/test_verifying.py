"""Windows at whose end the members are not well: real members that die and come back."""

from __future__ import annotations

import time
from pathlib import Path

from tests.end_to_end.daemon import Daemon, configuration
from tests.end_to_end.load import utc
from tests.end_to_end.members import Member, MemberProcess, serving
from tests.end_to_end.waiting import until
from tests.end_to_end.wire import Message, answer, ask


def plan(daemon: Daemon, seconds: float, **fields: str) -> None:
    """A window from now on, for so many seconds."""
    start = time.time()
    span = {"from": utc(start), "until": utc(start + seconds)}
    daemon.ask("window.schedule", {"id": "night", "site": "shop", **span, **fields})


def phase(daemon: Daemon) -> str:
    return str(daemon.ask("status")["sites"][0]["phase"])


def health(daemon: Daemon) -> str:
    return str(daemon.ask("status")["sites"][0]["members"][0]["health"])


def test_members_that_come_back(tmp_path: Path) -> None:
    """Without a check: the site stays with its apology until each member takes connections, over
    a kill -9 of the daemon too; then it opens by itself, and no visitor has met a dead member."""
    ini = {"drain": "0s", "retry_after": "7s"}
    with (
        MemberProcess("a") as a,
        MemberProcess("b") as b,
        Daemon(tmp_path, configuration([a.url, b.url], **ini)) as daemon,
    ):
        plan(daemon, 0.5, until_healthy="1h")
        a.kill()
        daemon.wait_for_log("site shop: down -> verifying")
        got = ask(daemon.port())
        assert (got.status, got.one("Sorry-Cause")) == (503, b"window")
        assert got.one("Retry-After") == b"7"
        daemon.kill()
        daemon.start()
        assert phase(daemon) == "verifying"
        assert ask(daemon.port()).status == 503
        a.start()
        daemon.wait_for_log(r"site shop: verifying -> live \(verified\)")
        daemon.settle()
        assert {ask(daemon.port()).body for _ in range(4)} == {b"a", b"b"}
        deeds = daemon.ask("history.list")["entries"]
        assert "window.verified" in {one["action"] for one in deeds if one["window"] == "night"}
        assert daemon.ask("window.get", {"id": "night"})["phase"] == "ended"


def test_members_that_stay_away(tmp_path: Path) -> None:
    """With a check: past its patience the site stays down, loudly, until it is brought up."""
    status = [500]

    def reply(request: Message) -> bytes:
        return answer(b"page", status=status[0])

    check = "GET /healthz interval=0.1s timeout=1s rise=1 fall=1"
    with Member(serving(reply)) as member:
        ini = configuration([f"{member.url} retry=0"], check=check, drain="0s")
        with Daemon(tmp_path, ini) as daemon:
            plan(daemon, 0.3, until_healthy="500ms")
            daemon.wait_for_log("window night of shop: no healthy members within .* after its end")
            daemon.wait_for_log(r"site shop: verifying -> down \(gave up stay")
            status[0] = 200
            until(lambda: health(daemon) == "up", "the member to be up")
            assert ask(daemon.port()).status == 503
            (shop,) = daemon.ask("site.up", {"site": "shop"})
            assert shop["phase"] == "live"
            assert ask(daemon.port()).body == b"page"
