"""Another reader's opinion: llhttp, the parser of Node.js, by way of httptools."""

from __future__ import annotations

import httptools

from sorryd.model import Value


class Heard(Value, frozen=True):
    """A message as llhttp hears it; `status` 0 is a request's, `target` b"" an answer's."""

    fields: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""
    method: bytes = b""
    target: bytes = b""
    status: int = 0
    keep_alive: bool = False

    def field(self, name: bytes) -> bytes | None:
        """The value of the only field of this lower-case name; None where there is none."""
        values = [value for each, value in self.fields if each.lower() == name]
        assert len(values) < 2
        return values[0] if values else None


class Ear:
    """Collects what httptools calls back."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.parser: httptools.HttpRequestParser | httptools.HttpResponseParser
        self.begun = False
        self._target = b""
        self._fields: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []

    def whole(self) -> list[Heard]:
        """What was heard, if it ended well; raises httptools.HttpParserError."""
        if self.begun:
            raise httptools.HttpParserError("the last message is not whole")
        return self.heard

    def on_message_begin(self) -> None:
        self.begun = True
        self._target = b""
        self._fields = []
        self._body = []

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._fields.append((name, value))

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        parser = self.parser
        method, status = b"", 0
        if isinstance(parser, httptools.HttpResponseParser):
            status = parser.get_status_code()
        else:
            method = parser.get_method()
        self.begun = False
        self.heard.append(
            Heard(
                fields=tuple(self._fields),
                body=b"".join(self._body),
                method=method,
                target=self._target,
                status=status,
                keep_alive=parser.should_keep_alive(),
            )
        )


def requests(data: bytes) -> list[Heard]:
    """The requests in `data`, all of them whole; raises httptools.HttpParserError."""
    heard: list[Heard] = []
    while data:
        ear = Ear()
        ear.parser = httptools.HttpRequestParser(ear)
        try:
            ear.parser.feed_data(data)
            data = b""
        except httptools.HttpParserUpgrade as upgrade:
            # It stops where another protocol may follow: without 101 none does.
            data = data[upgrade.args[0] :]
        heard += ear.whole()
    return heard


def answers(*pieces: bytes) -> list[Heard]:
    """The answers in `pieces`, all of them whole; raises httptools.HttpParserError."""
    ear = Ear()
    ear.parser = httptools.HttpResponseParser(ear)
    for piece in pieces:
        ear.parser.feed_data(piece)
    return ear.whole()
