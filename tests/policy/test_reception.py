"""Who is held up, who passes, and what sorryd answers by itself."""

from __future__ import annotations

import pytest
from tests.policy.received import (
    ADMIN,
    BARE,
    DOWN,
    IS_DOWN,
    LIVE,
    NOW,
    OWN,
    PASSES,
    RULES,
    SITE,
    WRITES,
    judge,
    token,
)
from tests.policy.windows import planned, site

from sorryd.model import Exempt
from sorryd.policy.bypass import FIELD, holder_of_window, holders
from sorryd.policy.reception import (
    Apologise,
    Bypass,
    Held,
    Reception,
    Rules,
    ServeAsset,
    ToMembers,
    Verdict,
)
from sorryd.snapshot import GivenPage, SiteView

# --- idle -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "held", "idle"),
    [
        (BARE, Held(), True),
        (RULES, Held(), False),
        (BARE, LIVE, False),
        (BARE, IS_DOWN, False),
        (BARE, Held(partial=(ADMIN,)), False),
    ],
)
def test_idle(rules: Rules, held: Held, idle: bool) -> None:
    """A live site without assets and windows asks nobody."""
    assert Reception(rules, held).is_idle is idle


@pytest.mark.parametrize(
    ("rules", "held", "turned_away"),
    [
        (BARE, IS_DOWN, True),
        (BARE, Held(down=True), True),
        (BARE, LIVE, False),
        (BARE, Held(partial=(ADMIN,)), False),
        (RULES, IS_DOWN, False),
        (Rules(site("shop", exempt=(Exempt(path="/healthz"),)), OWN), IS_DOWN, False),
        (Rules(site("shop", bypass_networks=("10.0.0.0/8",)), OWN), IS_DOWN, False),
    ],
)
def test_turns_away(rules: Rules, held: Held, turned_away: bool) -> None:
    """Where nothing in a request can let it pass, nobody looks at it for that."""
    assert Reception(rules, held).turns_away is turned_away
    if turned_away:
        assert judge(held, b"/healthz", client="10.1.2.3", rules=rules) == DOWN


# --- exempt ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "target"),
    [
        (b"GET", b"/healthz"),
        (b"PUT", b"/healthz"),
        (b"GET", b"/healthz?deep=1"),
        (b"GET", b"/%68ealthz"),
        (b"POST", b"/hooks/"),
        (b"POST", b"/hooks/stripe/1?x=/../admin"),
        (b"GET", b"/status"),
        (b"HEAD", b"/status"),
    ],
)
def test_exempt(method: bytes, target: bytes) -> None:
    """It goes to the members whatever the phase."""
    assert judge(IS_DOWN, target, method) == PASSES


@pytest.mark.parametrize(
    ("method", "target"),
    [
        (b"GET", b"/"),
        (b"GET", b"/healthz/"),
        (b"GET", b"/healthz/x"),
        (b"GET", b"/healthzx"),
        (b"GET", b"/HEALTHZ"),
        (b"GET", b"/hooks/a"),
        (b"post", b"/hooks/a"),
        (b"POST", b"/hooks"),
        (b"POST", b"/hooks/../admin"),
        (b"POST", b"/hooks/%2e%2e/admin"),
        (b"POST", b"/hooks/.%2E/admin"),
        (b"POST", b"/hooks/%252e%252e/admin"),
        (b"POST", b"/hooks/..%2fadmin"),
        (b"POST", b"/hooks/..\\admin"),
        (b"POST", b"/hooks/..%5cadmin"),
        (b"POST", b"/hooks/..;/admin"),
        (b"POST", b"/hooks//../admin"),
        (b"POST", b"/hooks/a/../../admin"),
        (b"POST", b"/admin/../hooks/a"),
        (b"POST", b"//hooks/a"),
        (b"POST", b"/x?/hooks/a"),
        (b"OPTIONS", b"*"),
        (b"HEAD", b"/hooks/a"),
        (b"POST", b"/status"),
    ],
)
def test_not_exempt(method: bytes, target: bytes) -> None:
    """Neither another path or method, nor one that somebody may read as another."""
    assert judge(IS_DOWN, target, method) == DOWN


# --- assets ---------------------------------------------------------------------------------


