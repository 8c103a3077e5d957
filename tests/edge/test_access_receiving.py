"""What the access log says of those who pass the apology, and of what sorryd serves by itself."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.edge.messages import OK, request
from tests.edge.scene import NOON, Stage, window
from tests.edge.test_receiving import SECRET, token
from tests.edge.watched import Watched

from sorryd.edge.assets import PIECE
from sorryd.model import Assets

NIGHT = window(NOON, NOON + 600)


@pytest.mark.parametrize(
    ("fields", "bypass"),
    [
        (b"Cookie: sorryd_bypass=%b\r\n", "cookie"),
        (b"Sorryd-Bypass: %b\r\n", "header"),
    ],
)
def test_operator(stage: Stage, fields: bytes, bypass: str) -> None:
    """Whoever passes is told of, and by what; on the same connection the next one is not."""
    watched = Watched(stage(bypass_secret=SECRET))
    watched.scene.publish(NIGHT)
    visitor, member = watched.asks(request(fields=fields % token()))
    member.says(OK)
    visitor.says(request())
    told = [(line["status"], line["bypass"], line["phase"]) for line in watched.lines()]
    assert told == [(200, bypass, "down"), (503, None, "down")]


@pytest.mark.parametrize("holder", ["window w1", "window to come"])
def test_link(stage: Stage, holder: str) -> None:
    """No token gets into the log, neither a good one nor one that may be good some day."""
    watched = Watched(stage(bypass_secret=SECRET))
    watched.scene.publish(NIGHT)
    visitor = watched.scene.visitor()
    visitor.says(request(b"GET /.sorryd/bypass?t=" + token(holder) + b"&to=/a HTTP/1.1"))
    status = 302 if holder == "window w1" else 503
    assert watched.line("status", "target") == (status, "/.sorryd/bypass")


def test_assets(stage: Stage, tmp_path: Path) -> None:
    """Files, what is known already, what is not there, and what became shorter."""
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a").write_bytes(b"hello")
    (tmp_path / "images" / "big").write_bytes(bytes(4 * PIECE))
    watched = Watched(stage(sorry_assets=(Assets(prefixes=("/images/",), folder=str(tmp_path)),)))
    visitor = watched.scene.visitor()
    for target, fields in (
        (b"a", b""), (b"a", b"If-None-Match: *\r\n"), (b"none", b""), (b"big", b""),
    ):  # fmt: skip
        visitor.says(request(b"GET /images/" + target + b" HTTP/1.1", fields))
    told = [(line["status"], line["bytes"], line["ended"]) for line in watched.lines()]
    size = len(b"404 Not Found: there is no such file\n")
    assert told == [
        (200, 5, "done"), (304, 0, "done"), (404, size, "done"), (200, 4 * PIECE, "done"),
    ]  # fmt: skip
    visitor.gets()
    visitor.stops_reading()
    visitor.says(request(b"GET /images/big HTTP/1.1"))
    watched.scene.settle()
    os.truncate(tmp_path / "images" / "big", 0)
    visitor.reads()
    assert watched.line("status", "ended", "member") == (200, "asset_cut", None)
