"""What becomes of a request before any member or apology: decided from its head alone.

In this order: the secret link and the assets are sorryd's own, in every phase. Of the rest,
what nothing holds up goes to the members. What is held up, because the site is down or a window
covers it, goes there all the same where it is exempt, or where an operator asks; else it gets
the apology.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from sorryd.model import Assets, Exempt, Site, Value
from sorryd.policy import bypass
from sorryd.policy.forwarding import Trusted
from sorryd.policy.paths import is_plain, readings, segments
from sorryd.policy.scopes import covers
from sorryd.window import Window

Believes = Callable[[str], bool]
_Exempt = tuple[bytes | None, bytes]  # method and path


class Bypass(enum.StrEnum):
    """How an operator is known."""

    NETWORK = "network"  # the address, of `bypass_networks`
    COOKIE = "cookie"  # set by the secret link
    HEADER = "header"  # Sorryd-Bypass, for scripts


class Request(Protocol):
    """What is asked here of a request's head."""

    @property
    def method(self) -> bytes: ...
    @property
    def target(self) -> bytes: ...
    @property
    def tokens(self) -> Sequence[tuple[Bypass, bytes]] | None: ...


class ToMembers(Value, frozen=True):
    """It goes to the members. `bypass`: for an operator, past what holds others up."""

    bypass: Bypass | None = None


class Apologise(Value, frozen=True):
    """It gets the apology: of `window`, which covers it; None: of the phase."""

    window: Window | None = None


class ServeAsset(Value, frozen=True):
    """sorryd serves it: the file at `path` below `folder`. None: no file has such a path."""

    folder: str
    path: bytes | None


class FollowLink(Value, frozen=True):
    """The secret link: on to `to`, a local target, with `token` in a cookie; None: without."""

    token: bytes | None
    to: bytes


class NotHere(Value, frozen=True):
    """Nothing is there: below sorryd's own folder, which no member hears of."""


Verdict = ToMembers | Apologise | ServeAsset | FollowLink | NotHere

_MEMBERS: Final = ToMembers()
_OPERATOR: Final = {how: ToMembers(bypass=how) for how in Bypass}
_DOWN: Final = Apologise()
_NOT_HERE: Final = NotHere()
_LINK: Final = bypass.LINK.encode("ascii")
_REMEMBERED: Final = 1024  # requests, of which it is known what covers them
_LONGEST: Final = 256  # bytes of a target that is remembered
_READS: Final = (b"GET", b"HEAD")


class Rules:
    """What a site's configuration says of all this. `own_key` is the daemon's, for tokens."""

    __slots__ = ("assets", "believes", "exempt", "key", "name", "prefixes")

    def __init__(self, site: Site, own_key: bytes) -> None:
        self.name = site.name
        self.assets = tuple(
            (prefix.encode("ascii"), one) for one in site.sorry_assets for prefix in one.prefixes
        )
        self.prefixes = tuple(prefix for prefix, _ in self.assets)
        self.exempt = tuple(map(_written, site.exempt))
        self.believes: Believes | None = None
        if site.bypass_networks:
            self.believes = Trusted(site.bypass_networks).believes
        self.key = bypass.bypass_key(site.bypass_secret, own_key)


class Held(Value, frozen=True):
    """What holds requests up now.

    `down`: all of them, for the sake of `holders`. `partial` are the windows that cover some.
    `tokens`: whether one for a secret link may be about, for what acts or is to come.
    """

    down: bool = False
    holders: tuple[str, ...] = ()
    partial: tuple[Window, ...] = ()
    tokens: bool = False


