"""Real servers behind a real sorryd: each connection follows a script, in a thread."""

from __future__ import annotations

import contextlib
import dataclasses
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.end_to_end.waiting import PATIENCE
from tests.end_to_end.wire import CutShort, Message, Wire, answer


class Conversation(Wire):
    """A connection as the member sees it; its requests are noted down."""

    def __init__(self, sock: socket.socket, member: Member) -> None:
        super().__init__(sock)
        self.member = member

    def request(self) -> Message | None:
        """See Wire; noted in the member's `requests`."""
        head = self.head()
        return None if head is None else self.note(head)

    def note(self, head: Message) -> Message:
        """Read the body of a request, and note it whole in the member's `requests`."""
        request = dataclasses.replace(head, body=self.body(head))
        self.member.requests.append(request)
        return request


Script = Callable[[Conversation], None]


def serving(reply: Callable[[Message], bytes]) -> Script:
    """Answers every request of a connection with what `reply` makes of it."""

    def script(conversation: Conversation) -> None:
        while (request := conversation.request()) is not None:
            conversation.send(reply(request))

    return script


def saying(body: bytes) -> Script:
    """Answers everything with `body`; to HEAD, without it."""

    def reply(request: Message) -> bytes:
        whole = answer(body)
        return whole.removesuffix(body) if request.method == b"HEAD" else whole

    return serving(reply)


class Member:
    """A server at `port` of `host`, 0: one of the system's choice, from now until it is closed.

    A script that ends closes its connection; one that raises what a lost connection raises does
    the same. `requests` are those that were read whole, `connections` how many were accepted.
    """

    def __init__(
        self,
        script: Script,
        *,
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        receive_buffer: int = 0,
    ) -> None:
        self.requests: list[Message] = []
        self.connections = 0
        self._script = script
        self._tls = tls
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listening = socket.socket()
        self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if receive_buffer:
            self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._listening.bind((host, port))
        self._listening.listen(512)
        self.port: int = self._listening.getsockname()[1]
        self._run(self._accept)

    @property
    def url(self) -> str:
        """As sorryd.ini has it."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Refuse and cut everything from now on."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut()
        for thread in self._threads:
            thread.join(PATIENCE)

    def cut(self) -> None:
        """Close all connections that are open, and count anew."""
        for sock in tuple(self._open):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self.connections = 0

    def _run(self, call: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=call, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            sock.settimeout(2 * PATIENCE)
            self._open.add(sock)
            self._run(self._serve, sock)

    def _serve(self, plain: socket.socket) -> None:
        sock = plain
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                sock = self._tls.wrap_socket(plain, server_side=True)
                self._open.add(sock)
            self._script(Conversation(sock, self))
        except (OSError, CutShort):
            pass  # sorryd let go of it, which it may
        finally:
            self._open -= {plain, sock}
            sock.close()


def server_side(folder: Path, chain: bytes, key: bytes) -> ssl.SSLContext:
    """TLS for a member, with what certificates.issue made."""
    file = folder / "member.pem"
    file.write_bytes(chain + key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


class MemberProcess:
    """A member in a process of its own, to be killed; it answers everything with `name`."""

    def __init__(self, name: str, port: int = 0) -> None:
        self.name = name
        self.port = port
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        """As sorryd.ini has it."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, at the port that it had before."""
        script = Path(__file__).with_name("member_process.py")
        self._process = subprocess.Popen(
            [sys.executable, str(script), self.name, str(self.port)], stdout=subprocess.PIPE
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def kill(self) -> None:
        """kill -9."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGKILL)
            process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.kill()
