"""Long bodies of known length, which pass by those who relay them."""

from __future__ import annotations

from tests.edge.messages import GET, OK, answer, asked, passed, request, status_of
from tests.edge.scene import TIMES, Stage

from sorryd.edge.bodies import LOOKED_AT, POURED
from sorryd.edge.wheel import TICK

SIZE = POURED + 100_000
BODY = bytes(range(256)) * (SIZE // 256 + 1)
BODY = BODY[:SIZE]
LONG = answer(BODY)
UPLOAD = request(b"POST / HTTP/1.1", b"Content-Length: %d\r\n" % SIZE)


def test_answer(stage: Stage) -> None:
    """An answer is whole, and most of it went by; it is counted, and the next one is as ever."""
    scene = stage()
    visitor, member = scene.asks()
    member.says(LONG[:1000])
    member.says_at_once(LONG[1000:])
    assert visitor.gets() == passed(LONG)
    assert SIZE - LOOKED_AT - 1000 < visitor.poured <= SIZE - LOOKED_AT
    assert sum(pool.tally.sent for pool in scene.site.pools) == len(passed(LONG))
    visitor.says(GET)
    member.says(OK)
    assert visitor.gets() == passed(OK)
    assert visitor.is_open


def test_answer_cut(stage: Stage) -> None:
    """A member that ends in the middle of it cuts the visitor off."""
    scene = stage()
    visitor, member = scene.asks()
    member.says(LONG[:1000])
    member.says_at_once(LONG[1000:200_000])
    member.ends()
    assert visitor.gets() == passed(LONG)[: len(passed(LONG)) - len(LONG) + 200_000]
    assert visitor.poured
    assert visitor.is_gone


def test_answer_takes_long(stage: Stage) -> None:
    """What passes by is a sign of life; silence is none."""
    scene = stage()
    visitor, member = scene.asks()
    member.says(LONG[:1000])
    for at in range(1000, 5000, 1000):
        scene.passes(TIMES.stream - 1)
        member.says(LONG[at : at + 1000])
    assert visitor.poured
    assert visitor.is_open
    scene.passes(TIMES.stream + TICK)
    assert visitor.is_gone


def test_answer_to_who_does_not_read(stage: Stage) -> None:
    """A visitor who takes nothing holds the member up, and gets all in the end."""
    scene = stage()
    visitor, member = scene.asks()
    member.says(LONG[:1000])
    visitor.stops_reading()
    member.says_at_once(LONG[1000:150_000])
    member.says_at_once(LONG[150_000:])
    assert not member.is_reading
    visitor.reads()
    assert visitor.gets() == passed(LONG)


def test_upload(stage: Stage) -> None:
    """A request's body passes by as well; it is counted, and the next request is as ever."""
    scene = stage()
    visitor, member = scene.asks(UPLOAD + BODY[:1000])
    visitor.says(BODY[1000:2000])
    visitor.says_at_once(BODY[2000:] + GET)
    assert member.gets() == asked(UPLOAD) + BODY
    assert member.poured
    assert scene.site.tally.received == len(UPLOAD) + SIZE + len(GET)
    member.says(OK)
    assert member.gets() == asked(GET)
    member.says(OK)
    assert visitor.gets() == 2 * passed(OK)


def test_upload_takes_long(stage: Stage) -> None:
    """What passes by is a sign of life; silence is none, and tells the visitor so."""
    scene = stage()
    visitor, member = scene.asks(UPLOAD + BODY[:1000])
    for at in range(1000, 5000, 1000):
        visitor.says(BODY[at : at + 1000])
        scene.passes(TIMES.body - 1)
    assert member.poured
    assert visitor.is_open
    scene.passes(TIMES.body + TICK)
    assert status_of(visitor.gets()) == 408


def test_upload_answered_early(stage: Stage) -> None:
    """After an early answer nothing goes to the member any more: the rest is read away."""
    scene = stage()
    visitor, member = scene.asks(UPLOAD + BODY[:1000])
    visitor.says(BODY[1000:2000], BODY[2000:3000])
    poured = member.poured
    assert poured
    member.says(OK)
    visitor.says_at_once(BODY[3000:])
    assert visitor.gets() == passed(OK)
    assert member.poured == poured
    visitor.says(GET)
    scene.member().says(OK)
    assert visitor.gets() == passed(OK)


def test_upload_of_what_may_be_sent_again(stage: Stage) -> None:
    """While a body is kept to be sent again, it comes by; behind that it passes."""
    scene = stage()
    put = UPLOAD.replace(b"POST", b"PUT")
    visitor, member = scene.asks(put + BODY[:1000])
    visitor.says_at_once(BODY[1000:60_000])
    assert not member.poured
    visitor.says_at_once(BODY[60_000:70_000])
    visitor.says_at_once(BODY[70_000:])
    assert member.gets() == asked(put) + BODY
    assert member.poured
    visitor.resets()


def test_upload_to_who_does_not_read(stage: Stage) -> None:
    """A member that takes nothing holds the visitor up, and gets all in the end."""
    scene = stage()
    visitor, member = scene.asks(UPLOAD + BODY[:1000])
    visitor.says(BODY[1000:2000])
    member.stops_reading()
    visitor.says_at_once(BODY[2000:150_000])
    visitor.says_at_once(BODY[150_000:])
    assert not visitor.is_reading
    member.reads()
    assert member.gets() == asked(UPLOAD) + BODY
    visitor.resets()
