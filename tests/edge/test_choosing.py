"""The members of a site over time: pools that stay, requests that were tried, cookies."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.edge.crowd import CLIENT, Crowd, member
from tests.edge.scene import TIMES

from sorryd.edge.bad_message import BadMessage
from sorryd.edge.member_interfaces import Pool
from sorryd.model import Balance, Health, MemberState

EACH = pytest.mark.parametrize("balance", list(Balance))


def given(crowd: Crowd, count: int) -> list[str]:
    """Who gets each of so many requests, one after the other."""
    found = []
    for _ in range(count):
        asking = crowd.asks()
        found.append(asking.member)
        asking.ends()
    return found


@EACH
def test_nobody_waits_without_limits(balance: Balance) -> None:
    """Where nobody can take a request, and nobody is merely full, it is refused at once."""
    crowd = Crowd(member("a"), balance=balance)
    assert given(crowd, 2) == ["a", "a"]
    crowd.set("a", health=Health.RESTING)
    assert crowd.asks().is_refused
    assert not crowd.soon


@EACH
def test_tried_members_over_a_reload(balance: Balance) -> None:
    """Who was tried is known for what it is, however the members are arranged meanwhile."""
    crowd = Crowd(member("a"), member("b"), member("c"), balance=balance)
    tried = (crowd.pool("a"), crowd.pool("b"))
    for names in ("cba", "bca", "ca", "ac"):
        crowd.views = {name: crowd.views[name] for name in names}
        crowd.publish()
        assert {crowd.asks(*tried).member for _ in range(3)} == {"c"}
    crowd.views = {"a": crowd.views["a"]}
    crowd.publish()
    assert crowd.asks(*tried).is_refused


def test_pool_stays() -> None:
    """New settings of a member leave its connections, and the count of what is in flight."""
    crowd = Crowd(member("a"), member("b"))
    before = crowd.pool("a")
    asking = crowd.asks()
    changed = member("a", limit=1, weight=3, standby=True, retry=1.0)
    crowd.set("a", member=changed)
    assert crowd.pool("a") is before
    assert (before.member, before.limit, before.active) == (changed, 1, 1)
    asking.ends()


@pytest.mark.parametrize("field", ["host", "port", "path", "socket"])
def test_pool_goes(field: str) -> None:
    """A member that is elsewhere now gets connections of its own."""
    crowd = Crowd(member("a"))
    before = crowd.pool("a")
    crowd.set("a", member=replace(member("a"), **{field: 81 if field == "port" else "/x"}))
    (after,) = crowd.choosing.pools
    assert after is not before


def test_settings_of_the_site() -> None:
    """Time-outs and limits of a new configuration hold for pools that stay."""
    crowd = Crowd(member("a"))
    times = replace(TIMES, connect=1.5, queue=7.0, answer=9.0, stream=8.0)
    crowd.publish(timeouts=times, max_header_bytes=1234, max_queue=5)
    pool: Pool = crowd.pool("a")
    assert (pool.timeouts.answer, pool.timeouts.stream, pool.head_limit) == (9.0, 8.0, 1234)
    with pytest.raises(BadMessage, match="larger than the limit"):
        pool.answers.read(b"HTTP/1.1 200 OK\r\nX: %b\r\n\r\n" % (b"y" * 1300), False)
    assert crowd.timeout == 1.5
    assert (crowd.choosing.queue.limit, crowd.choosing.queue.timeout) == (5, 7.0)


def test_place_is_kept() -> None:
    """Neither a member that comes and goes nor a new setting sends the turns to the first."""
    crowd = Crowd(member("a"), member("b"), member("c"))
    assert given(crowd, 1) == ["a"]
    crowd.set("c", health=Health.RESTING)
    crowd.set("c", health=Health.UP)
    crowd.publish(max_queue=5)
    assert given(crowd, 3) == ["b", "c", "a"]


def test_balance_changes() -> None:
    """A new configuration shares requests otherwise from the next one on."""
    crowd = Crowd(member("a"), member("b"))
    assert set(given(crowd, 2)) == {"a", "b"}
    crowd.publish(balance=Balance.HASH)
    assert len(set(given(crowd, 4))) == 1
    crowd.publish(balance=Balance.STICKY)
    asking = crowd.asks()
    assert asking.set_cookie()
    asking.ends()
    crowd.publish(balance=Balance.LEAST_CONN)
    assert not crowd.choosing.has_cookies
    assert set(given(crowd, 2)) == {"a", "b"}


def test_is_anyone_left() -> None:
    """A member that is up and may get requests, standby or not."""
    crowd = Crowd(member("a"), member("b", standby=True))
    assert crowd.choosing.is_anyone_left
    crowd.set("a", health=Health.DOWN)
    assert crowd.choosing.is_anyone_left
    crowd.set("b", state=MemberState.DRAIN)
    assert not crowd.choosing.is_anyone_left


def test_cookie() -> None:
    """Who has the cookie of a member stays there, over a reload too, and is told no more."""
    crowd = Crowd(member("a"), member("b"), balance=Balance.STICKY, sticky_cookie="AT")
    first = crowd.asks()
    cookie = first.set_cookie()
    assert cookie.startswith(b"AT=")
    for _ in range(3):
        again = crowd.asks(cookie=cookie)
        assert (again.member, again.set_cookie()) == (first.member, b"")
    assert crowd.asks().member != first.member
    crowd.views = dict(reversed(crowd.views.items()))
    crowd.publish()
    assert crowd.asks(cookie=cookie).member == first.member


def test_cookie_gets_another_name() -> None:
    """By a reload: who comes with the old one is new."""
    crowd = Crowd(member("a"), member("b"), balance=Balance.STICKY, sticky_cookie="AT")
    cookie = crowd.asks().set_cookie()
    crowd.publish(sticky_cookie="ON")
    assert crowd.asks(cookie=cookie).set_cookie().startswith(b"ON=")


def test_cookie_of_a_lost_member() -> None:
    """Its clients get another member, and that one's cookie."""
    crowd = Crowd(member("a"), member("b"), balance=Balance.STICKY)
    first = crowd.asks()
    crowd.set(first.member, health=Health.DOWN)
    second = crowd.asks(cookie=first.set_cookie())
    assert second.member not in ("", first.member)
    assert second.set_cookie() not in (b"", first.set_cookie())


def test_cookie_of_a_member_that_is_gone() -> None:
    """An answer that comes from a member that is no longer configured sets none."""
    crowd = Crowd(member("a"), member("b"), balance=Balance.STICKY)
    first = crowd.asks()
    assert first.member == "a"
    del crowd.views["a"]
    crowd.publish()
    assert first.set_cookie() == b""


def test_hash_is_of_the_client() -> None:
    """The believed address decides, whatever else is asked."""
    crowd = Crowd(member("a"), member("b"), member("c"), balance=Balance.HASH)
    mine = crowd.asks(client=CLIENT).member
    others = {crowd.asks(client=f"192.0.2.{last}").member for last in range(20)}
    assert others == {"a", "b", "c"}
    assert crowd.asks(client=CLIENT).member == mine


def test_least_conn_is_live() -> None:
    """What is in flight counts from the moment that it is given, until it ends."""
    crowd = Crowd(member("a"), member("b"), balance=Balance.LEAST_CONN)
    first, second = crowd.asks(), crowd.asks()
    assert {first.member, second.member} == {"a", "b"}
    first.ends()
    assert crowd.asks().member == first.member
    second.ends()
    assert crowd.asks().member == second.member
