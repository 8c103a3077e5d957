"""What docs/http.md says that sorryd does, it does."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest
from tests.edge.hearing import hear_every_way
from tests.edge.messages import GET, dechunked, field_of, request, status_of
from tests.edge.reading import read_every_way
from tests.edge.scene import Stage
from tests.edge.tables import HTTP, Row, name, rows
from tests.edge.wires import FakeWire

from sorryd.edge import bodies, member_connection, requests

REQUESTS = rows("sent")
CHUNKS = rows("chunked")
TRAILERS = rows("trailer")
ANSWERS = rows("head")
CHUNKED = b"Transfer-Encoding: chunked"
BEGINNING = re.compile(rb"\s*(?:GET|POST|OPTIONS|TRACE|CONNECT|PRI|FOO)[ \t]").match
OURS = re.compile(rb"(?i)X-Forwarded-(?:For|Proto|Host)|Forwarded|Via").fullmatch


def test_tables_are_found() -> None:
    """The tests below have something to look at, and every row says where that is written."""
    counts = [len(table) for table in (REQUESTS, CHUNKS, TRAILERS, ANSWERS)]
    assert all(map(int.__ge__, counts, (110, 25, 15, 50)))
    for row in (*REQUESTS, *CHUNKS, *TRAILERS, *ANSWERS):
        assert re.fullmatch(r"\d{4} §[\dC][\d.]*", row.cells[-2]), row


# --- requests -------------------------------------------------------------------------------


def lines_of(row: Row) -> tuple[bytes, ...]:
    """The head that a row of requests shows, as lines."""
    lines = row.code(0)
    return lines if BEGINNING(lines[0]) else (b"POST / HTTP/1.1", b"Host: a", *lines)


def body_of(lines: tuple[bytes, ...]) -> bytes:
    """A body that fits a head which is passed on."""
    if any(CHUNKED.lower() in line.lower() for line in lines):
        return b"5\r\nhello\r\n0\r\n\r\n"
    return b"hello" if any(b"Content-Length" in line for line in lines[1:]) else b""


def expected_of(row: Row) -> list[bytes]:
    """The lines that a member gets by what a row says, without the Host that all have."""
    first, *lines = lines_of(row)
    match row.words(1):
        case ["as"]:
            lines = list(row.code(1))
            return lines if b" HTTP/" in lines[0] else [first, *lines]
        case ["dropped"]:
            return [first]
        case _:
            return [first, *(line for line in lines if line != b"Host: a")]


def heard(member: FakeWire) -> tuple[list[bytes], bytes]:
    """The lines that a member got, without those that sorryd adds, and the body."""
    head, _, body = member.gets().partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not OURS(line.partition(b":")[0])]
    return [line for line in lines if line != b"Host: a"], body


def in_order(lines: Iterable[bytes], row: Row) -> list[bytes]:
    """Of `lines` those that were sent so: their order does not change."""
    return [line for line in lines if line in row.code(0)]


@pytest.mark.parametrize("row", [r for r in REQUESTS if not r.cells[1].isdigit()], ids=name)
def test_passed_on(stage: Stage, row: Row) -> None:
    """The member gets the lines that are shown, and no others."""
    lines = lines_of(row)
    scene = stage()
    scene.visitor().says(b"\r\n".join((*lines, b"", body_of(lines))))
    member = scene.member()
    got, body = heard(member)
    assert sorted(got) == sorted(expected_of(row))
    assert in_order(got, row) == in_order(expected_of(row), row)
    assert (dechunked(body) if CHUNKED in got else body) == (b"hello" if body_of(lines) else b"")
    member.resets()


@pytest.mark.parametrize("row", [r for r in REQUESTS if r.cells[1].isdigit()], ids=name)
def test_refused(stage: Stage, row: Row) -> None:
    """The visitor gets the status, and FIN; no member is asked, whatever follows."""
    sent = b"\r\n".join((*lines_of(row), b"", b"hello"))
    scene = stage()
    visitor = scene.visitor()
    visitor.says(sent + GET)
    got = visitor.gets()
    assert status_of(got) == int(row.cells[1])
    assert field_of(got, b"Connection") == b"close"
    assert visitor.has_fin
    assert scene.is_asking_nobody
    visitor.ends()


@pytest.mark.parametrize("row", REQUESTS, ids=name)
def test_requests_in_two(row: Row) -> None:
    """Wherever a request is cut, it is the same, or no good for the same reason."""
    lines = lines_of(row)
    reading = read_every_way(b"\r\n".join((*lines, b"", body_of(lines) + b"\r\n")))
    status = row.cells[1]
    assert reading.refused == (int(status) if status.isdigit() else None)
    assert len(reading.requests) == (0 if status.isdigit() else 1)


# --- chunks ---------------------------------------------------------------------------------


@pytest.mark.parametrize("row", CHUNKS, ids=name)
def test_chunks_of_a_visitor(stage: Stage, row: Row) -> None:
    """A body is refused, or the member gets what it is, coded anew."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(request(b"POST / HTTP/1.1", CHUNKED + b"\r\n", row.code(0)[0]))
    got = visitor.gets()
    if row.cells[1] == "400":
        assert status_of(got) == 400
        assert visitor.has_fin
        visitor.ends()
        return
    assert got == b""
    member = scene.member()
    if row.cells[1] == "waits":
        assert not member.gets().endswith(b"0\r\n\r\n")
        visitor.resets()
        return
    assert dechunked(heard(member)[1]) == row.code(1)[0]
    member.resets()


