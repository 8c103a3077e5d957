"""The control socket's conversations: lines in, lines out, one request at a time.

A connection holds at most one line and one read of bytes, one request under way, and the
answers that the transport still has to write. While a request is under way, or the client does
not read its answers, the client is not read either: the kernel makes it wait. So answers come
in the order asked, and a client can cost no more memory than that, whatever it sends.
"""

from __future__ import annotations

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

from sorryd.control.line_buffer import LineBuffer
from sorryd.control.lines import MAX_LINE, NULL, Call, Refusal, decode, encode_error, encode_result
from sorryd.control.permission import Peer, Permission, author_of
from sorryd.control.subscriptions import Subscription, Subscriptions
from sorryd.control.transport import ControlTransport, peer_of
from sorryd.errors import ControlError, ErrorCode, conflict, not_allowed
from sorryd.messages import EventsSubscribe, Request, is_change
from sorryd.replies import Result
from sorryd.replies_history import SubscribeResult
from sorryd.window import Author

STALL = 30.0  # seconds that a client may leave its answers unread
MAX_CONNECTIONS = 100  # one more, and the one longest at rest is closed
_INTERNAL = ControlError(ErrorCode.INTERNAL_ERROR, "internal error: see the daemon's log")

Execute = Callable[[Request, Author], Deferred[Result]]
FindPeer = Callable[[ITransport], Peer]


@implementer(IHalfCloseableProtocol, IPushProducer)
class ControlProtocol(Protocol):
    """One client of the control socket."""

    def __init__(self, home: ControlFactory) -> None:
        self._home = home
        self._received = LineBuffer()
        self._busy = False  # a request is under way
        self._stalled: IDelayedCall | None = None  # the client does not read
        self._events: Subscription | None = None
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
        self._received.put(data)
        self._proceed()

    def readConnectionLost(self) -> None:
        """The client has asked all it will ask; it still reads."""
        self._no_more = True
        self._received.finish()
        self._proceed()

    def writeConnectionLost(self) -> None:
        """Twisted calls this only after a loseWriteConnection, of which there is none."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._end()
        self.resumeProducing()
        self._home.closed(self)

    def pauseProducing(self) -> None:
        """The transport's buffer is full: the client does not read."""
        if self._stalled is None:
            self._stalled = self._home.clock.callLater(STALL, self.drop)
            if self._events is not None:
                self._events.pause()
            self._proceed()

    def resumeProducing(self) -> None:
        """The transport's buffer is empty again."""
        if self._stalled is not None and self._stalled.active():
            self._stalled.cancel()
        self._stalled = None
        if self._events is not None:
            self._events.resume()
        self._proceed()

    def stopProducing(self) -> None:
        """The transport closes; connectionLost follows."""

    # --- what the daemon tells ---

    @property
    def at_rest(self) -> bool:
        """Whether nobody waits for something: no request is under way, no event awaited."""
        return not self._busy and self._events is None

    def finish(self) -> None:
        """Answer the request under way, if any, and close."""
        self._no_more = True
        self._received.clear()
        self._proceed()

    def drop(self) -> None:
        """Close at once, with whatever is unanswered or unread."""
        self._end()
        self._wire.abortConnection()

    def _end(self) -> None:
        self._closed = self._no_more = True
        self._received.clear()
        if self._events is not None:
            self._events.close()
            self._events = None

    # --- one request after the other ---

    def _proceed(self) -> None:
        """Take the next line, unless something is still to be done before."""
        if self._closed:
            return
        if self._busy or self._stalled is not None:
            self._read(False)
            return
        line = self._received.take()
        if len(self._received if line is None else line) > MAX_LINE:
            self._refuse_length()
        elif line is not None:
            self._begin(line)
        elif self._no_more:
            self._close()
        else:
            self._read(True)

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
            result = await self._home.execute(request, self._author)
            if isinstance(request, EventsSubscribe) and isinstance(result, SubscribeResult):
                self._subscribe(result.cursor, request.site)
            text = encode_result(call_id or NULL, result)
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
        if self._events is not None and self._stalled is None:
            self._events.resume()  # a new one begins behind its answer
        # A turn of the reactor between two requests: a thousand of them in one read must not
        # keep visitors waiting.
        self._home.clock.callLater(0, self._rest)

    def _subscribe(self, after: int, site: str | None) -> None:
        if self._events is not None:
            raise conflict("this connection is subscribed already")
        if not self._closed:
            self._events = self._home.subscriptions.open(after, site, self._wire.write, self._lost)

    def _lost(self, why: Failure) -> None:
        self._home.log.error("events can't be read: {why}", why=why.getErrorMessage())
        self._close()

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
        self._end()
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
        subscriptions: Subscriptions,
        find_peer: FindPeer = peer_of,
        max_connections: int = MAX_CONNECTIONS,
    ) -> None:
        self.clock = clock
        self.execute = execute
        self.permission = permission
        self.subscriptions = subscriptions
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
