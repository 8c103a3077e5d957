"""What a conversation on the control socket asks of its transport."""

from __future__ import annotations

import typing

from twisted.internet.interfaces import IPushProducer, ITransport

from sorryd.control.permission import Peer, read_peer


class ControlTransport(typing.Protocol):
    """What a conversation asks of its transport."""

    def write(self, data: bytes) -> None: ...
    def registerProducer(self, producer: IPushProducer, streaming: bool) -> None: ...
    def unregisterProducer(self) -> None: ...
    def pauseProducing(self) -> None: ...
    def resumeProducing(self) -> None: ...
    def loseConnection(self) -> None: ...
    def abortConnection(self) -> None: ...


def peer_of(transport: ITransport) -> Peer:
    """Who is at the other end of Twisted's transport of a UNIX socket."""
    return read_peer(transport.socket)  # type: ignore[attr-defined]  # not in ITransport
