"""How requests are shared: least connections, the visitor's address, a cookie, full members."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from tests.end_to_end.daemon import NOBODY, Daemon, configuration
from tests.end_to_end.holding import Holding, crowd
from tests.end_to_end.members import Member, saying
from tests.end_to_end.waiting import until
from tests.end_to_end.wire import Message, ask, many, request, visitor
from tests.end_to_end.workers import ALONE


def test_least_conn(tmp_path: Path) -> None:
    """Who is slow gets no more than the others have; who is quick gets all that is left."""
    with Holding(b"slow") as slow, Member(saying(b"quick")) as quick:
        members = [slow.member.url, quick.url]
        with Daemon(tmp_path, configuration(members, balance="least_conn", daemon=ALONE)) as daemon:
            port = daemon.port()
            with crowd(port, 2) as asking:
                until(lambda: slow.in_flight == 1, "the slow one to have one")
                assert many(port, 20) == {b"quick": 20}
                assert slow.in_flight == 1
                slow.answering.release(2)
                assert {one.result().body for one in asking} <= {b"slow", b"quick"}


def forwarded(port: int, address: str) -> bytes:
    """Who answers a client that a trusted proxy speaks for."""
    return ask(port, b"/", b"X-Forwarded-For: " + address.encode()).body


def test_hash(tmp_path: Path) -> None:
    """A client's address says which member; a lost one moves its own, and gets them back."""
    addresses = [f"192.0.2.{last}" for last in range(60)]
    with Member(saying(b"a")) as a, Member(saying(b"b")) as b:
        c = Member(saying(b"c"))
        members = [f"{one.url} retry=0.2" for one in (a, b, c)]
        ini = configuration(members, balance="hash", trusted_proxies="127.0.0.0/8")
        with Daemon(tmp_path, ini) as daemon:
            port = daemon.port()
            before = [forwarded(port, address) for address in addresses]
            assert set(before) == {b"a", b"b", b"c"}
            assert [forwarded(port, address) for address in addresses] == before
            c.close()
            during = [forwarded(port, address) for address in addresses]
            assert all(now == was or was == b"c" for was, now in zip(before, during, strict=True))
            assert set(during) == {b"a", b"b"}
            with Member(saying(b"c"), port=c.port):
                lost = addresses[before.index(b"c")]
                until(lambda: forwarded(port, lost) == b"c", "the member to be back")
                until(lambda: "is back" in daemon.log, "the end of the trial")
                assert [forwarded(port, address) for address in addresses] == before
            daemon.stop()
            with Member(saying(b"c"), port=c.port):
                daemon.start()
                port = daemon.port()
                assert [forwarded(port, address) for address in addresses] == before


def cookie_of(reply: Message) -> bytes:
    """The cookie that an answer sets, as the visitor sends it."""
    line = reply.one("Set-Cookie")
    assert line is not None
    return b"Cookie: " + line.partition(b";")[0]


def test_sticky(tmp_path: Path) -> None:
    """A cookie keeps visitors at their member: in drain, over a restart, not when it is lost."""
    a = Member(saying(b"a"))
    with Member(saying(b"b")) as b:
        members = [f"{a.url} retry=60", b.url]
        ini = configuration(members, balance="sticky", sticky_cookie="AT")
        with Daemon(tmp_path, ini) as daemon:
            port = daemon.port()
            first = ask(port)
            mine = cookie_of(first)
            assert first.body == b"a"
            assert mine.startswith(b"Cookie: AT=")
            assert [ask(port, b"/", mine).body for _ in range(4)] == 4 * [b"a"]
            assert ask(port, b"/", mine).all("Set-Cookie") == []
            assert all(seen.all("Cookie") == [] for seen in a.requests)
            assert daemon.ctl("drain", a.url).returncode == 0
            assert ask(port, b"/", mine).body == b"a"
            assert many(port, 4) == {b"b": 4}
            daemon.stop()
            daemon.start()
            port = daemon.port()
            assert ask(port, b"/", mine).body == b"a"
            a.close()
            moved = ask(port, b"/", mine)
            assert moved.body == b"b"
            assert ask(port, b"/", cookie_of(moved)).body == b"b"


def test_a_key_that_is_none(tmp_path: Path) -> None:
    """What is no key in the key's place stops the start, by one line that says where."""
    (tmp_path / "cookies.key").write_text("secret")
    daemon = Daemon(tmp_path, configuration([NOBODY]))
    daemon.launch()
    assert daemon.wait() == 1
    assert f"sorryd can't start: {tmp_path}/cookies.key: not a key" in daemon.log
    daemon.assert_clean()


def test_full_members(tmp_path: Path) -> None:
    """No member gets more than it takes; the others wait, and all are answered."""
    with Holding(b"one") as one, Holding(b"two") as two:
        members = [f"{one.member.url} max_connections=1", f"{two.member.url} max_connections=2"]
        with Daemon(tmp_path, configuration(members, daemon=ALONE)) as daemon:
            with crowd(daemon.port(), 12) as asking:
                until(lambda: one.in_flight + two.in_flight == 3, "all slots to be taken")
                one.answering.release(100)
                two.answering.release(100)
                got = Counter(each.result().body for each in asking)
            assert got.total() == 12
            assert set(got) == {b"one", b"two"}
            assert (one.most, two.most) == (1, 2)


@pytest.mark.parametrize("max_queue", [0, 2])
def test_queue_is_bounded(tmp_path: Path, max_queue: int) -> None:
    """More than may wait get the apology at once; who waits in vain, when the time is up."""
    with Holding(b"one") as one:
        members = [f"{one.member.url} max_connections=1"]
        ini = configuration(members, max_queue=max_queue, timeout_queue="0.5s", daemon=ALONE)
        with Daemon(tmp_path, ini) as daemon, visitor(daemon.port()) as wire:
            wire.send(request())
            until(lambda: one.in_flight == 1, "the slot to be taken")
            with crowd(daemon.port(), 5) as asking:
                replies = [each.result() for each in asking]
            assert {reply.status for reply in replies} == {503}
            assert {reply.one("Sorry-Cause") for reply in replies} == {b"members"}
            one.answering.release()
            assert wire.answer().body == b"one"
            one.answering.release(3)
            assert many(daemon.port(), 3) == {b"one": 3}


def test_reload_loses_nobody_who_waits(tmp_path: Path) -> None:
    """A reload that gives the member more room lets all go who wait."""
    with (
        Holding(b"one") as one,
        Daemon(tmp_path, configuration([f"{one.member.url} max_connections=2"])) as daemon,
        crowd(daemon.port(), 6) as asking,
    ):
        until(lambda: one.in_flight > 0, "a slot to be taken")
        daemon.config.write_text(configuration([one.member.url]))
        assert daemon.ctl("reload").returncode == 0
        until(lambda: one.in_flight == 6, "all to be asked")
        one.answering.release(6)
        assert [each.result().body for each in asking] == 6 * [b"one"]
