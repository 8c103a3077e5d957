"""How operators are known, and pass what holds others up."""

from __future__ import annotations

import pytest
from tests.policy.received import (
    ADMIN,
    BARE,
    DOWN,
    IS_DOWN,
    LIVE,
    PASSES,
    judge,
    token,
)

from sorryd.policy.bypass import holder_of_window
from sorryd.policy.reception import (
    Bypass,
    FollowLink,
    Held,
    NotHere,
    ToMembers,
)


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
