"""What the fake daemon answers to each method."""

from __future__ import annotations

from typing import Any

WINDOW: dict[str, Any] = {
    "id": "db",
    "site": None,
    "from": "2126-11-22T02:00:00+09:00",
    "until": "2126-11-22T05:00:00+09:00",
    "reason": "新しい database",
    "every": None,
    "timezone": "Asia/Tokyo",
    "drain": 90.0,
    "until_healthy": None,
    "give_up": None,
    "scope": {"paths": [], "members": [], "methods": []},
    "warnings": ["02:30 is skipped: 03:30 is meant"],
    "phase": "scheduled",
    "author": {"uid": 0, "name": "root", "pid": 7},
    "created": "2026-11-21T20:00:00+09:00",
    "series": None,
    "next": None,
    "reasons": {},
    "verified": None,
    "gave_up": None,
    "ended": None,
}
MEMBER: dict[str, Any] = {
    "url": "http://10.0.0.11:3000",
    "weight": 3,
    "standby": False,
    "state": "ready",
    "health": "up",
    "active": 12,
}
STANDBY = {**MEMBER, "url": "http://10.0.0.9:80", "weight": 1, "standby": True, "active": 0}
SITE: dict[str, Any] = {
    "name": "shop",
    "phase": "down",
    "cause": "manual",
    "reason": "hardware upgrade",
    "until": "2026-11-22T05:00:00+09:00",
    "until_text": None,
    "window": {**WINDOW, "id": "m1"},
    "next": WINDOW,
    "partial": [],
    "members": [MEMBER, STANDBY],
    "certificates": [],
    "warnings": [],
}
LIVE = {**SITE, "name": "wiki", "phase": "live", "cause": None, "reason": "", "until": None}
LIVE |= {"window": None, "next": None}
STATUS = {"version": "1", "pid": 7, "now": "2026-11-22T02:50:00+09:00", "sites": [SITE, LIVE]}
HISTORY = {
    "entries": [
        {
            "at": "2026-11-22T02:00:00+09:00",
            "author": WINDOW["author"],
            "action": "site.down",
            "site": "shop",
            "window": "m1",
            "member": None,
            "reason": "hardware upgrade",
            "detail": "until 05:00",
        }
    ]
}
PLANNED: dict[str, Any] = {
    "id": "night@2027-03-28T01:30",
    "series": "night",
    "site": "shop",
    "from": "2027-03-28T01:30:00+01:00",
    "until": "2027-03-28T04:30:00+02:00",
    "from_utc": "2027-03-28T00:30:00+00:00",
    "until_utc": "2027-03-28T02:30:00+00:00",
    "timezone": "Europe/Berlin",
    "lasts": 7200.0,
    "reason": "disks",
    "overlaps": ["db"],
    "warnings": ["overlaps db (2027-03-28T02:00:00+01:00 to open end)"],
    "sites": [
        {
            "site": "shop",
            "announced": "2027-03-27T01:30:00+01:00",
            "drained": "2027-03-28T01:30:30+01:00",
            "reason": "disks",
            "reasons": {},
            "until": "2027-03-28T04:30:00+02:00",
            "spoken": "Sunday, 28 March 2027, 04:30 CEST",
            "retry_after": 7200,
        },
    ],
}
OPEN: dict[str, Any] = {
    **PLANNED,
    "id": "m1",
    "series": None,
    "site": None,
    "from": "2027-03-28T23:30:00+09:00",
    "from_utc": "2027-03-28T14:30:00+00:00",
    "until": None,
    "until_utc": None,
    "lasts": None,
    "warnings": [],
    "sites": [
        {**PLANNED["sites"][0], "reason": None, "until": None, "spoken": None, "retry_after": 30},
        {**PLANNED["sites"][0], "site": "wiki", "spoken": None, "retry_after": None},
    ],
}
NEXT_DAY = {
    **PLANNED,
    "from": "2027-03-27T22:00:00+01:00",
    "until": "2027-03-28T01:00:05+01:00",
    "from_utc": "2027-03-27T21:00:00+00:00",
    "until_utc": "2027-03-28T00:00:05+00:00",
    "warnings": [],
    "sites": [],
}
PLAN = {
    "from": "2027-03-27T12:00:00+01:00",
    "until": "2027-04-03T12:00:00+02:00",
    "windows": [NEXT_DAY, PLANNED, OPEN],
    "more": True,
}
UPGRADE = {"version": "1.0", "started": "before", "next_version": "1.1", "within": 5.0}
RELOAD = {
    "added": ["wiki"],
    "changed": ["shop", "blog"],
    "removed": ["old"],
    "settings": ["timezone"],
    "warnings": ["old: 2 windows are kept, and will act if the site comes back"],
}
BYPASS: dict[str, object] = {
    "site": "shop",
    "window": "db",
    "path": "/.sorryd/bypass?t=TOKEN",
    "urls": ["https://shop.example/.sorryd/bypass?t=TOKEN"],
    "header": {"name": "Sorryd-Bypass", "value": "TOKEN"},
    "expires": "2126-12-22T02:00:00+09:00",
    "warnings": ["the window is to come"],
}
PREVIEW: dict[str, Any] = {
    "status": 503,
    "headers": {"Retry-After": "60", "Content-Type": "text/html; charset=utf-8"},
    "body": "<p>新しい database\x1b[2J</p>",
    "language": "ja",
    "type": "text/html; charset=utf-8",
    "warnings": ["no window is planned: this one is made up"],
}
RESULTS: dict[str, object] = {
    "site.bypass": BYPASS,
    "status": STATUS,
    "site.down": [SITE],
    "site.up": [LIVE],
    "window.schedule": {**WINDOW, "plan": [PLANNED]},
    "window.plan": PLAN,
    "window.list": [WINDOW],
    "window.get": WINDOW,
    "window.extend": WINDOW,
    "window.end": {**WINDOW, "phase": "ended"},
    "window.cancel": {**WINDOW, "phase": "cancelled"},
    "page.preview": PREVIEW,
    "member.set": {**MEMBER, "site": "shop"},
    "history.list": HISTORY,
    "calendar.get": {"calendar": "BEGIN:VCALENDAR\r\nSUMMARY:新しい\r\n", "events": 1},
    "daemon.reload": RELOAD,
    "daemon.upgrade": UPGRADE,
    "daemon.version": {"version": "1.0", "python": "3.11", "twisted": "26", "openssl": "OpenSSL 3"},
}
ANSWERED: dict[str, Any] = {
    "codes": {"none": 0, "1xx": 0, "2xx": 30, "3xx": 0, "4xx": 0, "5xx": 10},
    "durations": [30, 10, 0, 0],
    "seconds": 0.1,
    "sent": 4000,
}
NONE: dict[str, Any] = {
    "codes": dict.fromkeys(ANSWERED["codes"], 0), "durations": [0] * 4, "seconds": 0.0, "sent": 0,
}  # fmt: skip
COUNTED: dict[str, Any] = {
    "url": "http://a", "state": "ready", "health": "up", "in_flight": 2, "idle": 1,
    "answered": ANSWERED, "connects": 3, "retries": 0, "failovers": 0, "failures": 0,
}  # fmt: skip
NUMBERS: dict[str, Any] = {
    "started": "2026-11-22T00:00:00+09:00",
    "now": "2026-11-22T02:50:00+09:00",
    "bounds": [0.001, 0.01, 0.1],
    "workers": 2,
    "missing": 1,
    "restarts": 4,
    "sites": [
        {
            "name": "shop", "phase": "down", "cause": "manual",
            "until": "2026-11-22T05:00:00+09:00", "next": "2026-11-25T02:50:00+09:00",
            "connections": 3, "tunnels": 0, "waiting": 2, "accepted": 9, "turned_away": 0,
            "received": 900, "itself": NONE,
            "members": [
                COUNTED,
                {
                    **COUNTED, "url": "http://b", "state": "drain", "health": "resting",
                    "answered": NONE, "in_flight": 1, "idle": 0,
                },
            ],
        }
    ],
}  # fmt: skip
