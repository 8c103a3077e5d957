"""Own requests beside the load: that bodies arrive whole, and that every proxy does its work."""

from __future__ import annotations

import contextlib
import http.client
import ssl

import msgspec

from bench.places import Body
from bench.proxies import Proxy
from bench.scenarios import Case

Fields = tuple[tuple[str, str], ...]

_STRANGER: Fields = (("X-Forwarded-For", "203.0.113.9"), ("Forwarded", "for=203.0.113.9"))


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a request of our own got."""

    status: int
    body: bytes
    via: str


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
    via = response.headers.get("Via", "")
    return Answer(status=response.status, body=response.read(), via=via)


def broken_bodies(case: Case) -> int:
    """How many of two answers had a wrong status or another body (by SHA-256)."""
    try:
        answers = ask(case.port, case.path, secure=case.secure)
    except (OSError, http.client.HTTPException):
        return 2
    return sum(each.status != case.status or Body.of(each.body) != case.body for each in answers)


def missing_work(proxy: Proxy) -> list[str]:
    """What the proxy leaves out of the work that all of them are to do; nothing is the rule."""
    faults = []
    for secure, port in ((False, proxy.ports.plain), (True, proxy.ports.tls)):
        try:
            answers = ask(port, "/fields", secure=secure, fields=_STRANGER, times=6)
        except (OSError, http.client.HTTPException) as error:
            return [f"no answer at port {port}: {error}"]
        faults += _faults(answers[-1], "https" if secure else "http")
    return faults


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
