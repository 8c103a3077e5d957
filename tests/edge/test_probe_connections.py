"""One check of one member: its connection, its time, and its end."""

from __future__ import annotations

import pytest
from tests.edge.messages import answer
from tests.edge.probing import HTTP, TCP, TIMEOUT, Checking, Street

from sorryd.model import Check

OK = answer()


# --- connections ---


def test_tcp(street: Street) -> None:
    """To be connected is enough."""
    checking = Checking(street, TCP)
    wire = checking.call.succeeds()
    assert wire.gets() == b""
    assert wire.has_fin
    checking.found(None)


@pytest.mark.parametrize("check", [HTTP, TCP], ids=["http", "tcp"])
@pytest.mark.parametrize("why", ["connection refused", ""])
def test_not_connected(street: Street, check: Check, why: str) -> None:
    """Why is handed on as it is: empty where it is not the member's fault."""
    checking = Checking(street, check)
    checking.call.fails(why)
    checking.found(why)


@pytest.mark.parametrize("how", ["FIN", "RST"])
def test_handshake_fails(street: Street, how: str) -> None:
    """What makes the connection is told of the end of a handshake, and says why."""
    checking = Checking(street, TCP)
    call = checking.call
    call.connection.on_lost = lambda: call.fails("TLS handshake failed: it was not for us")
    call.begins().leaves(how)
    checking.found("TLS handshake failed: it was not for us")


def test_handshake(street: Street) -> None:
    """What makes the connection is told of the handshake; then the question is sent."""
    checking = Checking(street, HTTP)
    call = checking.call

    def shaken() -> None:
        call.succeeds()

    call.connection.on_handshake = shaken
    wire = call.begins()
    assert wire.gets() == b""
    wire.shakes_hands()
    assert wire.gets().startswith(b"GET /healthz ")
    wire.says(OK)
    checking.found(None)


# --- time ---


def test_no_connection_in_time(street: Street) -> None:
    """A check that can't connect is given up after its time-out."""
    checking = Checking(street, HTTP)
    street.passes(TIMEOUT - 0.01)
    assert checking.verdicts == []
    street.passes(0.02)
    checking.found("no connection within 2 s")
    assert checking.call.is_cancelled


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\n"])
def test_no_answer_in_time(street: Street, said: bytes) -> None:
    """The time-out is for the whole check, however slowly something comes."""
    checking = Checking(street, HTTP)
    street.passes(TIMEOUT / 2)
    wire = checking.asked()
    if said:
        wire.says(said)
    street.passes(TIMEOUT / 2)
    checking.found("no answer within 2 s")
    assert wire.is_aborted


def test_no_end_in_time(street: Street) -> None:
    """A member that does not end its answer is let go of; it has answered in time."""
    checking = Checking(street, HTTP)
    wire = checking.asked()
    wire.says(b"HTTP/1.1 200 OK\r\n\r\n")
    street.passes(TIMEOUT)
    assert wire.is_aborted
    checking.found(None)


@pytest.mark.parametrize("when", ["connecting", "asked", "reading"])
def test_cancel(street: Street, when: str) -> None:
    """A check that nobody wants any more says nothing, and leaves nothing."""
    checking = Checking(street, HTTP)
    if when != "connecting":
        wire = checking.asked()
        if when == "reading":
            wire.says(b"HTTP/1.1 2")
    checking.probe.cancel()
    street.passes(10 * TIMEOUT)
    assert checking.verdicts == []
    assert checking.overs == 0


@pytest.mark.parametrize("when", ["refused", "answered", "late", "connected"])
def test_cancel_by_its_own_verdict(street: Street, when: str) -> None:
    """What a verdict leads to may be that the check is not wanted any more."""
    checking = Checking(street, TCP if when == "connected" else HTTP)
    probe = checking.probe
    probe._judged = lambda why: probe.cancel()
    match when:
        case "refused":
            checking.call.fails("connection refused")
        case "answered":
            checking.asked().says(OK)
        case "connected":
            checking.call.succeeds()
        case _:
            street.passes(TIMEOUT)
    assert checking.overs == 0
