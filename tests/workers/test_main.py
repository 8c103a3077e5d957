"""An edge process as a dialogue of orders and words, in one process with the test."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.control.world import CONFIG, NOON, site, window
from tests.workers.lives import view
from tests.workers.obeying import Stage, fit, published, served
from tests.workers.turning import Turning
from twisted.logger import capturedLogs, formatEvent, globalLogPublisher

from sorryd.model import Health
from sorryd.recording import LogTo
from sorryd.reports import MemberFailed
from sorryd.snapshot import MemberView, SiteView
from sorryd.window import WindowKind
from sorryd.workers.orders import (
    Count,
    Counted,
    Done,
    Failed,
    Fit,
    Hurry,
    Leaving,
    Measure,
    Measured,
    Order,
    Papers,
    Pem,
    Publish,
    Ready,
    Reopen,
    Reported,
    Retire,
    Said,
    Show,
    Stop,
)

DOWN = window("by-hand", start=NOON - 1e9, end=None, kind=WindowKind.MANUAL)
BROKEN = Papers(site="shop", pems=(Pem(path="a.pem", chain=b"nonsense", key=b"nonsense"),))


@pytest.fixture
def stage(turning: Turning, tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(turning, tmp_path)
    yield stage
    stage.end()
    turning.until(lambda: stage.lost)


def test_first_word(stage: Stage) -> None:
    """It says that it is there before it does anything."""
    stage.turning.until(lambda: stage.words)
    assert stage.words == [Ready(pid=os.getpid())]
    stage.begin()


def test_serving(stage: Stage) -> None:
    """It serves by what was published, from the moment that it says so."""
    stage.begin(served(windows=(DOWN,)))
    assert stage.ask().startswith(b"HTTP/1.1 503 ")
    assert [word.orders for word in stage.said(Done)] == [1, 2, 3]


def test_patches(stage: Stage) -> None:
    """What is left out of a patch is as it was before."""
    up = served(windows=(DOWN,))
    stage.begin(up)
    resting = tuple(replace(one, health=Health.RESTING) for one in up.members)
    stage.order(published(2, replace(up, members=resting), known=up))
    assert b"Sorry-Cause: manual" in stage.ask()
    stage.order(published(3, replace(up, members=resting, windows=())))
    assert b"Sorry-Cause: members" in stage.ask()


def test_reports(stage: Stage) -> None:
    """What its edge sees is said; what is in flight, when it is asked."""
    stage.begin(view(site=site("shop", CONFIG.sites[0].members[0])))
    stage.order(Count())
    (counted,) = stage.said(Counted)
    assert [(one.site, one.requests) for one in counted.active] == [("shop", 0)]


def test_numbers(stage: Stage) -> None:
    """What visitors asked is counted, and said when it is asked, and once more at the end."""
    stage.begin(served(windows=(DOWN,)))
    stage.ask()
    stage.order(Measure())
    stage.order(Stop(limit=0.0))
    stage.turning.until(lambda: len(stage.said(Measured)) == 2)
    for measured in stage.said(Measured):
        (shop,) = measured.numbers.sites
        assert sum(shop.itself.answers) == 1


def test_member_that_fails(stage: Stage) -> None:
    """A member that refuses is reported to the control process."""
    nobody = replace(CONFIG.sites[0].members[0], host="127.0.0.1", port=9)
    shop = site("shop", nobody)
    stage.begin(SiteView(site=shop, members=(MemberView(member=nobody),)))
    assert b"Sorry-Cause: members" in stage.ask()
    stage.turning.until(lambda: stage.said(Reported))
    (word,) = stage.said(Reported)
    assert isinstance(word.report, MemberFailed)


def test_sockets_that_stay(stage: Stage) -> None:
    """A socket that it has is not touched, and one that is not wanted any more is closed."""
    stage.begin(served(windows=(DOWN,)))
    stage.order(fit(is_new=False))
    assert stage.ask().startswith(b"HTTP/1.1 503 ")
    stage.order(Fit(openings=(), papers=(), log=LogTo(), retire=60.0))
    stage.order(fit(is_new=True))
    assert stage.ask().startswith(b"HTTP/1.1 503 ")


def test_access_log(stage: Stage, tmp_path: Path) -> None:
    """It writes to the log that it is told, and to a new file once the old one was moved."""
    path = tmp_path / "access.log"
    stage.begin(served(windows=(DOWN,)))
    stage.order(fit(is_new=False, path=str(path)))
    stage.ask()
    stage.turning.until(lambda: path.exists() and path.read_text().count("\n") == 1)
    path.rename(tmp_path / "old.log")
    stage.order(Reopen())
    stage.turning.until(path.exists)


def test_access_log_that_can_not_be_opened(stage: Stage, tmp_path: Path) -> None:
    """It serves without it, and says so."""
    with capturedLogs() as log:
        stage.begin(served(windows=(DOWN,)))
        stage.order(fit(is_new=False, path=str(tmp_path / "none" / "access.log")))
    assert any("no access log: " in str(formatEvent(event)) for event in log)
    assert stage.ask().startswith(b"HTTP/1.1 503 ")


@pytest.mark.parametrize(
    "order", [fit((BROKEN,), is_new=False), Show(papers=(BROKEN,))], ids=["Fit", "Show"]
)
def test_order_that_fails(stage: Stage, order: Order) -> None:
    """What it can't do is said, and logged; it goes on to serve as it did."""
    stage.begin(served(windows=(DOWN,)))
    with capturedLogs() as log:
        stage.order(order)
    assert stage.said(Failed) == [Failed(order=type(order).__name__)]
    assert "can't be carried out" in str(formatEvent(log[0]))
    assert stage.ask().startswith(b"HTTP/1.1 503 ")