class Reception:
    """Judges requests by the rules of a site, while the same holds them up."""

    __slots__ = (
        "_covering", "_has_tokens", "_held", "_is_open", "_prefixes", "_rules", "_spares",
        "turns_away",
    )  # fmt: skip

    def __init__(self, rules: Rules, held: Held) -> None:
        self._rules = rules
        self._held = held
        self._prefixes = rules.prefixes
        self._has_tokens = held.tokens
        self._is_open = not (held.down or held.partial)
        # Whether the path of a request, or its client, may let it pass.
        self._spares = bool(not held.down or rules.exempt or rules.believes)
        self.turns_away = not (self._is_open or self._spares or self._prefixes)
        """Whether all get the apology that have no tokens and ask for nothing of sorryd's own."""
        self._covering = functools.lru_cache(maxsize=_REMEMBERED)(self._covered)

    @property
    def is_idle(self) -> bool:
        """Whether every request goes to the members."""
        return self._is_open and not (self._prefixes or self._has_tokens)

    def judge(self, head: Request, client: str, now: float) -> Verdict:
        """What becomes of the request; `client` is its believed address."""
        target = head.target
        if self._has_tokens and target.startswith(bypass.FOLDER):
            return self._own(head, now)
        prefixes = self._prefixes
        if prefixes and (target.startswith(prefixes) or not is_plain(target)):
            asset = self._asset(target)
            if asset is not None:
                return asset
        if self._is_open:
            return _MEMBERS
        if self._spares or head.tokens is not None:
            return self._held_up(head, client, now)
        return _DOWN

    # --- sorryd's own ---

    def _own(self, head: Request, now: float) -> Verdict:
        """Below the folder of the secret link. What stands there is told nobody else."""
        if head.target.partition(b"?")[0] != _LINK or head.method not in _READS:
            return _DOWN if self._held.down else _NOT_HERE
        token, to = bypass.asked(head.target)
        if self._is_good(token, now):
            return FollowLink(token=token, to=to)
        # While the site can be seen, nobody needs a token to see it.
        return _DOWN if self._held.down else FollowLink(token=None, to=to)

    def _is_good(self, token: bytes, now: float) -> bool:
        rules, held = self._rules, self._held
        by = (*held.holders, *map(bypass.holder_of_window, held.partial))
        return bypass.is_good(token, rules.key, rules.name, by, now)

    def _asset(self, target: bytes) -> ServeAsset | None:
        parts = segments(target)
        path = b"/" + b"/".join(parts)
        for prefix, assets in self._rules.assets:
            if path.startswith(prefix):
                return _file(assets, parts)
        return None

    # --- what is held up ---

    def _held_up(self, head: Request, client: str, now: float) -> Verdict:
        rules, held = self._rules, self._held
        target = head.target
        is_short = len(target) <= _LONGEST
        covering = (self._covering if is_short else self._covered)(head.method, target)
        if not (held.down or covering) or (
            rules.exempt and _is_exempt(rules.exempt, head.method, readings(target))
        ):
            return _MEMBERS
        if rules.believes is not None and rules.believes(client):
            return _OPERATOR[Bypass.NETWORK]
        if held.down:
            how = self._bypass(head, held.holders, now)
            return _DOWN if how is None else _OPERATOR[how]
        return self._past(head, covering, now)

    def _covered(self, method: bytes, target: bytes) -> tuple[Window, ...]:
        """The windows on a part of the site that cover a request, however its path is read."""
        partial = self._held.partial
        if not partial or self._held.down:
            return ()
        targets = (target, *readings(target)[1:])
        return tuple(
            one for one in partial if any(covers(one.scope, method, read) for read in targets)
        )

    def _past(self, head: Request, covering: Sequence[Window], now: float) -> Verdict:
        """Past each of the windows that cover the request, with a token for each, or not."""
        how = None
        for window in covering:
            how = self._bypass(head, (bypass.holder_of_window(window),), now)
            if how is None:
                return Apologise(window=window)
        return _MEMBERS if how is None else _OPERATOR[how]

    def _bypass(self, head: Request, held_by: Sequence[str], now: float) -> Bypass | None:
        """How the request says that it is an operator's."""
        for how, token in head.tokens or ():
            if bypass.is_good(token, self._rules.key, self._rules.name, held_by, now):
                return how
        return None


def _written(exempt: Exempt) -> _Exempt:
    method = exempt.method
    return None if method is None else method.encode("ascii"), exempt.path.encode("ascii")


def _is_exempt(exempt: Sequence[_Exempt], method: bytes, paths: Sequence[bytes]) -> bool:
    """Whether the request is one of `exempt`, however its path is read."""
    return bool(exempt) and all(
        any(_matches(one, method, path) for one in exempt) for path in paths
    )


def _matches(exempt: _Exempt, method: bytes, path: bytes) -> bool:
    """HEAD is as good as GET: the same without its content (RFC 9110 §9.3.2)."""
    wanted, place = exempt
    if wanted not in (None, method, b"GET" if method == b"HEAD" else method):
        return False
    return path.startswith(place) if place.endswith(b"/") else path == place


def _file(assets: Assets, parts: Sequence[bytes]) -> ServeAsset:
    """A slash or NUL in a segment was encoded: no file has one in its name."""
    is_file = parts[-1] != b"" and not any(b"/" in part or b"\0" in part for part in parts)
    return ServeAsset(folder=assets.folder, path=b"/".join(parts) if is_file else None)
