"""The control socket's conversations: lines in, lines out, one request at a time.

A connection holds at most one line and one read of bytes, one request under way, and the
answers that the transport still has to write. While a request is under way, or the client does
not read its answers, the client is not read either: the kernel makes it wait. So answers come
in the order asked, and a client can cost no more memory than that, whatever it sends.
"""

from __future__ import annotations

import typing
from collections.abc import Callable
from typing import cast

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IHalfCloseableProtocol,
    IPushProducer,
    IReactorTime,
    ITransport,
)
from twisted.internet.protocol import Protocol, ServerFactory, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from sorryd.control.lines import MAX_LINE, NULL, Call, Refusal, decode, encode_error, encode_result
from sorryd.control.permission import Peer, Permission, author_of, read_peer
from sorryd.messages import ControlError, ErrorCode, Request, is_change, not_allowed
from sorryd.replies import Result
from sorryd.window import Author

STALL = 30.0  # seconds that a client may leave its answers unread
MAX_CONNECTIONS = 100  # one more, and the one longest at rest is closed
_INTERNAL = ControlError(ErrorCode.INTERNAL_ERROR, "internal error: see the daemon's log")

Execute = Callable[[Request, Author], Deferred[Result]]
FindPeer = Callable[[ITransport], Peer]


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


@implementer(IHalfCloseableProtocol, IPushProducer)
class ControlProtocol(Protocol):
    """One client of the control socket."""

    def __init__(self, home: ControlFactory) -> None:
        self._home = home
        self._received = bytearray()
        self._searched = 0  # so many received bytes hold no line's end
        self._busy = False  # a request is under way
        self._stalled: IDelayedCall | None = None  # the client does not read
        self._reading = True
        self._no_more = False  # nothing more will be read
        self._closed = False

    # --- what the transport tells ---

    def connectionMade(self) -> None:
        assert self.transport is not None
        self._wire = cast(ControlTransport, self.transport)
        self._peer = self._home.find_peer(self.transport)
        self._author = author_of(self._peer)
        self._wire.registerProducer(self, True)
        self._home.opened(self)

    def dataReceived(self, data: bytes) -> None:
        if self._no_more:
            return
        self._received += data
        self._proceed()

    def readConnectionLost(self) -> None:
        """The client has asked all it will ask; it still reads."""
        self._no_more = True
        if self._received and self._received[-1:] != b"\n":
            self._received += b"\n"
        self._proceed()

    def writeConnectionLost(self) -> None:
        """Twisted calls this only after a loseWriteConnection, of which there is none."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._closed = self._no_more = True
        self._received.clear()
        self.resumeProducing()
        self._home.closed(self)

    def pauseProducing(self) -> None:
        """The transport's buffer is full: the client does not read."""
        if self._stalled is None:
            self._stalled = self._home.clock.callLater(STALL, self.drop)
            self._proceed()

    def resumeProducing(self) -> None:
        """The transport's buffer is empty again."""
        if self._stalled is not None and self._stalled.active():
            self._stalled.cancel()
        self._stalled = None
        self._proceed()

    def stopProducing(self) -> None:
        """The transport closes; connectionLost follows."""

    # --- what the daemon tells ---

    @property
    def at_rest(self) -> bool:
        """Whether no request is under way."""
        return not self._busy

    def finish(self) -> None:
        """Answer the request under way, if any, and close."""
        self._no_more = True
        self._received.clear()
        self._proceed()

    def drop(self) -> None:
        """Close at once, with whatever is unanswered or unread."""
        self._closed = self._no_more = True
        self._wire.abortConnection()

    # --- one request after the other ---

    def _proceed(self) -> None:
        """Take the next line, unless something is still to be done before."""
        if self._closed:
            return
        if self._busy or self._stalled is not None:
            self._read(False)
            return
        line = self._take_line()
        if len(self._received if line is None else line) > MAX_LINE:
            self._refuse_length()
        elif line is not None:
            self._begin(line)
        elif self._no_more:
            self._close()
        else:
            self._read(True)

    def _take_line(self) -> bytes | None:
        """The next line that is not blank, without its end; None while there is none."""
        while (end := self._received.find(b"\n", self._searched)) >= 0:
            line = bytes(self._received[:end])
            del self._received[: end + 1]
            self._searched = 0
            if line.strip():
                return line
        self._searched = len(self._received)
        return None

    def _begin(self, line: bytes) -> None:
        self._busy = True
        self._read(False)
        self._home.active(self)
        match decode(line):
            case Refusal(id=call_id, error=error):
                self._answer(None if call_id is None else encode_error(call_id, error))
            case Call(id=call_id, request=request):
                Deferred.fromCoroutine(self._serve(call_id, request))

    async def _serve(self, call_id: bytes | None, request: Request) -> None:
        try:
            self._check_permission(request)
            text = encode_result(call_id or NULL, await self._home.execute(request, self._author))
        except ControlError as error:
            text = encode_error(call_id or NULL, error)
        except Exception:
            self._home.log.failure("{method} failed", method=request.method)
            text = encode_error(call_id or NULL, _INTERNAL)
        self._answer(text if call_id is not None else None)

    def _check_permission(self, request: Request) -> None:
        if is_change(request) and not self._home.permission.allows_change(self._peer):
            raise not_allowed(
                f"{self._author.name} may not change anything: "
                f"that is for {self._home.permission.allowed}"
            )

    def _answer(self, text: bytes | None) -> None:
        if self._closed:
            return
        if text is not None:
            self._wire.write(text)
        # A turn of the reactor between two requests: a thousand of them in one read must not
        # keep visitors waiting.
        self._home.clock.callLater(0, self._rest)

    def _rest(self) -> None:
        self._busy = False
        self._proceed()

    # --- the connection ---

    def _refuse_length(self) -> None:
        text = f"a line is at most {MAX_LINE} bytes long"
        self._wire.write(encode_error(NULL, ControlError(ErrorCode.INVALID_REQUEST, text)))
        self._close()

    def _read(self, wanted: bool) -> None:
        if wanted is self._reading or self._no_more:
            return
        self._reading = wanted
        if wanted:
            self._wire.resumeProducing()
        else:
            self._wire.pauseProducing()

    def _close(self) -> None:
        """Close when all answers are written, or at last when the client has stalled."""
        if self._closed:
            return
        self._closed = self._no_more = True
        self._received.clear()
        if self._stalled is None:
            self._stalled = self._home.clock.callLater(STALL, self.drop)
        self._wire.unregisterProducer()
        self._wire.loseConnection()


