"""A site's rules for who is held up, and what it does with a request."""

from __future__ import annotations

from collections.abc import Sequence

from tests.policy.windows import planned, site

from sorryd.model import Assets, Exempt, Value
from sorryd.policy.bypass import bypass_key, make
from sorryd.policy.reception import (
    Apologise,
    Bypass,
    Held,
    Reception,
    Rules,
    ToMembers,
    Verdict,
)
from sorryd.window import Scope

NOW = 1000.0
OWN = b"k" * 32
DOWN, PASSES = Apologise(), ToMembers()
SITE = site(
    "shop",
    sorry_assets=(
        Assets(prefixes=("/images/", "/css/"), folder="/public"),
        Assets(prefixes=("/images/big/",), folder="/never"),
    ),
    exempt=(Exempt(path="/healthz"), Exempt(path="/hooks/", method="POST"),
            Exempt(path="/status", method="GET")),
    bypass_networks=("10.0.0.0/8", "unix"),
)  # fmt: skip
RULES = Rules(SITE, OWN)
BARE = Rules(site("shop"), OWN)
ADMIN = planned("admin", 0, 2000, scope=Scope(paths=("/admin",)))
WRITES = planned("writes", 0, 2000, scope=Scope(methods=("unsafe",)))


def token(holder: str = "window w1", site: str = "shop", key: bytes = OWN) -> bytes:
    return make(bypass_key(None, key), site, holder, 2000).encode()


class Asked(Value, frozen=True):
    """A request, as far as it matters here."""

    method: bytes = b"GET"
    target: bytes = b"/"
    tokens: Sequence[tuple[Bypass, bytes]] | None = None


def judge(
    held: Held, target: bytes = b"/", method: bytes = b"GET", client: str = "192.0.2.7",
    tokens: Sequence[tuple[Bypass, bytes]] | None = None, rules: Rules = RULES,
) -> Verdict:  # fmt: skip
    asked = Asked(method=method, target=target, tokens=tokens)
    return Reception(rules, held).judge(asked, client, NOW)


IS_DOWN = Held(down=True, holders=("window w1",), tokens=True)
LIVE = Held(tokens=True)