@pytest.mark.parametrize("row", CHUNKS, ids=name)
def test_chunks_of_a_member(stage: Stage, row: Row) -> None:
    """A body is cut, or the visitor gets what it is, coded anew."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(GET)
    member = scene.member()
    member.says(b"HTTP/1.1 200 OK\r\n" + CHUNKED + b"\r\n\r\n" + row.code(0)[0])
    got = visitor.gets()
    if row.code(2):
        assert dechunked(got.partition(b"\r\n\r\n")[2]) == row.code(2)[0]
        assert member.is_open
        return
    assert not got.endswith(b"0\r\n\r\n")
    is_cut = row.cells[2] == "cut"
    assert visitor.is_gone is is_cut or status_of(got) == 502
    assert member.is_aborted is is_cut
    visitor.resets()


@pytest.mark.parametrize("row", CHUNKS, ids=name)
def test_chunks_in_two(row: Row) -> None:
    """Wherever chunks are cut, they are the same, or no good."""
    (data,) = row.code(0)
    reading = read_every_way(request(b"POST / HTTP/1.1", CHUNKED + b"\r\n", data))
    assert (reading.refused == 400) is (row.cells[1] == "400")
    assert [taken.body for taken in reading.requests if taken.whole] == list(row.code(1))
    heard = hear_every_way(b"HTTP/1.1 200 OK\r\n" + CHUNKED + b"\r\n\r\n" + data)
    ends = {"cut": "broken", "waits": "waiting"}
    assert heard.end == ends.get(row.cells[2], "whole")
    assert heard.end != "whole" or heard.body == row.code(2)[0]


# --- trailers -------------------------------------------------------------------------------


@pytest.mark.parametrize("row", TRAILERS, ids=name)
def test_trailers(stage: Stage, row: Row) -> None:
    """In both directions those that may be trailers are passed on, as trailers."""
    trailer = row.code(0)[0] + b"\r\n"
    body = b"1\r\na\r\n0\r\n" + trailer + b"\r\n"
    passed = body if row.cells[1] == "passed on" else b"1\r\na\r\n0\r\n\r\n"
    scene = stage()
    visitor = scene.visitor()
    visitor.says(request(b"POST / HTTP/1.1", b"TE: trailers\r\n" + CHUNKED + b"\r\n", body))
    member = scene.member()
    assert heard(member)[1].endswith(passed[-len(passed) + 3 :])
    member.says(b"HTTP/1.1 200 OK\r\n" + CHUNKED + b"\r\n\r\n" + body)
    head, _, got = visitor.gets().partition(b"\r\n\r\n")
    assert got.endswith(passed[3:])
    assert trailer not in head + b"\r\n"


@pytest.mark.parametrize(
    ("first", "fields"),
    [
        pytest.param(b"GET / HTTP/1.1", b"", id="not asked for"),
        pytest.param(b"GET / HTTP/1.1", b"TE: deflate\r\n", id="TE without them"),
        pytest.param(b"GET / HTTP/1.0", b"TE: trailers\r\n", id="HTTP/1.0"),
    ],
)
def test_trailers_unasked(stage: Stage, first: bytes, fields: bytes) -> None:
    """Who did not ask for trailers gets none (RFC 9110 §6.5.1)."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(request(first, fields))
    scene.member().says(b"HTTP/1.1 200 OK\r\n" + CHUNKED + b"\r\n\r\n0\r\nX: y\r\n\r\n")
    assert b"X: y" not in visitor.gets()


