"""Brings an event to a site's hook: to a program's stdin, or as a signed POST."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.logger import Logger

from sorryd import hook_program
from sorryd.hook_post import Poster, Posting
from sorryd.hook_program import Program
from sorryd.model import Site
from sorryd.policy.delivery import signature, signing_key
from sorryd.replies_history import HookMessage

_log = Logger()


class Sending:
    """See hooks.Send. `key` is sorryd's own, for sites without a `bypass_secret`."""

    def __init__(self, reactor: Any, key: bytes, wall: Callable[[], float]) -> None:
        self._reactor = reactor
        self._key = key
        self._wall = wall
        self._poster: Poster | None = None

    def __call__(self, site: Site, message: HookMessage, body: bytes) -> Program | Posting:
        hook = site.hook or ""
        if hook.startswith("/"):
            return self._run(hook, message, body)
        return self._post(hook, site, message, body)

    def _run(self, path: str, message: HookMessage, body: bytes) -> Program:
        environment = {
            "SORRYD_EVENT": message.event,
            "SORRYD_SITE": message.site,
            "SORRYD_PHASE": message.phase or "",
            "SORRYD_CURSOR": str(message.cursor),
        }

        def say(line: str) -> None:
            _log.info("hook of {site}: {line}", site=message.site, line=line)

        return hook_program.run(self._reactor, path, body + b"\n", environment, say)

    def _post(self, url: str, site: Site, message: HookMessage, body: bytes) -> Posting:
        key = signing_key(site.bypass_secret or self._key, site.name)
        if self._poster is None:
            self._poster = Poster(self._reactor)
        fields = {
            "Content-Type": "application/json",
            "User-Agent": "sorryd",
            "Sorryd-Event": message.event,
            "Sorryd-Signature": signature(key, int(self._wall()), body),
        }
        return self._poster.post(url, body, fields)