def test_snapshot_that_fails(stage: Stage) -> None:
    """It must not serve by what is not so any more: it ends, and does not say that it is done."""
    stage.begin()
    with capturedLogs() as log:
        stage.channel.send(Publish(serial=2, sites=("nobody",), patches=()))
        stage.turning.until(lambda: stage.reactor.stops)
    assert "a bug: Publish can't be carried out" in str(formatEvent(log[0]))
    assert Done(orders=4) not in stage.words
    over: list[None] = []
    stage.main._edge.stop(0).addCallback(over.append)  # the process would be gone
    stage.turning.until(lambda: over)


@pytest.mark.parametrize("order", [Retire(limit=60), Stop(limit=60)], ids=["Retire", "Stop"])
def test_end(stage: Stage, order: Order) -> None:
    """With nobody there it ends at once, once."""
    stage.begin()
    stage.order(order)
    stage.turning.until(lambda: stage.lost and stage.reactor.stops)
    stage.turning.rest()
    assert stage.reactor.stops == 1


def test_stop_while_retiring(stage: Stage) -> None:
    """Told twice, it ends once; it hears of windows until then."""
    stage.begin(served(windows=(DOWN,)))
    with socket.create_connection(stage.door.getsockname()) as visitor:
        visitor.send(b"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\n\r\n")
        stage.turning.rest()
        stage.order(Retire(limit=60), published(2, served()), Stop(limit=60), Hurry())
        stage.turning.until(lambda: stage.lost and stage.reactor.stops)
    stage.turning.rest()
    assert stage.reactor.stops == 1


def test_asked_to_go(stage: Stage) -> None:
    """On SIGTERM it serves on, until the control process has another one in its place."""
    stage.begin(served(windows=(DOWN,)))
    stage.main.leave()
    stage.turning.until(lambda: stage.said(Leaving))
    assert stage.ask().startswith(b"HTTP/1.1 503 ")
    assert not stage.reactor.stops


def test_never_told_anything(stage: Stage) -> None:
    """One that was given up before it heard an order ends with its channel."""
    stage.turning.until(lambda: stage.words)
    stage.channel.abort()
    stage.turning.until(lambda: stage.reactor.stops)


def test_log(stage: Stage) -> None:
    """Lines are said with their level, and tracebacks whole."""
    globalLogPublisher.addObserver(stage.lines)
    try:
        stage.begin()
        with capturedLogs():
            stage.order(fit((BROKEN,), is_new=False))
    finally:
        globalLogPublisher.removeObserver(stage.lines)
    (said,) = (word for word in stage.said(Said) if "can't be carried out" in word.text)
    assert said.level == "critical"
    assert "Traceback" in said.text
    assert "Unable to load PEM file" in said.text
