"""One check of one member: what is asked, and what is found of the answer."""

from __future__ import annotations

import pytest
from tests.edge.messages import answer, chunked
from tests.edge.probing import HEAD_LIMIT, HTTP, MEMBER, TCP, Checking, Street

from sorryd.edge.probe import READ_AWAY, question
from sorryd.model import Check, Member, MemberTls

OK = answer()


# --- what is asked ---


@pytest.mark.parametrize(
    ("check", "member", "expected"),
    [
        pytest.param(
            HTTP,
            MEMBER,
            b"GET /healthz HTTP/1.1\r\nHost: a:3000\r\n"
            b"User-Agent: sorryd\r\nConnection: close\r\n\r\n",
            id="GET",
        ),
        pytest.param(
            Check(method="HEAD", target="/up?full=1", host="shop.example"),
            Member(url="http://[::1]/app", host="::1", port=80, path="/app"),
            b"HEAD /app/up?full=1 HTTP/1.1\r\nHost: shop.example\r\n"
            b"User-Agent: sorryd\r\nConnection: close\r\n\r\n",
            id="the member's path, and another Host",
        ),
        pytest.param(
            Check(method="OPTIONS", target="*"),
            Member(url="https://[::1]/app", host="::1", port=443, path="/app", tls=MemberTls()),
            b"OPTIONS * HTTP/1.1\r\nHost: [::1]\r\nUser-Agent: sorryd\r\nConnection: close\r\n\r\n",
            id="of the whole server",
        ),
        pytest.param(
            Check(method="POST", target="/probe"),
            Member(url="unix:/run/app.sock", host="localhost", port=80, socket="/run/app.sock"),
            b"POST /probe HTTP/1.1\r\nHost: localhost\r\n"
            b"User-Agent: sorryd\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
            id="a method that has a body",
        ),
        pytest.param(TCP, MEMBER, b"", id="nothing"),
    ],
)
def test_question(check: Check, member: Member, expected: bytes) -> None:
    """The request of a check."""
    assert question(check, member) == expected


# --- answers ---


@pytest.mark.parametrize("status", [200, 204, 301, 399])
def test_as_expected(street: Street, status: int) -> None:
    """A status that is expected is a member that is well, told at once."""
    checking = Checking(street, HTTP)
    wire = checking.asked()
    wire.says(b"HTTP/1.1 %d Said\r\n" % status)
    assert checking.verdicts == []
    wire.says(b"Content-Length: 0\r\n\r\n" if status != 204 else b"\r\n")
    assert wire.has_fin
    checking.found(None)


@pytest.mark.parametrize(
    ("expect", "status", "verdict"),
    [
        (((200, 399),), 400, "answered 400"),
        (((200, 399),), 500, "answered 500"),
        (((200, 399),), 101, "answered 101"),
        (((200, 200), (404, 404)), 404, None),
        (((200, 200), (404, 404)), 204, "answered 204"),
    ],
)
def test_expect(
    street: Street, expect: tuple[tuple[int, int], ...], status: int, verdict: str | None
) -> None:
    """Only what is expected is good."""
    checking = Checking(street, Check(expect=expect))
    checking.asked().says(b"HTTP/1.1 %d Said\r\nContent-Length: 0\r\n\r\n" % status)
    checking.call.wire.ends()
    checking.found(verdict)


def test_informational_answers_are_none(street: Street) -> None:
    """A 1xx is not the answer."""
    checking = Checking(street, HTTP)
    checking.asked().says(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 3, OK)
    checking.found(None)


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        pytest.param(b"SSH-2.0-OpenSSH\r\n", "malformed status line", id="no HTTP"),
        pytest.param(b"HTTP/2.0 200 OK\r\n\r\n", "malformed status line", id="no HTTP/1"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\n obs: fold\r\n\r\n",
            "malformed header field in the answer",
            id="malformed",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nX: " + HEAD_LIMIT * b"x",
            "the head is larger than the limit",
            id="endless head",
        ),
        pytest.param(
            17 * b"HTTP/1.1 100 Continue\r\n\r\n", "too many informational answers", id="1xx flood"
        ),
    ],
)
def test_broken_answers(street: Street, said: bytes, verdict: str) -> None:
    """An answer that no visitor would be given is none for a check either."""
    checking = Checking(street, HTTP)
    checking.asked().says(said)
    checking.found(verdict)
    assert checking.call.wire.is_aborted


@pytest.mark.parametrize("how", ["FIN", "RST"])
@pytest.mark.parametrize(("said", "when"), [(b"", "before"), (b"HTTP/1.1 2", "in the middle of")])
def test_no_answer(street: Street, how: str, said: bytes, when: str) -> None:
    """A connection that ends without a whole head."""
    checking = Checking(street, HTTP)
    wire = checking.asked()
    if said:
        wire.says(said)
    wire.leaves(how)
    ended = "closed the connection" if how == "FIN" else "the connection was lost"
    checking.found(f"{ended} {when} its answer")


# --- bodies are read away ---


@pytest.mark.parametrize(
    ("head", "pieces"),
    [
        pytest.param(b"Content-Length: 10\r\n", [b"hello", b"world"], id="Content-Length"),
        pytest.param(b"Content-Length: %d\r\n" % 2**40, [READ_AWAY * b"x"], id="too long"),
        pytest.param(b"", [(READ_AWAY - 5) * b"x", b"world"], id="endless"),
    ],
)
def test_body(street: Street, head: bytes, pieces: list[bytes]) -> None:
    """The verdict does not wait for the body, but the connection does, within limits."""
    checking = Checking(street, HTTP)
    wire = checking.asked()
    wire.says(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n")
    for piece in pieces:
        assert checking.verdicts == [None]
        assert wire.is_open
        assert checking.overs == 0
        wire.says_at_once(piece)
        street.settle()
    assert wire.has_fin
    checking.found(None)


@pytest.mark.parametrize("how", ["FIN", "RST"])
def test_the_end_of_the_body(street: Street, how: str) -> None:
    """A body without a length ends with its connection, however that ends."""
    checking = Checking(street, HTTP)
    wire = checking.asked()
    fields = b"Transfer-Encoding: chunked\r\n\r\n"
    wire.says(b"HTTP/1.1 200 OK\r\n" + fields + chunked(b"hello"))
    assert checking.overs == 0
    wire.leaves(how)
    checking.found(None)


def test_no_body(street: Street) -> None:
    """The answer to HEAD has none, whatever it says."""
    checking = Checking(street, Check(method="HEAD"))
    checking.asked().says(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    checking.found(None)
