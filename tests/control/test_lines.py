"""Lines of the control socket: JSON-RPC 2.0 in, typed calls out, and back."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorryd.control.lines import Call, Refusal, decode, encode_error, encode_result
from sorryd.errors import ControlError, ErrorCode
from sorryd.messages import DaemonVersion, MemberSet, Request, SiteDown, Status, WindowExtend
from sorryd.model import MemberState
from sorryd.replies import VersionResult


def refusal(line: bytes) -> Refusal:
    """What `line` is refused with."""
    outcome = decode(line)
    assert isinstance(outcome, Refusal)
    return outcome


CALLS: list[tuple[bytes, bytes | None, Request]] = [
    (b'{"jsonrpc":"2.0","id":1,"method":"status"}', b"1", Status()),
    (
        b' {"method":"status","params":{"site":"shop"},"id":"a","jsonrpc":"2.0"}\r',
        b'"a"',
        Status(site="shop"),
    ),
    (b'{"jsonrpc":"2.0","id":null,"method":"daemon.version"}', b"null", DaemonVersion()),
    (b'{"jsonrpc":"2.0","method":"site.down"}', None, SiteDown()),
    (
        b'{"jsonrpc":"2.0","id":-1.50,"method":"site.down",'
        b'"params":{"site":null,"for":"2h","reason":"\\u30c7","until_text":"noon"}}',
        b"-1.50",
        SiteDown(for_="2h", reason="デ", until_text="noon"),
    ),
    (
        b'{"jsonrpc":"2.0","id":12345678901234567890123,"method":"window.extend",'
        b'"params":{"id":"w","by":60}}',
        b"12345678901234567890123",
        WindowExtend(id="w", by=60.0),
    ),
    (
        '{"jsonrpc":"2.0","id":"é","method":"member.set",'
        '"params":{"url":"http://a","state":"drain","weight":0}}'.encode(),
        '"é"'.encode(),
        MemberSet(url="http://a", state=MemberState.DRAIN, weight=0),
    ),
]


@pytest.mark.parametrize(("line", "call_id", "request_"), CALLS)
def test_calls(line: bytes, call_id: bytes | None, request_: Request) -> None:
    """A request is read as its method's class, and its id is kept to the byte."""
    assert decode(line) == Call(id=call_id, request=request_)


BASE = b'{"jsonrpc":"2.0","id":7,"method":'
SCHEDULE = BASE + b'"window.schedule","params":'
JUNK: list[tuple[bytes, bytes | None, int, str | None, str]] = [
    (b"hello", b"null", -32700, None, "not a line of JSON"),
    (b"\xff\xfe", b"null", -32700, None, "not UTF-8"),
    (b"\x00", b"null", -32700, None, "not a line of JSON"),
    (b'{"jsonrpc":"2.0","id":"\xff","method":"status"}', b"null", -32700, None, "not UTF-8"),
    (b'{"jsonrpc":"2.0","id":1,"method":"status"} x', b"null", -32700, None, "trailing"),
    (b'{"jsonrpc":"2.0","id":1,"method":"stat', b"null", -32700, None, "truncated"),
    (b'{"id":' + b"[" * 100_000, b"null", -32700, None, "nested too deeply"),
    (b"[]", b"null", -32600, None, "one request object a line"),
    (b"[" + BASE + b'"status"}]', b"null", -32600, None, "one request object a line"),
    (b"7", b"null", -32600, None, "one request object a line"),
    (b"{}", b"null", -32600, "jsonrpc", "jsonrpc: is missing"),
    (b'{"jsonrpc":"2.0","id":7}', b"7", -32600, "method", "method: is missing"),
    (b'{"jsonrpc":"1.0","id":7,"method":"status"}', b"7", -32600, "jsonrpc", "2.0"),
    (b'{"jsonrpc":2.0,"id":7,"method":"status"}', b"7", -32600, "jsonrpc", "expected str"),
    (b'{"jsonrpc":"2.0","id":7,"method":9}', b"7", -32600, "method", "expected str"),
    (b'{"jsonrpc":"2.0","id":[7],"method":"status"}', b"null", -32600, "id", "id: expected"),
    (b'{"jsonrpc":"2.0","id":{},"method":"status"}', b"null", -32600, "id", "id: expected"),
    (b'{"jsonrpc":"2.0","id":true,"method":"status"}', b"null", -32600, "id", "id: expected"),
    (BASE + b'"status","parms":{}}', b"7", -32600, "parms", "parms: no such field"),
    (b'{"jsonrpc":"2.0","id":7,"result":{}}', b"7", -32600, "result", "no such field"),
    (BASE + b'"reboot"}', b"7", -32601, "method", "reboot: no such method"),
    (BASE + b'"' + b"x" * 9999 + b'"}', b"7", -32601, "method", "xxx...: no such method"),
    (SCHEDULE + b"[]}", b"7", -32602, None, "parameters go by name"),
    (SCHEDULE + b"null}", b"7", -32602, None, "parameters go by name"),
    (SCHEDULE + b"{}}", b"7", -32602, "from", "from: is missing"),
    (SCHEDULE + b'{"from":5}}', b"7", -32602, "from", "from: expected str, got int"),
    (SCHEDULE + b'{"from":"","fro":1}}', b"7", -32602, "fro", "fro: no such field"),
    (SCHEDULE + b'{"from":"","id":"a b"}}', b"7", -32602, "id", "id: expected at most 64"),
    (SCHEDULE + b'{"from":"","scope":{"x":1}}}', b"7", -32602, "scope.x", "no such field"),
    (
        SCHEDULE + b'{"from":"","scope":{"paths":[1]}}}',
        b"7",
        -32602,
        "scope.paths[0]",
        "expected str",
    ),
    (BASE + b'"member.set","params":{"url":"u","weight":257}}', b"7", -32602, "weight", "<= 256"),
    (
        BASE + b'"site.down","params":{"reason":"%b"}}' % (b"x" * 2001),
        b"7",
        -32602,
        "reason",
        "reason: at most 2000 characters",
    ),
    (BASE + b'"window.plan","params":{"days":0}}', b"7", -32602, "days", ">= 1"),
    (b'{"jsonrpc":"2.0","method":"reboot"}', None, -32601, "method", "no such method"),
    (b'{"jsonrpc":"2.0","method":"window.get"}', None, -32602, "id", "id: is missing"),
]


