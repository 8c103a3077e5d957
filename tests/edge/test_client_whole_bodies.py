"""Request bodies that come with their head: they go to the member without a copy."""

from __future__ import annotations

import pytest
from tests.edge.loops import noise
from tests.edge.messages import GET, OK, asked, length, passed, request, status_of, upload
from tests.edge.scene import Stage

from sorryd.edge.requests import WHOLE


@pytest.mark.parametrize("method", [b"POST", b"PUT"])
@pytest.mark.parametrize("size", [WHOLE - 1, WHOLE, 4 * WHOLE])
def test_with_its_head(stage: Stage, method: bytes, size: int) -> None:
    """A body that comes with its head goes with it, however long, and the next request follows."""
    scene = stage()
    visitor = scene.visitor()
    sent = request(method + b" / HTTP/1.1", length(size), noise(size))
    visitor.says(sent)
    member = scene.member()
    assert member.gets() == asked(sent)
    member.says(OK)
    assert visitor.gets() == passed(OK)
    visitor.says(sent + GET)
    assert member.gets() == asked(sent)
    member.says(OK)
    assert member.gets() == asked(GET)
    member.says(OK)
    assert visitor.gets() == 2 * passed(OK)


def test_sent_again_with_its_head(stage: Stage) -> None:
    """It is kept for another member, where the method lets it be sent again."""
    scene = stage(members=2)
    visitor = scene.visitor()
    sent = request(b"PUT / HTTP/1.1", length(2 * WHOLE), noise(2 * WHOLE))
    visitor.says(sent)
    first = scene.member()
    assert first.gets() == asked(sent)
    first.leaves("reset")
    second = scene.member()
    assert second.gets() == asked(sent)
    second.says(OK)
    assert visitor.gets() == passed(OK)


@pytest.mark.parametrize("size", [WHOLE - 1, 2 * WHOLE])
def test_too_large_with_its_head(stage: Stage, size: int) -> None:
    """What is longer than the limit is refused, also where all of it is here."""
    scene = stage(max_body_bytes=size - 1)
    visitor = scene.visitor()
    visitor.says(upload(size, noise(size)))
    assert status_of(visitor.gets()) == 413


@pytest.mark.parametrize("size", [WHOLE - 1, 2 * WHOLE])
def test_read_away_with_its_head(stage: Stage, size: int) -> None:
    """Where sorryd answers by itself, the body is no request, and what follows it is one."""
    scene = stage(members=0)
    visitor = scene.visitor()
    visitor.says(upload(size, noise(size)) + GET)
    answers = visitor.gets()
    assert answers.count(b"HTTP/1.1 503 ") == 2
    assert answers.count(b"HTTP/1.1 ") == 2
    assert visitor.is_open
