"""How records are read and written: OpenSSL's own functions, or pyOpenSSL's methods.

A read through pyOpenSSL is three Python frames, a buffer made and dropped, and an exception
where nothing has come. OpenSSL's functions, as pyOpenSSL itself has them of cryptography, are
one call each. Their names are private, so they are looked for at import: where one is missing
`CALLS` is `PUBLIC`, which does the same by public methods.

Nothing here does I/O of its own, and nothing is kept between calls but the buffer: it is one
for the process, since what is in it is taken out before the next call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

from OpenSSL import SSL

RECORD: Final = 16384
"""Bytes in the largest record (RFC 8446 §5.1): a read of so many leaves nothing of one behind."""

SHAKEN: Final = 1  # a handshake is done

# What came in place of bytes, or of the end: SSL_get_error(3) has the same, without the sign.
BROKEN: Final = -1
WANT_READ: Final = -2
WANT_WRITE: Final = -3
ENDED: Final = -6
"""The peer's close_notify was read."""


class View(Protocol):
    """A buffer whose slices are bytes of their own."""

    def __getitem__(self, part: slice, /) -> bytes: ...


class Calls:
    """The functions, bound once; `handle_of` makes what they ask for of a connection.

    `read` and `write` return how many bytes, at least one; else `why` tells what came in place
    of them. At most `RECORD` bytes are read, into `buffer`, and `view` gives them out. `write`
    takes bytes as they are; `at` makes of a memoryview what it takes.

    `shake` goes on with a handshake: `SHAKEN`, WANT_READ or WANT_WRITE. It raises what pyOpenSSL
    would, and so what a callback has raised.
    """

    __slots__ = ("at", "buffer", "handle_of", "read", "shake", "view", "why", "write")

    def __init__(
        self,
        *,
        handle_of: Callable[[SSL.Connection], object],
        read: Callable[[object, object, int], int],
        write: Callable[[object, object, int], int],
        why: Callable[[object, int], int],
        at: Callable[[memoryview], object],
        shake: Callable[[SSL.Connection], int],
        buffer: object,
        view: View,
    ) -> None:
        self.handle_of, self.at, self.shake = handle_of, at, shake
        self.read, self.write, self.why = read, write, why
        self.buffer, self.view = buffer, view


# --- by public methods ----------------------------------------------------------------------


class _Copies:
    """What a bytearray holds, in bytes."""

    def __init__(self, held: bytearray) -> None:
        self._held = held

    def __getitem__(self, part: slice) -> bytes:
        return bytes(self._held[part])


def _public() -> Calls:
    buffer = bytearray(RECORD)
    return Calls(
        handle_of=lambda connection: connection,
        read=_public_read,
        write=_public_write,
        why=lambda _, result: result,
        at=lambda view: view,
        shake=_public_shake,
        buffer=buffer,
        view=_Copies(buffer),
    )


def _public_read(connection: Any, buffer: Any, size: int) -> int:
    try:
        return int(connection.recv_into(buffer, size))
    except SSL.Error as error:
        return _code(error)


def _public_write(connection: Any, data: Any, size: int) -> int:
    try:
        return int(connection.send(data))
    except SSL.Error as error:
        return _code(error)


def _public_shake(connection: SSL.Connection) -> int:
    try:
        connection.do_handshake()
    except (SSL.WantReadError, SSL.WantWriteError) as error:
        return _code(error)
    return SHAKEN


def _code(error: SSL.Error) -> int:
    match error:
        case SSL.WantReadError():
            return WANT_READ
        case SSL.WantWriteError():
            return WANT_WRITE
        case SSL.ZeroReturnError():
            return ENDED
        case _:
            return BROKEN


# --- by OpenSSL's own functions -------------------------------------------------------------


def _direct() -> Calls | None:
    try:
        from OpenSSL._util import ffi, lib  # its absence is what is looked for

        get_error, clear, wants = lib.SSL_get_error, lib.ERR_clear_error, lib.SSL_ERROR_WANT_READ
        read, write, go_on = lib.SSL_read, lib.SSL_write, lib.SSL_do_handshake
        buffer = ffi.new("char[]", RECORD)
        view, at = ffi.buffer(buffer), ffi.from_buffer
        any_one = SSL.Connection(SSL.Context(SSL.TLS_METHOD))
        known = all(hasattr(any_one, name) for name in ("_ssl", "_raise_ssl_error"))
        if wants != -WANT_READ or not known:
            return None
    except (ImportError, AttributeError):
        return None

    def why(handle: object, result: int) -> int:
        code = -int(get_error(handle, result))
        if code not in _HARMLESS:
            # Before 4.0 it looked at OpenSSL's queue of errors, too, where somebody else may have
            # left one: a second opinion without it. What has really failed wants nothing any more.
            clear()
            code = -int(get_error(handle, result))
        return code if code in _HARMLESS else BROKEN

    def shake(connection: SSL.Connection) -> int:
        clear()
        handle = connection._ssl
        result = int(go_on(handle))
        if result != SHAKEN:
            code = -int(get_error(handle, result))
            if code in (WANT_READ, WANT_WRITE):
                return code
            connection._raise_ssl_error(handle, result)
            raise SSL.Error  # it has raised
        return SHAKEN

    return Calls(
        handle_of=lambda connection: connection._ssl,
        read=read,
        write=write,
        why=why,
        at=at,
        shake=shake,
        buffer=buffer,
        view=view,
    )


_HARMLESS: Final = frozenset({WANT_READ, WANT_WRITE, ENDED})


PUBLIC: Final = _public()
DIRECT: Final = _direct()
"""None where this pyOpenSSL, or its cryptography, has them no more."""

CALLS: Final = PUBLIC if DIRECT is None else DIRECT