@pytest.mark.parametrize(("line", "call_id", "code", "field", "text"), JUNK)
def test_junk(line: bytes, call_id: bytes | None, code: int, field: str | None, text: str) -> None:
    """What is no request gets JSON-RPC's code, the field at fault, and its id where it has one."""
    outcome = refusal(line)
    assert (outcome.id, int(outcome.error.code), outcome.error.field) == (call_id, code, field)
    assert text in outcome.error.message
    assert len(outcome.error.message) < 200


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(line: bytes) -> None:
    """Random bytes never raise, and their answer is always a line of JSON."""
    outcome = refusal(line)
    answer = encode_error(outcome.id or b"null", outcome.error)
    assert json.loads(answer)["error"]["code"] in {-32700, -32600}
    assert answer.count(b"\n") == 1


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
names = st.sampled_from(["from", "until", "for", "id", "site", "scope", "drain", "x"])


@given(st.dictionaries(names, values), st.sampled_from(["window.schedule", "site.down"]))
def test_any_parameters_are_read_or_refused(params: dict[str, object], method: str) -> None:
    """Well-formed JSON with any parameters is read, or refused with its own id; never raises."""
    line = json.dumps({"jsonrpc": "2.0", "id": 7, "method": method, "params": params})
    match decode(line.encode("utf-8", "replace")):
        case Call(id=call_id):
            assert call_id == b"7"
        case Refusal(id=call_id, error=error):
            # NaN and Infinity, which Python writes, are no JSON: then no id is known.
            assert call_id == b"7" or error.code is ErrorCode.PARSE_ERROR


def test_encode_result() -> None:
    """A result is one line with the id as it came."""
    result = VersionResult(version="1", python="3", twisted="2", openssl="デ", started="")
    answer = encode_result(b'"\\u0061"', result)
    assert answer.startswith(b'{"jsonrpc":"2.0","id":"\\u0061","result":{"version":"1",')
    assert json.loads(answer)["result"]["openssl"] == "デ"
    assert answer.endswith(b"}\n")


@pytest.mark.parametrize(
    ("field", "data"), [("until", {"data": {"field": "until"}}), (None, {})], ids=["field", "none"]
)
def test_encode_error(field: str | None, data: dict[str, object]) -> None:
    """An error is one line, with `data` only where a field is at fault, text escaped."""
    answer = encode_error(b"7", ControlError(ErrorCode.CONFLICT, 'a "b"\n', field))
    error = {"code": -32000, "message": 'a "b"\n', **data}
    assert json.loads(answer) == {"jsonrpc": "2.0", "id": 7, "error": error}
    assert answer.count(b"\n") == 1
