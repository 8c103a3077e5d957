"""Own requests beside the load: that bodies arrive whole, compared by their SHA-256."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import http.client
import random
import socket
from typing import assert_never

from bench import frames
from bench.checks import Answer, ask
from bench.load import Kind
from bench.loads.transfers import head, up
from bench.loads.tunnels import opening
from bench.places import BULK, Body
from bench.scenarios import Case

_MESSAGES = 4


def broken(case: Case) -> int:
    """How many of our own requests had a wrong status or another body."""
    try:
        return _broken(case)
    except (OSError, ValueError, http.client.HTTPException):
        return 1


def _broken(case: Case) -> int:
    match case.plan.answer:
        case "small" | "large" | "sorry":
            return _broken_answers(case)
        case "bytes":
            return _download(case.port) != case.place.bulk
        case "read":
            name = case.plan.sends or "upload"
            sent = case.place.bulk if name == "bulk" else case.place.upload
            return _upload(case, name, sent.length) != sent.sha256
        case "echo":
            return _broken_messages(case.port, case.plan.path)
        case _:
            assert_never(case.plan.answer)


def _broken_answers(case: Case) -> int:
    plan = case.plan
    times = 1 if plan.kind is Kind.COMERS or ("Connection", "close") in plan.fields else 2
    answers = ask(case.port, plan.path, secure=case.secure, fields=plan.fields, times=times)
    wants_gzip = ("Accept-Encoding", "gzip") in plan.fields
    return sum(not _is_right(each, case, wants_gzip) for each in answers)


def _is_right(answer: Answer, case: Case, wants_gzip: bool) -> bool:
    if answer.status != case.plan.status or wants_gzip != (answer.encoding == "gzip"):
        return False
    body = gzip.decompress(answer.body) if wants_gzip else answer.body
    return Body.of(body) == case.body


def _download(port: int) -> Body:
    with contextlib.closing(socket.create_connection(("127.0.0.1", port), 10)) as sock:
        sock.sendall(f"GET /bytes/{BULK} HTTP/1.1\r\nHost: shop.example\r\n\r\n".encode())
        _, rest, _ = head(sock)
        taken, length = hashlib.sha256(rest), len(rest)
        piece = bytearray(1024 * 1024)
        while length < BULK and (got := sock.recv_into(piece)):
            taken.update(memoryview(piece)[:got])
            length += got
    return Body(length=length, sha256=taken.hexdigest())


def _upload(case: Case, name: str, size: int) -> str:
    """What the member says that it got, as its SHA-256."""
    with contextlib.closing(socket.create_connection(("127.0.0.1", case.port), 10)) as sock:
        up(sock, "/hashed", case.place.given(name), size)
        _, said, length = head(sock)
        while len(said) < length and (more := sock.recv(4096)):
            said += more
    return said.decode()


def _broken_messages(port: int, path: str) -> int:
    payloads = [random.randbytes(frames.SIZE) for _ in range(_MESSAGES)]
    with contextlib.closing(socket.create_connection(("127.0.0.1", port), 10)) as sock:
        sock.sendall(opening(path))
        got = b""
        while b"\r\n\r\n" not in got and (more := sock.recv(4096)):
            got += more
        lines, _, got = got.partition(b"\r\n\r\n")
        if not lines.startswith(b"HTTP/1.1 101 ") or frames.ACCEPTED not in lines:
            return _MESSAGES
        sock.sendall(b"".join(frames.asked(each) for each in payloads))
        while len(got) < _MESSAGES * frames.ECHOED and (more := sock.recv(65536)):
            got += more
    return 0 if got == b"".join(frames.answered(each) for each in payloads) else _MESSAGES
