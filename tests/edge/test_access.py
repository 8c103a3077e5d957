"""Records of requests: what is put into the log, and the ids that requests get."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from sorryd.edge.access import Access, End, Record
from sorryd.edge.http1 import read_request
from sorryd.edge.repeated import Repeated
from sorryd.model import LogFormat
from sorryd.policy.heads import RequestHead


class Log:
    """An access log in memory, with clocks that the test moves."""

    def __init__(self, form: LogFormat = LogFormat.JSON) -> None:
        self.lines: list[bytes] = []
        self.moment = 100.0
        self.access = Access(self.lines.append, form, "UTC", lambda: self.moment)

    def begin(self, *lines: bytes, is_trusted: bool = False) -> tuple[RequestHead, Record]:
        """A record of a request with these field lines."""
        data = b"\r\n".join((b"GET / HTTP/1.1", *lines, b"", b""))
        head = read_request(data, len(data), Repeated())
        return head, self.record(head, False, is_trusted)

    def record(self, head: RequestHead | None, secure: bool, is_trusted: bool = False) -> Record:
        """A record of the request of a head."""
        caller = self.access.caller(None, "192.0.2.7", secure)
        return self.access.begin(head, caller, is_trusted, 1795280400.0)


def ids(head: RequestHead) -> Iterator[str]:
    """The ids that a member gets."""
    for line in head.lines:
        name, _, value = line.partition(b":")
        if name.lower().replace(b"_", b"-") == b"x-request-id":
            yield value.strip().decode()


def test_two_logs() -> None:
    """What is kept of the field lines of many requests is as each log writes it, and whose."""
    data = b"GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: b\r\n\r\n"
    read_request(data, len(data), Repeated())
    logs = [Log(form) for form in (LogFormat.JSON, LogFormat.COMBINED) for _ in range(2)]
    for log in logs * 2:
        head = read_request(data, len(data), Repeated())
        assert head.known is not None
        log.record(head, False).finish(End.DONE)
        log.record(head, True).finish(End.DONE)
    for log in logs[:2]:
        found = [json.loads(line) for line in log.lines]
        assert [one["tls"] for one in found] == [False, True] * 2
        assert {(one["client"], one["host"], one["user_agent"]) for one in found} == {
            ("192.0.2.7", "a", "b")
        }
    for log in logs[2:]:
        assert len(log.lines) == 4
        assert all(line.endswith(b'"-" "b"\n') for line in log.lines)


def test_a_record_is_written_once() -> None:
    """With the times that passed; whatever else is tried afterwards."""
    log = Log()
    _, record = log.begin(b"Host: a")
    log.moment += 0.25
    record.begin_answer(200, 5)
    record.body_bytes += 6
    log.moment += 0.5
    assert log.lines == []
    record.finish(End.MEMBER_CUT)
    record.finish(End.DONE)
    (line,) = map(json.loads, log.lines)
    assert (line["status"], line["bytes"], line["ended"]) == (200, 11, "member_cut")
    assert (line["first_ms"], line["total_ms"]) == (250.0, 750.0)


def test_what_could_not_be_read() -> None:
    """Has a record, and an id, too."""
    log = Log()
    record = log.record(None, True)
    record.received = b"nonsense"
    record.begin_answer(400, 0)
    record.finish(End.REFUSED)
    (line,) = map(json.loads, log.lines)
    assert (line["received"], line["tls"], line["ended"]) == ("nonsense", True, "refused")
    assert line["id"]


def test_combined_has_no_ids() -> None:
    """There is nowhere to look them up: what a visitor sends goes on as it came."""
    log = Log(LogFormat.COMBINED)
    head, record = log.begin(b"Host: a", b"X-Request-ID: mine")
    assert head.lines == [b"Host: a", b"X-Request-ID: mine"]
    record.finish(End.VISITOR_LEFT)
    (line,) = log.lines
    assert line == b'192.0.2.7 - - [21/Nov/2026:17:00:00 +0000] "GET / HTTP/1.1" 499 - "-" "-"\n'


def test_ids_are_not_alike() -> None:
    """Within a process, and between two."""
    logs = (Log(), Log())
    records = [log.begin(b"Host: a")[1] for log in logs for _ in range(1000)]
    assert len({record.id for record in records}) == 2000
    assert all(re.fullmatch(r"[0-9a-f]{24}", record.id) for record in records)
    assert logs[0].begin(b"Host: a")[1].id[:16] != logs[1].begin(b"Host: a")[1].id[:16]


OWN = (b"X-Request-ID: mine", b"x-request-id:mine", b"X_Request_ID: mine", b"x-request_id: mine")


@pytest.mark.parametrize("lines", [(), *((one,) for one in OWN), OWN])
@pytest.mark.parametrize("host_first", [False, True])
def test_the_member_gets_the_id(lines: tuple[bytes, ...], host_first: bool) -> None:
    """Ours and no other, and every other line stays where it was."""
    lines = (b"Host: a", *lines, b"X: y") if host_first else (b"X: y", *lines, b"Host: a")
    head, record = Log().begin(*lines)
    assert list(ids(head)) == [record.id] != ["mine"]
    assert head.lines[head.host_at] == b"Host: a"
    assert sorted(head.lines[:-1]) == [b"Host: a", b"X: y"]


def test_the_id_of_a_trusted_proxy() -> None:
    """Stays, in the log and for the member."""
    head, record = Log().begin(b"Host: a", b"x-request-ID:  a-b/c:1 ", is_trusted=True)
    assert record.id == "a-b/c:1"
    assert head.lines == [b"Host: a", b"x-request-ID:  a-b/c:1 "]


@pytest.mark.parametrize(
    "lines",
    [
        (b"X-Request-ID:",), (b"X-Request-ID: a b",), (b'X-Request-ID: "a"',),
        (b"X-Request-ID: a\\",), (b"X-Request-ID: \xff",), (b"X-Request-ID: " + b"a" * 129,),
        (b"X-Request-ID: a", b"X-Request-ID: b"), (b"X-Request_ID: a",),
    ],
)  # fmt: skip
def test_an_id_that_is_none(lines: tuple[bytes, ...]) -> None:
    """Is replaced, whoever sent it."""
    head, record = Log().begin(b"Host: a", *lines, is_trusted=True)
    assert list(ids(head)) == [record.id]
    assert re.fullmatch(r"[0-9a-f]{24}", record.id)
