"""Who is held up, who passes, and what sorryd answers by itself."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from tests.policy.windows import planned, site

from sorryd.model import Assets, Exempt, Value
from sorryd.policy.bypass import FIELD, bypass_key, holder_of_window, holders, make
from sorryd.policy.reception import (
    Apologise,
    Bypass,
    FollowLink,
    Held,
    NotHere,
    Reception,
    Rules,
    ServeAsset,
    ToMembers,
    Verdict,
)
from sorryd.snapshot import GivenPage, SiteView
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


# --- operators ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("client", "passes"),
    [("10.1.2.3", True), ("::ffff:10.1.2.3", True), ("", True), ("192.0.2.7", False)],
)
def test_network(client: str, passes: bool) -> None:
    """Who comes from the operators' networks sees the site itself."""
    assert judge(IS_DOWN, client=client) == (ToMembers(bypass=Bypass.NETWORK) if passes else DOWN)
    assert judge(LIVE, client=client) == PASSES


@pytest.mark.parametrize("how", [Bypass.COOKIE, Bypass.HEADER])
@pytest.mark.parametrize(
    ("value", "passes"),
    [
        (token(), True),
        (token("window w2"), False),
        (token(site="blog"), False),
        (token(key=b"other"), False),
        (b"", False),
    ],
)
def test_token(how: Bypass, value: bytes, passes: bool) -> None:
    """A token is good for the very window that holds the site down."""
    verdict = judge(IS_DOWN, tokens=[(how, value)])
    assert verdict == (ToMembers(bypass=how) if passes else DOWN)
    assert judge(LIVE, tokens=[(how, value)]) == PASSES


def test_tokens() -> None:
    """One good one among several is enough."""
    tokens = [(Bypass.HEADER, b"x"), (Bypass.COOKIE, token())]
    assert judge(IS_DOWN, tokens=tokens) == ToMembers(bypass=Bypass.COOKIE)


def test_token_of_a_window_for_a_part() -> None:
    """Who may pass a window on a part may not pass one on the whole."""
    held = Held(down=True, holders=("window w1",), partial=(ADMIN,), tokens=True)
    assert judge(held, tokens=[(Bypass.COOKIE, token(holder_of_window(ADMIN)))]) == DOWN


@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
def test_link(method: bytes) -> None:
    """The link gives its token to the browser, and leads on."""
    good = b"/.sorryd/bypass?t=" + token() + b"&to=/a"
    bad = b"/.sorryd/bypass?t=" + token("window w2") + b"&to=/a"
    assert judge(IS_DOWN, good, method) == FollowLink(token=token(), to=b"/a")
    assert judge(IS_DOWN, bad, method) == DOWN
    assert judge(LIVE, good, method) == FollowLink(token=None, to=b"/a")
    assert judge(LIVE, bad, method) == FollowLink(token=None, to=b"/a")


def test_link_of_a_window_for_a_part() -> None:
    """The link for a window on a part of the site sets a cookie for that."""
    held = Held(partial=(ADMIN,), tokens=True)
    for_admin = token(holder_of_window(ADMIN))
    asked = b"/.sorryd/bypass?t=" + for_admin
    assert judge(held, asked) == FollowLink(token=for_admin, to=b"/")


@pytest.mark.parametrize(
    ("method", "target"),
    [
        (b"POST", b"/.sorryd/bypass?t=x"),
        (b"GET", b"/.sorryd/"),
        (b"GET", b"/.sorryd/bypass/"),
        (b"GET", b"/.sorryd/bypass;a?t=x"),
    ],
)
def test_own_folder(method: bytes, target: bytes) -> None:
    """What is below sorryd's folder goes to no member while a token may be about."""
    assert judge(IS_DOWN, target, method) == DOWN
    assert judge(LIVE, target, method) == NotHere()
    assert judge(Held(), target, method, rules=BARE) == PASSES


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
