"""A daemon with one member that plays whatever part the test gives it.

It is shared by the tests of a file, so that each takes milliseconds.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.end_to_end.daemon import Daemon, configuration
from tests.end_to_end.members import Conversation, Member
from tests.end_to_end.wire import Message, Wire, answer, anybody, request, visitor

Part = Callable[[Conversation, Message], None]
"""Is given a request's head, and goes on from there."""


def answers(reply: bytes) -> Part:
    """Reads the whole request, and says `reply`."""

    def part(conversation: Conversation, head: Message) -> None:
        conversation.note(head)
        conversation.send(reply)

    return part


class Stage:
    """What a test acts on."""

    def __init__(self, daemon: Daemon, member: Member, tls: ssl.SSLContext | None) -> None:
        self.daemon = daemon
        self.member = member
        self.port = daemon.port(scheme="http" if tls is None else "https")
        self.tls = tls
        self.part: Part = answers(answer(b"hello"))

    def visitor(self) -> Wire:
        """A new visitor's connection."""
        return visitor(self.port, self.tls)

    def ask(
        self, target: bytes = b"/", *lines: bytes, method: bytes = b"GET", body: bytes | None = None
    ) -> Message:
        """One request on a connection of its own, and its answer."""
        with self.visitor() as wire:
            wire.send(request(target, *lines, method=method, body=body))
            return wire.answer(method)

    def seen(self) -> Message:
        """The only request that the member has got."""
        (request,) = self.member.requests
        return request

    def clear(self) -> None:
        """As if nothing had been."""
        self.part = answers(answer(b"hello"))
        self.member.requests.clear()
        self.member.cut()


@contextmanager
def stage(folder: Path, reactor: str = "", tls: bool = False, **keys: object) -> Iterator[Stage]:
    """A daemon that never lets its member rest, and the member."""
    acting: list[Stage] = []

    def script(conversation: Conversation) -> None:
        while (head := conversation.head()) is not None:
            acting[0].part(conversation, head)

    if tls:
        keys |= {"listen": "127.0.0.1:0 tls", "certificate": "self-signed"}
    with (
        Member(script) as member,
        Daemon(folder, configuration([f"{member.url} retry=0"], **keys), reactor=reactor) as daemon,  # type: ignore[arg-type]  # listen is a str
    ):
        acting.append(Stage(daemon, member, anybody() if tls else None))
        yield acting[0]
