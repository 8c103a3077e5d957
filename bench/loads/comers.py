"""Visitors that come over TLS 1.3, ask once, read to the end and leave; others come in their place.

``python -m bench.loads.comers LOAD`` keeps so many at once, and counts whole answers. With
`resumed` each has the ticket of one that came before, and one whose ticket was not taken is an
error; without, each handshake is a full one.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import time

import msgspec

from bench.checks import unverified
from bench.load import Counted, Load
from bench.loads import told
from bench.loads.visitors import requests
from bench.places import SMALL


class Comers:
    """All that are there. Mutable: it counts, and it keeps tickets."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._context = unverified()
        self._context.minimum_version = ssl.TLSVersion.TLSv1_3
        self._request = requests(load)[0]
        self._epoll = select.epoll()
        self._there: dict[int, _Comer] = {}
        self._ticket: ssl.SSLSession | None = None  # the last one
        self.done = self.connect = self.read = self.unexpected = 0

    def run(self, seconds: int) -> float:
        """Come and go for so long; returns how long it was in fact."""
        started = time.monotonic()
        self._come()
        while (left := started + seconds - time.monotonic()) > 0:
            for fd, _ in self._epoll.poll(left):
                self._go_on(self._there[fd])
            if self.done or self.read:  # the first one has brought a ticket, if there are any
                for _ in range(self._load.connections - len(self._there)):
                    self._come()
        for comer in self._there.values():
            comer.sock.close()
        return time.monotonic() - started

    def _come(self) -> None:
        tcp = socket.create_connection(("127.0.0.1", self._load.port), 10)
        tcp.setblocking(False)
        ticket = self._ticket if self._load.resumed else None
        sock = self._context.wrap_socket(
            tcp, server_hostname="localhost", session=ticket, do_handshake_on_connect=False
        )
        comer = _Comer(sock, self._request, must_resume=self._load.resumed and self.done > 0)
        self._there[sock.fileno()] = comer
        self._epoll.register(sock.fileno(), select.EPOLLIN | select.EPOLLOUT | select.EPOLLET)
        self._go_on(comer)

    def _go_on(self, comer: _Comer) -> None:
        try:
            if not comer.advance():
                return
        except OSError:  # ssl.SSLError is one, and waiting is no error here
            self.read += 1
        else:
            self.done += 1
            self.unexpected += not comer.is_right()
            self._ticket = comer.sock.session
        del self._there[comer.sock.fileno()]
        comer.sock.close()  # which epoll forgets it by


class _Comer:
    """One of them; it goes on whenever its socket is ready."""

    def __init__(self, sock: ssl.SSLSocket, request: bytes, must_resume: bool) -> None:
        self.sock = sock
        self._request = request
        self._must_resume = must_resume
        self._asked = False
        self._shaken = False
        self._got = b""

    def advance(self) -> bool:
        """Go on as far as can be; whether the answer is there, and its end. Raises OSError."""
        with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError):
            if not self._shaken:
                self.sock.do_handshake()
                self._shaken = True
                self.sock.send(self._request)
            while got := self.sock.recv(65536):
                self._got += got
            return True
        return False

    def is_right(self) -> bool:
        """Whether all of it was as it must be."""
        head, _, body = self._got.partition(b"\r\n\r\n")
        return (
            head.startswith(b"HTTP/1.1 200 ")
            and len(body) == SMALL
            and self.sock.version() == "TLSv1.3"
            and (self.sock.session_reused is True or not self._must_resume)
        )


def main() -> None:
    """Load, and print what was counted."""
    load = told()
    comers = Comers(load)
    seconds = comers.run(load.seconds)
    counted = Counted(
        requests=comers.done,
        seconds=seconds,
        read=comers.read,
        unexpected=comers.unexpected,
    )
    print(msgspec.json.encode(counted).decode())


if __name__ == "__main__":
    main()
