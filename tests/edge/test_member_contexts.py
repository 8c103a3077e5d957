"""The TLS settings of members, kept and read anew."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.certificates import authority
from twisted.logger import capturedLogs

from sorryd.edge.member_contexts import MemberContexts
from sorryd.edge.tls import TlsFault
from sorryd.model import Member, MemberTls


def member(ca: Path, host: str = "app") -> Member:
    return Member(url=f"https://{host}", host=host, port=443, tls=MemberTls(ca=str(ca)))


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    path.write_bytes(authority().pem)
    return path


def test_kept(ca: Path) -> None:
    """Members with the same settings share what was read, once."""
    contexts = MemberContexts()
    context = contexts.of(member(ca))
    assert contexts.of(member(ca, "other")) is context


def test_renewed(ca: Path) -> None:
    """What was read is read anew for members that are left."""
    contexts = MemberContexts()
    context = contexts.of(member(ca))
    contexts.renew([member(ca), member(ca, "other")])
    fresh = contexts.of(member(ca))
    assert fresh is not context
    assert contexts.of(member(ca, "other")) is fresh


def test_forgotten(ca: Path) -> None:
    """A file of which no member is left is read by nobody."""
    contexts = MemberContexts()
    contexts.of(member(ca))
    ca.unlink()
    with capturedLogs() as logs:
        contexts.renew([Member(url="http://app", host="app", port=80)])
    assert logs == []
    with pytest.raises(TlsFault):
        contexts.of(member(ca))


def test_broken(ca: Path) -> None:
    """A file that is broken by now is said, and what was read of it before holds on."""
    contexts = MemberContexts()
    context = contexts.of(member(ca))
    ca.write_text("nothing")
    with capturedLogs() as logs:
        contexts.renew([member(ca)])
    assert contexts.of(member(ca)) is context
    (log,) = logs
    assert log["url"] == "https://app"
    assert str(ca) in str(log["fault"])