# --- answers --------------------------------------------------------------------------------


def body_in(answer: bytes) -> bytes:
    """The body of an answer, as far as it came."""
    head, _, body = answer.partition(b"\r\n\r\n")
    if CHUNKED not in head:
        return body
    return dechunked(body if body.endswith(b"0\r\n\r\n") else body + b"0\r\n\r\n")


def said_of(row: Row) -> bytes:
    """What a row lets a member say."""
    head = row.code(0)
    if head[0] != b"<html>" and not head[0].startswith(b"HTTP/"):
        head = (b"HTTP/1.1 200 OK", *head)
    return b"\r\n".join((*head, b"", b"".join(row.code(1))))


@pytest.mark.parametrize("row", ANSWERS, ids=name)
def test_answers_in_two(row: Row) -> None:
    """Wherever an answer is cut, it is the same, or no good."""
    leaves = "".join(word for word in row.words(1) if word in ("FIN", "reset"))
    heard = hear_every_way(said_of(row), leaves, "HEAD" in row.words(0))
    assert heard.kept is (row.cells[3] == "kept")
    is_whole = not {"502", "cut"} & {*row.words(2)}
    assert (heard.end == "whole") is is_whole
    assert not is_whole or heard.body == b"".join(row.code(2))


@pytest.mark.parametrize("row", ANSWERS, ids=name)
def test_answers(stage: Stage, row: Row) -> None:
    """The visitor gets what is shown of an answer, and its connection serves again or does not."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(request(b"HEAD / HTTP/1.1" if "HEAD" in row.words(0) else b"GET / HTTP/1.1"))
    member = scene.member()
    member.says(said_of(row))
    if "FIN" in row.words(1):
        member.ends()
    elif "reset" in row.words(1):
        member.resets()
    got = visitor.gets()
    *passing, status = (word for word in row.words(2) if word.isdigit())
    for number in passing:
        assert status_of(got) == int(number)
        assert field_of(got, b"Content-Length") is field_of(got, b"Transfer-Encoding") is None
        got = got.partition(b"\r\n\r\n")[2]
    assert status_of(got) == int(status)
    is_apology = field_of(got, b"Sorry-Cause") == b"members"
    assert is_apology is (status == "502")
    assert is_apology or body_in(got) == b"".join(row.code(2))
    assert visitor.is_gone is ("cut" in row.words(2))
    assert not (visitor.is_gone and got.endswith(b"0\r\n\r\n"))
    assert member.is_open is (row.cells[3] == "kept")


def test_limits_are_told_right() -> None:
    """The numbers of the last table are those of the program."""
    told = {row.cells[0]: row.cells[1] for row in rows("of")}
    assert told["empty lines before a request"] == str(requests.EMPTY_LINES)
    assert told["one chunk's size with its extensions"] == f"{bodies.MAX_LINE} bytes"
    assert told["answers of 1xx before the final one"] == str(member_connection.MAX_INFORMATIONAL)
    assert requests.DISCARDED == 1 << 20
    assert f"up to {requests.EMPTY_LINES} empty lines" in HTTP
