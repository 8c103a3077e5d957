"""Lines of the control socket to typed calls, and results to lines (JSON-RPC 2.0).

Pure. Batches are refused: one object a line is batch enough, and keeps answers in order.
An id is echoed as the bytes it came in, so that none is rounded or spelled anew.
"""

from __future__ import annotations

import re
from typing import get_args

import msgspec

from sorryd.errors import ControlError, ErrorCode, invalid_params
from sorryd.messages import Request
from sorryd.model import Value
from sorryd.replies import Result
from sorryd.replies_history import HistoryEntry

MAX_LINE = 1024 * 1024  # bytes, without the line's end
NULL = b"null"  # the id in answers to what had none that could be read
_NO_ID = b"[{tf"  # how arrays, objects and truth values begin

_METHODS: dict[str, type[Request]] = {kind.method: kind for kind in get_args(Request)}
_ENCODER = msgspec.json.Encoder()
_ABSENT = msgspec.Raw()
_EMPTY = msgspec.Raw(b"{}")
_PATH = re.compile(r" - at `(?P<path>\$[^`]*)`\Z")
_TOO_LONG = re.compile(r"Expected `str` of length <= (?P<most>\d+)")
_MISSING = re.compile(r"Object missing required field `(?P<field>[^`]*)`")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<field>[^`]*)`")


class Call(Value, frozen=True, kw_only=True):
    """A request as it came. `id` is the JSON of its id, None for a notification."""

    id: bytes | None
    request: Request


class Refusal(Value, frozen=True, kw_only=True):
    """A line that is no request. `id` None: nothing is answered, as it was a notification."""

    id: bytes | None
    error: ControlError


class _Frame(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """JSON-RPC 2.0 §4. Other members are refused, else ``"parms"`` would be lost silently."""

    jsonrpc: str
    method: str
    params: msgspec.Raw = _EMPTY
    id: msgspec.Raw = _ABSENT


class _Sender(msgspec.Struct, frozen=True):
    """What of a broken request is enough to answer it."""

    id: msgspec.Raw = _ABSENT


_FRAMES = msgspec.json.Decoder(_Frame)
_SENDERS = msgspec.json.Decoder(_Sender)


def decode(line: bytes) -> Call | Refusal:
    """The request in `line`, or why it is none. Never raises."""
    try:
        line.decode()  # msgspec looks not into ids, which are echoed
        frame = _FRAMES.decode(line)
    except msgspec.ValidationError as error:
        return Refusal(id=_sender(line), error=_invalid_request(str(error)))
    except (ValueError, RecursionError) as error:  # msgspec.DecodeError is a ValueError
        return Refusal(id=NULL, error=_parse_error(error))
    call_id = bytes(frame.id) or None
    if call_id is not None and call_id[0] in _NO_ID:
        text = "id: expected a string, a number or null"
        return Refusal(id=NULL, error=ControlError(ErrorCode.INVALID_REQUEST, text, "id"))
    if frame.jsonrpc != "2.0":
        refused = ControlError(ErrorCode.INVALID_REQUEST, 'jsonrpc: expected "2.0"', "jsonrpc")
        return Refusal(id=call_id or NULL, error=refused)
    try:
        return Call(id=call_id, request=_request(frame))
    except ControlError as refused:
        return Refusal(id=call_id, error=refused)


def encode_result(call_id: bytes, result: Result) -> bytes:
    """The line that answers the request `call_id` with `result`, its end included."""
    return _answer(call_id, b"result", _ENCODER.encode(result))


def encode_error(call_id: bytes, error: ControlError) -> bytes:
    """The line that refuses the request `call_id`, its end included."""
    told = error.field is not None or error.faults
    data = _ErrorData(field=error.field, faults=error.faults) if told else None
    body = _Error(code=int(error.code), message=error.message, data=data)
    return _answer(call_id, b"error", _ENCODER.encode(body))


def encode_event(event: HistoryEntry) -> bytes:
    """The line that tells a subscriber of `event`, its end included."""
    return b'{"jsonrpc":"2.0","method":"event","params":%b}\n' % _ENCODER.encode(event)


class _ErrorData(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    field: str | None = None
    faults: tuple[str, ...] = ()


class _Error(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    code: int
    message: str
    data: _ErrorData | None = None


def _answer(call_id: bytes, member: bytes, body: bytes) -> bytes:
    return b'{"jsonrpc":"2.0","id":%b,"%b":%b}\n' % (call_id, member, body)


def _request(frame: _Frame) -> Request:
    kind = _METHODS.get(frame.method)
    if kind is None:
        text = f"{_short(frame.method)}: no such method"
        raise ControlError(ErrorCode.METHOD_NOT_FOUND, text, "method")
    try:
        return msgspec.json.decode(bytes(frame.params), type=kind)
    except msgspec.ValidationError as error:
        raise _invalid_params(str(error)) from None
    except (ValueError, RecursionError) as error:
        raise invalid_params(f"params: {error}") from None


def _invalid_params(text: str) -> ControlError:
    """msgspec's words in ours: ``field: what is wrong``."""
    field, what = _fault(text)
    if not field:
        return invalid_params(f"params: parameters go by name ({what})")
    return invalid_params(f"{_short(field)}: {what}", _short(field))


def _invalid_request(text: str) -> ControlError:
    field, what = _fault(text)
    if not field:
        text = f"one request object a line ({what})"
        return ControlError(ErrorCode.INVALID_REQUEST, text)
    return ControlError(ErrorCode.INVALID_REQUEST, f"{_short(field)}: {what}", _short(field))


def _fault(text: str) -> tuple[str, str]:
    """The field that msgspec's `text` is about ("" for the whole), and what is wrong with it."""
    found = _PATH.search(text)
    if " matching regex " in text:  # only a window's name has one
        text = f"expected at most 64 letters, digits, '.', '_' or '-'{found[0] if found else ''}"
    if match := _TOO_LONG.match(text):  # only a reason has a longest
        text = f"at most {match['most']} characters{found[0] if found else ''}"
    path = [found["path"].removeprefix("$").removeprefix(".")] if found else []
    text = _PATH.sub("", text)
    for pattern, what in ((_MISSING, "is missing"), (_UNKNOWN, "no such field")):
        if match := pattern.match(text):
            return ".".join([*path, match["field"]]), what
    return ".".join(path), text[:1].lower() + text[1:].replace("`", "")


def _parse_error(error: ValueError | RecursionError) -> ControlError:
    what = "nested too deeply" if isinstance(error, RecursionError) else str(error)
    if isinstance(error, UnicodeDecodeError):
        what = f"not UTF-8 (byte {error.start})"
    return ControlError(ErrorCode.PARSE_ERROR, f"not a line of JSON: {what}")


def _sender(line: bytes) -> bytes:
    """The id of a broken request, where it can be told."""
    try:
        call_id = bytes(_SENDERS.decode(line).id)
    except (ValueError, RecursionError):
        return NULL
    return call_id if call_id and call_id[0] not in _NO_ID else NULL


def _short(text: str) -> str:
    """A stranger's `text`, fit for a message."""
    return text if len(text) <= 60 else f"{text[:60]}..."
