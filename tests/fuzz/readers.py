"""Two strict readers of HTTP/1 that are not ours: h11, and llhttp by way of httptools."""

from __future__ import annotations

import re
from typing import Final

import h11
import httptools
from tests.edge import llhttp
from tests.fuzz.case import FaultFound

from sorryd.model import Value

LARGEST: Final = 1 << 20  # bytes of a head that h11 takes
_VISIBLE: Final = bytes(byte if byte < 0x80 else 0x78 for byte in range(256))

_upgrade: Final = re.compile(rb"\nupgrade(?=[ \t]*:)", re.IGNORECASE)


class NoMessage(Exception):
    """A reader takes some bytes for no message."""


class Request(Value, frozen=True):
    """A whole request, as a reader heard it."""

    method: bytes
    target: bytes
    body: bytes
    fields: tuple[tuple[bytes, bytes], ...] = ()
    trailers: tuple[tuple[bytes, bytes], ...] = ()


class RequestEar:
    """h11 as a server, for one request. `whole` once it is; `rest` is what came behind it."""

    def __init__(self) -> None:
        self._connection = h11.Connection(h11.SERVER, max_incomplete_event_size=LARGEST)
        self._held = b""  # the first line, while it is not whole
        self._body: list[bytes] = []
        self.raw = b""
        self.head: h11.Request | None = None
        self.trailers: tuple[tuple[bytes, bytes], ...] = ()
        self.whole = False

    @property
    def body(self) -> bytes:
        return b"".join(self._body)

    @property
    def target(self) -> bytes:
        """As it came: h11 takes only what is visible ASCII, so it is not shown the rest."""
        return self.raw.partition(b"\r\n")[0].split(b" ")[1]

    @property
    def request(self) -> Request:
        assert self.head is not None
        return Request(
            bytes(self.head.method), self.target, self.body, tuple(self.head.headers), self.trailers
        )

    @property
    def rest(self) -> bytes:
        return bytes(self._connection.trailing_data[0])

    def hears(self, data: bytes) -> None:
        """The next bytes. Raises NoMessage."""
        self.raw += data
        if self.head is None:
            self._held += data
            line, feed, rest = self._held.partition(b"\n")
            if not feed:
                return
            data, self._held = line.translate(_VISIBLE) + feed + rest, b""
        self._connection.receive_data(data)
        try:
            self._take_events()
        except h11.RemoteProtocolError as why:
            raise NoMessage(f"h11: {why}") from None

    def _take_events(self) -> None:
        while not self.whole:
            event = self._connection.next_event()
            if isinstance(event, h11.Request):
                self.head = event
            elif isinstance(event, h11.Data):
                self._body.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                self.whole = True
                self.trailers = tuple(event.headers)
            else:
                return


def heard_by_h11(raw: bytes) -> Request:
    """The one request that `raw` is; raises NoMessage."""
    ear = RequestEar()
    ear.hears(raw)
    if not ear.whole or ear.rest:
        raise NoMessage("h11: not one whole request")
    return ear.request


def heard_by_llhttp(raw: bytes) -> Request:
    """The same. Methods that are not in llhttp's list are not held against the request, nor are
    bytes beyond ASCII in the target: it hears an "x" instead.
    """
    method, _, rest = raw.partition(b" ")
    line, feed, rest = rest.partition(b"\n")
    try:
        (heard,) = llhttp.requests(b"POST " + line.translate(_VISIBLE) + feed + rest)
    except (httptools.HttpParserError, ValueError) as why:
        raise NoMessage(f"llhttp: {why}") from None
    return Request(method, heard.target, heard.body, heard.fields)


def without_upgrade(raw: bytes) -> bytes:
    """`raw` with the name of Upgrade misspelt: httptools ends such a request with its head."""
    head, end, body = raw.partition(b"\r\n\r\n")
    return _upgrade.sub(b"\nXpgrade", head) + end + body


def visible(target: bytes) -> bytes:
    """As llhttp is shown it."""
    return target.translate(_VISIBLE)


# --- answers ----------------------------------------------------------------------------


class Answer(Value, frozen=True):
    """An answer as it was heard; `whole` where nothing of it is missing. `rest` came behind it.

    `before` are the status codes of the 1xx. Status 0: not even its head came.
    """

    status: int = 0
    fields: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""
    whole: bool = False
    rest: bytes = b""
    before: tuple[int, ...] = ()

    def field(self, name: bytes) -> bytes:
        """The value of the only field of this lower-case name; b"" without one."""
        values = [value for each, value in self.fields if each == name]
        if len(values) > 1:
            raise FaultFound(f"a field that is there twice: {name!r}")
        return values[0] if values else b""


def answer_by_h11(method: bytes, data: bytes, ended: bool, upgrade: bool = False) -> Answer:
    """The first answer in `data`, to a request with `method`. Raises NoMessage.

    `ended`: behind `data` the connection ended properly. `upgrade`: the request asked for one.
    """
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=LARGEST)
    fields = [(b"Host", b"a"), *([(b"Upgrade", b"x")] if upgrade else [])]
    connection.send(h11.Request(method=method, target=b"/", headers=fields))
    connection.send(h11.EndOfMessage())
    if data:
        connection.receive_data(data)
    if ended:
        connection.receive_data(b"")
    return _answer(connection)


def _answer(connection: h11.Connection) -> Answer:
    """What there is of the first answer that `connection` has received."""
    head: h11.Response | h11.InformationalResponse | None = None
    body: list[bytes] = []
    before: list[int] = []
    whole = False
    while not whole:
        event = _next(connection)
        if isinstance(event, h11.InformationalResponse) and event.status_code != 101:
            before.append(event.status_code)
        elif isinstance(event, h11.Response | h11.InformationalResponse):
            head = event
            whole = event.status_code == 101
        elif isinstance(event, h11.Data):
            body.append(bytes(event.data))
        elif isinstance(event, h11.EndOfMessage):
            whole = True
        else:
            break
    return Answer(
        status=head.status_code if head else 0,
        fields=tuple(head.headers) if head else (),
        body=b"".join(body),
        whole=whole,
        rest=bytes(connection.trailing_data[0]) if whole else b"",
        before=tuple(before),
    )


def _next(connection: h11.Connection) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
    try:
        return connection.next_event()
    except h11.RemoteProtocolError as why:
        if "peer" in str(why) or "ConnectionClosed" in str(why):
            return h11.NEED_DATA  # it ended too early
        raise NoMessage(f"h11: {why}") from None


def answer_by_llhttp(data: bytes, ended: bool) -> Answer:
    """The same by llhttp, to any request but HEAD. Raises NoMessage.

    It can't be told that the connection has ended: where its end is that of the body, what it
    heard so far is taken for whole.
    """
    ear = llhttp.Ear()
    ear.parser = parser = httptools.HttpResponseParser(ear)
    try:
        parser.feed_data(data)
    except (httptools.HttpParserError, httptools.HttpParserUpgrade) as why:
        if not ear.heard:
            raise NoMessage(f"llhttp: {why!r}") from None
    finals = [heard for heard in ear.heard if heard.status >= 200 or heard.status == 101]
    if not finals:
        return Answer()
    return Answer(status=finals[0].status, fields=finals[0].fields, body=finals[0].body, whole=True)