@pytest.mark.parametrize("held", [Held(), LIVE, IS_DOWN], ids=["idle", "live", "down"])
@pytest.mark.parametrize(
    ("target", "path"),
    [
        (b"/images/a.png", b"images/a.png"),
        (b"/images/a.png?v=2", b"images/a.png"),
        (b"/images/big/b", b"images/big/b"),
        (b"/%69mages/a%20b.png", b"images/a b.png"),
        (b"/x/../images//a.png", b"images/a.png"),
        (b"/css/../images/a", b"images/a"),
        (b"/images/%E3%81%82", "images/あ".encode()),
        (b"/images/", None),
        (b"/images/a/", None),
        (b"/images/a/.", None),
        (b"/images/..%2f..%2fetc%2fpasswd", None),
        (b"/images/%2fetc/passwd", None),
        (b"/images/a%00.png", None),
    ],
)
def test_asset(held: Held, target: bytes, path: bytes | None) -> None:
    """It is served in every phase; what no file can be called is no file."""
    assert judge(held, target) == ServeAsset(folder="/public", path=path)


@pytest.mark.parametrize(
    "target",
    [b"/images", b"/imagesx/a", b"/images/../admin", b"/images/%2e%2e/admin", b"/x/images/a"],
)
def test_no_asset(target: bytes) -> None:
    """What only seems to be below a prefix goes its usual way."""
    assert judge(Held(), target) == PASSES
    assert judge(IS_DOWN, target) == DOWN


# --- windows on a part ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "method", "verdict"),
    [
        (b"/", b"GET", PASSES),
        (b"/", b"POST", Apologise(window=WRITES)),
        (b"/admin/x", b"GET", Apologise(window=ADMIN)),
        (b"/admin/x", b"POST", Apologise(window=ADMIN)),
        (b"/%61dmin", b"GET", Apologise(window=ADMIN)),
        (b"/x/../admin", b"GET", Apologise(window=ADMIN)),
        (b"/x/%252e%252e/admin", b"GET", Apologise(window=ADMIN)),
        (b"/hooks/a", b"POST", PASSES),
    ],
)
def test_partial(target: bytes, method: bytes, verdict: Verdict) -> None:
    """Who is covered, however the path is read, gets the apology of the first such window."""
    assert judge(Held(partial=(ADMIN, WRITES)), target, method) == verdict


def test_partial_and_operators() -> None:
    """An operator passes a window on a part of the site by a token for that one."""
    held = Held(partial=(ADMIN, WRITES), tokens=True)
    admin = (Bypass.COOKIE, token(holder_of_window(ADMIN)))
    writes = (Bypass.HEADER, token(holder_of_window(WRITES)))
    assert judge(held, b"/admin", tokens=[admin]) == ToMembers(bypass=Bypass.COOKIE)
    assert judge(held, b"/admin", tokens=[writes]) == Apologise(window=ADMIN)
    assert judge(held, b"/admin", b"POST", tokens=[admin]) == Apologise(window=WRITES)
    both = judge(held, b"/admin", b"POST", tokens=[admin, writes])
    assert both == ToMembers(bypass=Bypass.HEADER)
    assert judge(held, b"/admin", client="10.0.0.1") == ToMembers(bypass=Bypass.NETWORK)


# --- what holds a site down -----------------------------------------------------------------


def test_holders() -> None:
    """The windows that act on all of the site now, and the sorry file."""
    first, second = planned("first", 0, 2000), planned("second", 500, 2000)
    later, ended = planned("later", 1500, 2000), planned("ended", 0, 2000, ended=900.0)
    other = planned("other", 0, 2000, site="blog")
    windows = (ended, first, other, second, later)
    view = SiteView(site=SITE, members=(), windows=windows)
    assert holders(view, (), NOW) == ("window first", "window second")
    assert holders(view, (second,), NOW) == ("window first",)
    page = GivenPage(body=b"", media_type="text/html", since=7.0)
    view = SiteView(site=SITE, members=(), file=page)
    assert holders(view, (), NOW) == ("file 7.0",)


def test_field_name() -> None:
    """The field for scripts bears sorryd's name."""
    assert FIELD == "Sorryd-Bypass"
