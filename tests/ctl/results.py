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
RESULTS: dict[str, object] = {
    "site.bypass": BYPASS,
    "status": STATUS,
    "site.down": [SITE],
    "site.up": [LIVE],
    "window.schedule": WINDOW,
    "window.list": [WINDOW],
    "window.get": WINDOW,
    "window.extend": WINDOW,
    "window.end": {**WINDOW, "phase": "ended"},
    "window.cancel": {**WINDOW, "phase": "cancelled"},
    "member.set": {**MEMBER, "site": "shop"},
    "history.list": HISTORY,
    "daemon.reload": RELOAD,
    "daemon.version": {"version": "1.0", "python": "3.11", "twisted": "26", "openssl": "OpenSSL 3"},
}
