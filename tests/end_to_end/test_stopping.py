"""How the daemon stops: in one process, and with workers."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.end_to_end.daemon import Daemon, configuration
from tests.end_to_end.members import Conversation, Member
from tests.end_to_end.waiting import until
from tests.end_to_end.wire import request, visitor

workers = pytest.mark.parametrize("workers", [0, 2])


def silent(conversation: Conversation) -> None:
    """A member that takes a request, and never answers."""
    while conversation.request() is not None:
        pass


@contextlib.contextmanager
def daemon(folder: Path, member: Member, workers: int, *keys: str) -> Iterator[Daemon]:
    """A daemon that is told to stop in the block, and has to end well."""
    ini = configuration([member.url], daemon="\n".join((f"workers = {workers}", *keys)))
    with Daemon(folder, ini) as daemon:
        yield daemon
        assert daemon.wait() == 0
        daemon.assert_clean()


@workers
def test_the_last_request(tmp_path: Path, member: Member, workers: int) -> None:
    """On a kept connection SIGTERM fails no request: one is answered, and told to be the last."""
    with (
        daemon(tmp_path, member, workers) as stopping,
        visitor(stopping.port()) as wire,
    ):
        said = []
        while b"close" not in said:
            wire.send(request())
            answer = wire.answer()
            assert answer.status == 200
            said.append(answer.one("Connection"))
            if len(said) == 1:
                stopping.signal(signal.SIGTERM)
        assert said[0] is None
        assert wire.until_end() == b""


@workers
def test_no_time(tmp_path: Path, workers: int) -> None:
    """With `shutdown = 0s`, what is in flight gets the apology at once."""
    with (
        Member(silent) as member,
        daemon(tmp_path, member, workers, "shutdown = 0s") as stopping,
        visitor(stopping.port()) as wire,
    ):
        wire.send(request())
        until(lambda: member.requests, "the request at its member")
        stopping.signal(signal.SIGTERM)
        assert wire.answer().status == 503
        assert wire.until_end() == b""
