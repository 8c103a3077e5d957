"""How TLS connections of a real sorryd end, and what its members see of it when it comes again."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from tests.certificates import authority, issue
from tests.end_to_end.daemon import Daemon, configuration
from tests.end_to_end.members import Conversation, Member, saying, server_side
from tests.end_to_end.wire import answer, anybody, one, request, visitor

ROOT = authority()
NAME = "app.internal"


def test_an_answer_ends_with_close_notify(tmp_path: Path) -> None:
    """A visitor can tell a whole answer from a cut one, though nothing else says how long it is."""

    def script(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(answer(b"all of it" * 100_000, length=False))

    listen = "127.0.0.1:0 tls"
    with (
        Member(script) as member,
        Daemon(
            tmp_path, configuration([member.url], listen=listen, certificate="self-signed")
        ) as daemon,
        visitor(daemon.port(scheme="https")) as plain,
    ):
        tls = anybody().wrap_socket(plain.socket, suppress_ragged_eofs=False)
        tls.sendall(request().replace(b"HTTP/1.1", b"HTTP/1.0"))
        data = b""
        while piece := tls.recv(65536):  # raises where the connection ends without close_notify
            data += piece
        tls.close()
    assert data.endswith(b"all of it" * 100_000)


@pytest.mark.parametrize("is_cut", [False, True], ids=["whole", "cut"])
def test_end_of_a_members_body(tmp_path: Path, is_cut: bool) -> None:
    """A body that ends with its connection is whole after close_notify, and after FIN it is not."""

    def script(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(answer(b"all of it", length=False))
        assert isinstance(conversation.socket, ssl.SSLSocket)
        if not is_cut:
            conversation.socket.unwrap()

    tls = server_side(tmp_path, *issue(ROOT, [NAME]))
    with (
        Member(script, tls=tls) as member,
        Daemon(tmp_path, configuration([f"{member.url} verify=no"])) as daemon,
        visitor(daemon.port()) as wire,
    ):
        wire.send(request())
        head = wire.head()
        assert head is not None
        assert head.one("Transfer-Encoding") == b"chunked"
        data = wire.until_end() if is_cut else wire.until(b"0\r\n\r\n")
    assert data == b"9\r\nall of it\r\n"


def test_a_session_with_a_member_is_resumed(tmp_path: Path) -> None:
    """The second connection to a member is made by the session of the first."""
    resumed: list[bool | None] = []

    def script(conversation: Conversation) -> None:
        assert isinstance(conversation.socket, ssl.SSLSocket)
        resumed.append(conversation.socket.session_reused)
        conversation.request()
        conversation.send(answer(b"hello"))
        conversation.socket.unwrap()

    (tmp_path / "root.pem").write_bytes(ROOT.pem)
    tls = server_side(tmp_path, *issue(ROOT, [NAME]))
    with (
        Member(script, tls=tls) as member,
        Daemon(tmp_path, configuration([f"{member.url} ca=root.pem name={NAME}"])) as daemon,
        visitor(daemon.port()) as wire,
    ):
        for _ in range(3):
            assert one(wire) == b"hello"
    assert resumed == [False, True, True]


@pytest.mark.parametrize("shows", [True, False], ids=["certificate", "nothing"])
def test_a_member_that_asks_who_we_are(tmp_path: Path, shows: bool) -> None:
    """A member that wants a certificate of its client gets cert=; without it, it lets nobody in."""
    (tmp_path / "root.pem").write_bytes(ROOT.pem)
    (tmp_path / "own.pem").write_bytes(b"".join(issue(ROOT, ["sorryd"], usage="client")))
    tls = server_side(tmp_path, *issue(ROOT, [NAME]))
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.load_verify_locations(tmp_path / "root.pem")
    cert = " cert=own.pem" if shows else ""
    with (
        Member(saying(b"hello"), tls=tls) as member,
        Daemon(tmp_path, configuration([f"{member.url} ca=root.pem name={NAME}{cert}"])) as daemon,
        visitor(daemon.port()) as wire,
    ):
        wire.send(request())
        reply = wire.answer()
    assert (reply.body == b"hello") is shows
