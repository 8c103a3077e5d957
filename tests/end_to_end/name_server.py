"""A small DNS server of the tests' own: answers what it is told to, in a thread."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from twisted.names import dns


class NameServer:
    """Answers A and AAAA on a UDP port of the system's choice.

    `records` are the addresses of each name; a name that is not there does not exist. `ttl` is
    told with each. While it is `silent`, nobody is answered. `asked` are the names asked for.
    """

    def __init__(self, ttl: int = 1) -> None:
        self.records: dict[str, Sequence[str]] = {}
        self.ttl = ttl
        self.is_silent = False
        self.asked: list[str] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        # A datagram of our own wakes the thread; to close beneath it would not.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bell:
            bell.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            data, asker = self._socket.recvfrom(4096)
            if not data:
                return
            if not self.is_silent:
                self._socket.sendto(self._answer(data), asker)

    def _answer(self, data: bytes) -> bytes:
        message = dns.Message()
        message.fromStr(data)
        (query,) = message.queries
        name = query.name.name.decode()
        self.asked.append(name)
        message.answer, message.recAv = 1, 1
        addresses = self.records.get(name)
        if addresses is None:
            message.rCode = dns.ENAME
        for address in addresses or ():
            record: dns.Record_A | dns.Record_AAAA = (
                dns.Record_AAAA(address) if ":" in address else dns.Record_A(address)
            )
            if query.type == record.TYPE:
                message.answers.append(
                    dns.RRHeader(name.encode(), record.TYPE, ttl=self.ttl, payload=record)
                )
        whole: bytes = message.toStr()
        return whole
