"""Sessions with members: the second handshake is short, and none is believed for ever."""

from __future__ import annotations

import contextlib
import gc
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from OpenSSL import SSL
from tests.certificates import Authority, authority, issue
from tests.edge.handshakes import NAME, ROOT, trusting, written
from tests.edge.loops import Loop, Recorder, tcp_pair

from sorryd.edge.member_tls import WHOLE_EVERY, Resumption, session_of, verify_member
from sorryd.edge.tls_transport import TlsTransport
from sorryd.edge.transport import SocketTransport

Offer = Callable[[SSL.Connection], None]


class Talk:
    """One connection to a member by Python's own ssl module, with an answer on it."""

    def __init__(self, loop: Loop, context: ssl.SSLContext, tls: SSL.Context, offer: Offer) -> None:
        ours, theirs = tcp_pair()
        self._loop = loop
        connection = SSL.Connection(tls, ours)
        connection.set_connect_state()
        connection.set_tlsext_host_name(NAME.encode())
        offer(connection)
        self.recorder = Recorder()
        self.transport = TlsTransport(ours, connection, self.recorder, loop.readiness)
        self.server = context.wrap_socket(theirs, server_side=True, do_handshake_on_connect=False)
        self.transport.start()
        loop.until(self._is_shaken)
        self.is_refused = self.recorder.lost is not None
        self.is_resumed = self.server.session_reused
        if not self.is_refused:
            verify_member(connection, NAME)
            self.server.send(b"answer")
            loop.until(lambda: self.recorder.data == b"answer")

    def _is_shaken(self) -> bool:
        with contextlib.suppress(ssl.SSLWantReadError):
            if self.recorder.lost is None:
                self.server.do_handshake()
                return "handshake" in self.recorder.told
        return self.recorder.lost is not None

    def ends(self, how: str) -> None:
        """End it: by us or by the member, with close_notify or without."""
        match how:
            case "close":
                self.transport.loseConnection()
            case "abort":
                self.transport.abortConnection()
            case "is closed":
                with contextlib.suppress(ssl.SSLWantReadError):
                    self.server.unwrap()
        if how.startswith("is"):
            self.server.close()
        self._loop.until(lambda: self.recorder.lost)
        self.server.close()


class Member:
    """A member behind TLS, and what the pool that speaks to it keeps."""

    def __init__(self, loop: Loop, folder: Path, version: ssl.TLSVersion) -> None:
        self._loop = loop
        self._folder = folder
        self._version = version
        self.trust = trusting(folder)
        self.now = 1000.0
        self.resumption = Resumption(lambda: self.now)
        self.starts()

    def starts(self, issuer: Authority = ROOT) -> None:
        """A fresh start, with another certificate, and no session remembered."""
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.minimum_version = self._context.maximum_version = self._version
        pem = written(self._folder, "member.pem", b"".join(issue(issuer, [NAME])))
        self._context.load_cert_chain(pem)

    def talks(self) -> Talk:
        return Talk(self._loop, self._context, self.trust, self.resumption.offer)

    def resumes(self, how: str = "close") -> bool | None:
        """Whether one more connection, which ends that way, is resumed."""
        talk = self.talks()
        self.resumption.keep(talk.transport)
        talk.ends(how)
        resumed = talk.is_resumed
        del talk
        gc.collect()  # with the last of a connection, OpenSSL may forget its session
        return resumed


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def member(request: pytest.FixtureRequest, loop: Loop, tmp_path: Path) -> Member:
    return Member(loop, tmp_path, request.param)


@pytest.mark.parametrize(
    ("how", "resumed"),
    [("close", True), ("abort", True), ("is closed", True), ("is cut", False)],
)
def test_resumed(member: Member, how: str, resumed: bool) -> None:
    """Each connection after the first is resumed, unless the one before it was cut."""
    assert [member.resumes(how) for _ in range(4)] == [False, resumed, resumed, resumed]


def test_whole_from_time_to_time(member: Member) -> None:
    """A member must show its certificate again, though each session gives the next one."""
    resumed = []
    for _ in range(6):
        resumed.append(member.resumes())
        member.now += WHOLE_EVERY / 2
    assert resumed == [False, True, False, True, False, True]


def test_an_older_connection(member: Member) -> None:
    """What comes of an old handshake does not replace the session of a later whole one."""
    old = member.talks()
    member.now += WHOLE_EVERY
    assert member.resumes() is False
    member.resumption.keep(old.transport)
    assert member.resumes() is True
    old.ends("close")


def test_forgotten(member: Member) -> None:
    """After a handshake that failed, nothing is offered; the next session is kept again."""
    member.resumes()
    member.resumption.forget()
    assert [member.resumes(), member.resumes()] == [False, True]


def test_other_trust(member: Member, tmp_path: Path) -> None:
    """A session says nothing where something else is trusted since."""
    member.resumes()
    member.trust = trusting(tmp_path)
    assert [member.resumes(), member.resumes()] == [False, True]


def test_a_member_that_starts_anew(member: Member) -> None:
    """Where the member knows the session no more, it must show a certificate, and a good one."""
    member.resumes()
    member.starts()
    assert [member.resumes(), member.resumes()] == [False, True]
    member.starts(authority("Somebody else"))
    talk = member.talks()
    assert talk.is_refused
    assert "issuer is unknown" in talk.transport.failure
    talk.server.close()


def test_nothing_to_keep(member: Member, loop: Loop) -> None:
    """A plain connection has no session, and takes none away."""
    member.resumes()
    ours, theirs = tcp_pair()
    plain = SocketTransport(ours, Recorder(), loop.readiness)
    member.resumption.keep(plain)
    assert session_of(plain) is None
    assert member.resumes() is True
    ours.close()
    theirs.close()
