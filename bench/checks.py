"""That every proxy does the work that all of them are to do, seen by requests of our own."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import time

import msgspec

from bench.proxies import Proxy

Fields = tuple[tuple[str, str], ...]

_GATHERED = 200  # lines, after which any proxy has written some
_SPOKEN = ("TLSv1.3", "TLS_AES_128_GCM_SHA256")  # by all: ciphers cost differently
_STRANGER: Fields = (("X-Forwarded-For", "203.0.113.9"), ("Forwarded", "for=203.0.113.9"))


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a request of our own got."""

    status: int
    body: bytes
    via: str
    encoding: str


def unverified() -> ssl.SSLContext:
    """A client's context that takes any certificate: the run's has signed itself."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def ask(port: int, path: str, *, secure: bool, fields: Fields = (), times: int = 2) -> list[Answer]:
    """The same request as many `times`, one after the other on one connection.

    Raises OSError or http.client.HTTPException where no answer comes within 5 s.
    """
    connection: http.client.HTTPConnection
    if secure:
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=5, context=unverified())
    else:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    with contextlib.closing(connection):
        return [_ask_once(connection, path, fields) for _ in range(times)]


def _ask_once(connection: http.client.HTTPConnection, path: str, fields: Fields) -> Answer:
    connection.request("GET", path, headers={"Host": "shop.example", **dict(fields)})
    response = connection.getresponse()
    return Answer(
        status=response.status,
        body=response.read(),
        via=response.headers.get("Via", ""),
        encoding=response.headers.get("Content-Encoding", ""),
    )


def missing_work(proxy: Proxy) -> list[str]:
    """What the proxy leaves out of the work that all of them are to do; nothing is the rule."""
    faults = []
    for secure, port in ((False, proxy.ports.plain), (True, proxy.ports.tls)):
        try:
            answers = ask(port, "/fields", secure=secure, fields=_STRANGER, times=6)
        except (OSError, http.client.HTTPException) as error:
            return [f"no answer at port {port}: {error}"]
        faults += _faults(answers[-1], "https" if secure else "http")
    if (spoken := _spoken(proxy.ports.tls)) != _SPOKEN:
        faults.append(f"speaks {spoken}, not {_SPOKEN}")
    if not _counts(proxy.ports.admin):
        faults.append("its counters are not told")
    if not _logs(proxy):
        faults.append(f"its access log, {proxy.log}, is not written")
    return faults


def _spoken(port: int) -> tuple[str, str]:
    """Version and cipher, to a client that has another first."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=5) as tcp,
        unverified().wrap_socket(tcp, server_hostname="localhost") as sock,
    ):
        name = sock.cipher()
        return sock.version() or "", name[0] if name else ""


def _counts(port: int) -> bool:
    (answer,) = ask(port, "/metrics", secure=False, times=1)
    return answer.status == 200 and len(answer.body) > 50


def _logs(proxy: Proxy) -> bool:
    """Whether a line comes within 3 s; many are asked for, as some gather lines."""
    target = "/small?seen-in-the-log"
    ask(proxy.ports.plain, target, secure=False, times=_GATHERED)
    until = time.monotonic() + 3.0
    while time.monotonic() < until:
        if proxy.log.exists() and target.encode() in proxy.log.read_bytes():
            return True
        time.sleep(0.05)
    return False


def _faults(answer: Answer, scheme: str) -> list[str]:
    got = answer.body.decode(errors="replace").split("\n")
    if answer.status != 200 or len(got) < 5:
        return [f"answered {answer.status} over {scheme}"]
    wanted: Fields = (
        ("X-Forwarded-For", "127.0.0.1"),
        ("X-Forwarded-Proto", scheme),
        ("X-Forwarded-Host", "shop.example"),
    )
    faults = [
        f"{field} is {value!r} at the member, not {right!r}"
        for (field, right), value in zip(wanted, got, strict=False)
        if value != right
    ]
    if not got[3].startswith("1.1 ") or not answer.via.startswith("1.1 "):
        faults.append(f"Via is {got[3]!r} at the member, {answer.via!r} at the visitor")
    if got[4] == "1":  # after six requests to two members
        faults.append("connections to members are not kept alive")
    return faults