class ControlFactory(ServerFactory):
    """Makes the conversations, and ends them."""

    noisy = False
    log = Logger(namespace="sorryd.control")

    def __init__(
        self,
        clock: IReactorTime,
        execute: Execute,
        permission: Permission,
        find_peer: FindPeer = peer_of,
        max_connections: int = MAX_CONNECTIONS,
    ) -> None:
        self.clock = clock
        self.execute = execute
        self.permission = permission
        self.find_peer = find_peer
        self.max_connections = max_connections
        self._connections: dict[ControlProtocol, None] = {}  # the longest at rest first

    def buildProtocol(self, addr: IAddress | None) -> ControlProtocol:
        return ControlProtocol(self)

    def opened(self, connection: ControlProtocol) -> None:
        """A client is there. Make room for it where there are too many."""
        self._connections[connection] = None
        if len(self._connections) > self.max_connections:
            resting = next((one for one in self._connections if one.at_rest), connection)
            resting.drop()

    def active(self, connection: ControlProtocol) -> None:
        """A client asks for something."""
        self._connections[connection] = self._connections.pop(connection, None)

    def closed(self, connection: ControlProtocol) -> None:
        """A client is gone."""
        self._connections.pop(connection, None)

    def finish(self) -> None:
        """Close all conversations, each after the answer that it waits for."""
        for connection in list(self._connections):
            connection.finish()
