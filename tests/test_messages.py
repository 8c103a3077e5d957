"""Requests and results of the control protocol: every field bears its name from the docs."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest

from sorryd.errors import ControlError, ErrorCode, conflict, invalid_params, not_allowed, not_found
from sorryd.messages import Request, SiteDown, WindowSchedule, is_change
from sorryd.model import Cause, Health, MemberState, Phase
from sorryd.replies import (
    MemberResult,
    MemberStatus,
    SiteStatus,
    StatusResult,
    WindowPhase,
    WindowResult,
)
from sorryd.replies_history import AuthorResult
from sorryd.window import Scope

METHODS = {
    "status": False,
    "site.down": True,
    "site.up": True,
    "window.schedule": True,
    "window.list": False,
    "window.get": False,
    "window.extend": True,
    "window.end": True,
    "window.cancel": True,
    "window.plan": False,
    "member.set": True,
    "page.preview": False,
    "site.bypass": True,
    "calendar.get": False,
    "history.list": False,
    "numbers.get": False,
    "events.subscribe": False,
    "daemon.reload": True,
    "daemon.upgrade": True,
    "daemon.version": False,
}

WINDOW = WindowResult(
    id="w1",
    site=None,
    from_="2026-11-22T02:00:00+09:00",
    until="2026-11-22T05:00:00+09:00",
    reason="new database",
    timezone="Asia/Tokyo",
    phase=WindowPhase.SCHEDULED,
    author=AuthorResult(uid=0, name="root", pid=7),
    created="2026-11-21T21:00:00+09:00",
)


def test_methods() -> None:
    """The protocol has exactly the methods of its documentation, and knows which change things."""
    kinds = get_args(Request)
    assert {kind.method: kind.changes for kind in kinds} == METHODS


def test_is_change() -> None:
    """A request says itself whether it changes anything."""
    assert is_change(SiteDown())
    assert not is_change(msgspec.json.decode(b"{}", type=get_args(Request)[0]))


def test_schedule_reads_every_field() -> None:
    """window.schedule takes the window's own names, keywords of Python too."""
    text = b"""{"from": "02:00", "for": "3h", "id": "db.1", "site": "shop", "reason": "r",
        "every": "daily", "timezone": "Asia/Tokyo", "drain": 30, "until_healthy": "10m",
        "give_up": "stay", "dry_run": true,
        "scope": {"paths": ["/a"], "members": ["http://a"], "methods": ["unsafe"]}}"""
    request = msgspec.json.decode(text, type=WindowSchedule)
    assert (request.from_, request.until, request.for_) == ("02:00", None, "3h")
    assert (request.id, request.site, request.drain) == ("db.1", "shop", 30.0)
    assert request.scope == Scope(paths=("/a",), members=("http://a",), methods=("unsafe",))


@pytest.mark.parametrize(
    "text",
    [
        b'{"from": "now", "id": "a b"}',
        b'{"from": "now", "id": "a@b"}',
        b'{"from": "now", "id": ""}',
        b'{"from": "now", "id": "a\\n"}',
        b'{"from": "now", "drain": -1}',
        b'{"from": "now", "drain": true}',
        b'{"from": "now", "give_up": "shrug"}',
        b'{"from": "now", "form": "now"}',
        b'{"from": "now", "scope": {"path": "/"}}',
        b'{"from": 5}',
        b"{}",
    ],
)
def test_schedule_refuses(text: bytes) -> None:
    """What a field cannot mean is refused while it is read."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(text, type=WindowSchedule)


def test_window_result_has_the_documented_fields() -> None:
    """A window is sent with all its fields, in the documented order, absent ones as null."""
    assert list(msgspec.to_builtins(WINDOW)) == [
        "id",
        "site",
        "from",
        "until",
        "reason",
        "every",
        "timezone",
        "drain",
        "until_healthy",
        "give_up",
        "scope",
        "warnings",
        "phase",
        "author",
        "created",
        "series",
        "next",
        "reasons",
        "verified",
        "gave_up",
        "ended",
    ]
    sent = msgspec.to_builtins(WINDOW)
    assert sent["scope"] == {"paths": (), "members": (), "methods": ()}
    assert sent["author"] == {"uid": 0, "name": "root", "pid": 7}
    assert sent["every"] is None


def test_status_result_has_the_documented_fields() -> None:
    """The status is sent as documented: sites by name, members by URL, windows whole."""
    member = MemberStatus(
        url="http://a",
        weight=3,
        standby=False,
        state=MemberState.READY,
        health=Health.UP,
        active=2,
    )
    site = SiteStatus(
        name="shop",
        phase=Phase.DOWN,
        cause=Cause.WINDOW,
        reason="new database",
        until=WINDOW.until,
        window=WINDOW,
        next=None,
        members=(member,),
    )
    status = StatusResult(version="1", pid=7, started="", now="", sites=(site,))
    sent = msgspec.to_builtins(status)
    assert list(sent) == ["version", "pid", "started", "now", "sites", "workers"]
    assert {"name", "phase", "cause", "reason", "until", "window", "next", "members"} <= set(
        sent["sites"][0]
    )
    assert sent["sites"][0]["window"]["id"] == "w1"
    assert sent["sites"][0]["members"] == (
        {
            "url": "http://a",
            "weight": 3,
            "standby": False,
            "state": "ready",
            "health": "up",
            "active": 2,
        },
    )


def test_member_result_names_its_site() -> None:
    """A changed member is sent as in the status, with its site."""
    result = MemberResult(
        url="http://a",
        weight=1,
        standby=True,
        state=MemberState.MAINT,
        health=Health.UP,
        active=0,
        site="shop",
    )
    assert msgspec.to_builtins(result)["site"] == "shop"


@pytest.mark.parametrize(
    ("error", "code", "field"),
    [
        (invalid_params("m", "until"), -32602, "until"),
        (conflict("m"), -32000, None),
        (not_found("m", "id"), -32001, "id"),
        (not_allowed("m"), -32002, None),
        (ControlError(ErrorCode.INTERNAL_ERROR, "m"), -32603, None),
    ],
)
def test_errors(error: ControlError, code: int, field: str | None) -> None:
    """An error carries its JSON-RPC code, a text for people, and the field at fault."""
    assert (int(error.code), str(error), error.field) == (code, "m", field)
