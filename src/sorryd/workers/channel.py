"""Messages and descriptors between two processes, over a UNIX stream socket.

Twisted's own transport carries them. It reads of descriptors what came with the bytes, in order,
and they never come later than the frame that they belong to. What it was given to send it must
find open, so the channel has duplicates of its own until they are with the kernel.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from socket import AF_UNIX, socket
from typing import Any, Final, Generic, NamedTuple, TypeVar, cast

import msgspec
from twisted.internet.interfaces import (
    IAddress,
    IFileDescriptorReceiver,
    IPullProducer,
    IUNIXTransport,
)
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from sorryd.workers.frames import MOST_FDS, Frames, head_of

log = Logger()
M = TypeVar("M")

PIECE: Final = 131072
"""Bytes that the transport is given at once."""


class _Piece(NamedTuple):
    data: bytes
    fds: Sequence[int]  # they go before it, and are ours


@implementer(IFileDescriptorReceiver, IPullProducer)
class Channel(Protocol, Generic[M]):
    """One end. `name` is whom it leads to, for the log.

    `hears` is the union of all messages that may come, each a tagged struct. `heard` gets each of
    them, with its descriptors: from then on they are the hearer's to close. `lost` is called once,
    when nothing more can come; also after `close` and `abort`. A message that can't be decoded, or
    lacks a descriptor, ends the channel: the other end is another release, or has a bug.
    """

    def __init__(
        self,
        name: str,
        hears: Any,
        heard: Callable[[M, tuple[int, ...]], None],
        lost: Callable[[], None],
    ) -> None:
        self.unsent = 0
        self._name = name
        self._heard = heard
        self._lost = lost
        self._decoder: msgspec.msgpack.Decoder[M] = msgspec.msgpack.Decoder(hears)
        self._frames = Frames()
        self._fds: deque[int] = deque()  # that came, and were not handed out
        self._waiting: deque[_Piece] = deque()
        self._under_way: list[_Piece] = []  # what the transport has
        self._is_over = False  # nothing more is heard, or taken to be sent
        self._is_drained = True  # the transport asks for more no more by itself

    unsent: int
    """Bytes that were sent and are not with the kernel: a peer that does not read lets it grow."""

    # --- for the owner ---

    def send(self, message: msgspec.Struct, fds: Sequence[int] = ()) -> None:
        """Send it, with duplicates of `fds`. Over a channel that is over, it is dropped.

        Raises OSError where a descriptor can't be duplicated.
        """
        assert len(fds) <= MOST_FDS
        if self._is_over:
            return
        body = msgspec.msgpack.encode(message)
        self._put(_Piece(head_of(body, len(fds)), _duplicates(fds)))
        for at in range(0, len(body), PIECE):
            self._put(_Piece(body[at : at + PIECE], ()))
        if self._is_drained:
            self.resumeProducing()

    def close(self) -> None:
        """Hear no more, and be over when all that was sent is written."""
        if not self._is_over:
            self._is_over = True
            if self._is_drained:
                self._wire.unregisterProducer()
            self._wire.loseConnection()

    def abort(self) -> None:
        """Be over at once; what is not written is dropped."""
        self._is_over = True
        self._wire.abortConnection()

    # --- what Twisted tells ---

    def connectionMade(self) -> None:
        self._wire.registerProducer(self, False)

    def fileDescriptorReceived(self, descriptor: int) -> None:
        os.set_inheritable(descriptor, False)
        self._fds.append(descriptor)

    def dataReceived(self, data: bytes) -> None:
        for body, count in self._frames.feed(data):
            if self._is_over:
                return
            self._hear(body, count)

    def resumeProducing(self) -> None:
        """The transport has written all that it had."""
        self._written()
        size = 0
        while self._waiting and size < PIECE:
            piece = self._waiting.popleft()
            self._under_way.append(piece)
            size += len(piece.data)
            for fd in piece.fds:
                self._wire.sendFileDescriptor(fd)
        self._is_drained = not size
        if size:
            self._wire.writeSequence([piece.data for piece in self._under_way])
        elif self._is_over:
            self._wire.unregisterProducer()

    def stopProducing(self) -> None:
        """The connection is lost: `connectionLost` follows."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._is_over = True
        self._written()
        for piece in self._waiting:
            _close(piece.fds)
        self._waiting.clear()
        self.unsent = 0
        _close(self._fds)
        self._fds.clear()
        self._lost()

    # --- what follows ---

    @property
    def _wire(self) -> Any:
        return cast(IUNIXTransport, self.transport)

    def _put(self, piece: _Piece) -> None:
        self._waiting.append(piece)
        self.unsent += len(piece.data)

    def _written(self) -> None:
        for piece in self._under_way:
            self.unsent -= len(piece.data)
            _close(piece.fds)
        self._under_way.clear()

    def _hear(self, body: bytearray, count: int) -> None:
        if len(self._fds) < count:
            self._give_up("descriptors are missing: are too many files open?")
            return
        try:
            message = self._decoder.decode(body)
        except msgspec.DecodeError as why:
            self._give_up(str(why))
            return
        self._heard(message, tuple(self._fds.popleft() for _ in range(count)))

    def _give_up(self, why: str) -> None:
        log.error("{name}: what it says is not understood: {why}", name=self._name, why=why)
        self.abort()


class _Once(Factory):
    """Builds the one protocol."""

    noisy = False

    def __init__(self, channel: Channel[Any]) -> None:
        self._channel = channel

    def buildProtocol(self, addr: IAddress | None) -> Channel[Any]:
        return self._channel


def open_channel(
    reactor: Any,
    sock: socket,
    name: str,
    hears: Any,
    heard: Callable[[M, tuple[int, ...]], None],
    lost: Callable[[], None],
) -> Channel[M]:
    """A channel over `sock`, a connected UNIX stream socket that it takes over; see Channel.

    Raises OSError where no descriptor is left; `sock` is closed then, too.
    """
    channel = Channel(name, hears, heard, lost)
    with sock:
        sock.setblocking(False)
        reactor.adoptStreamConnection(sock.fileno(), AF_UNIX, _Once(channel))
    return channel


def _duplicates(fds: Sequence[int]) -> list[int]:
    """Duplicates, not inherited; raises OSError, and leaves none then."""
    made: list[int] = []
    try:
        made.extend(map(os.dup, fds))
    except OSError:
        _close(made)
        raise
    return made


def _close(fds: Iterable[int]) -> None:
    for fd in fds:
        os.close(fd)
