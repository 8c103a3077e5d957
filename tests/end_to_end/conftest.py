"""What the tests of several files share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.end_to_end.chromium import Chromium, Tab
from tests.end_to_end.members import Member, saying
from tests.end_to_end.stage import Stage, stage
from tests.end_to_end.workers import VARIABLE, kinds

WAYS = [
    pytest.param(("", False, ""), id="uvloop"),
    pytest.param(("epoll", False, ""), id="epoll"),
    pytest.param(("", True, ""), id="uvloop-tls"),
    pytest.param(("", False, "workers = 2"), id="workers"),
]


@pytest.fixture(scope="session", params=WAYS)
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """One daemon for all tests that ask for `shop`; it must end well after all of them."""
    reactor, tls, daemon = request.param
    folder = tmp_path_factory.mktemp("data")
    with stage(folder, reactor, tls, timeout_header="1s", daemon=daemon) as acting:
        yield acting


@pytest.fixture(params=kinds(), ids="{} workers".format)
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """How many workers daemons have; see BOTH_KINDS."""
    monkeypatch.setenv(VARIABLE, request.param)


@pytest.fixture(scope="module", params=kinds(), ids="{} workers".format)
def line_of_workers(request: pytest.FixtureRequest) -> str:
    """The same, as a line for [sorryd] of a daemon that the tests of a file share."""
    return f"workers = {request.param}"


@pytest.fixture
def shop(running: Stage) -> Stage:
    """The daemon, with a member that says hello unless it is told otherwise."""
    running.clear()
    return running


@pytest.fixture
def member() -> Iterator[Member]:
    """A member that says hello."""
    with Member(saying(b"hello")) as one:
        yield one


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """A browser for all tests; each takes tabs of its own."""
    with Chromium(tmp_path_factory.mktemp("chromium")) as running:
        yield running


@pytest.fixture
def tab(browser: Chromium) -> Iterator[Tab]:
    """A tab in which nothing may go wrong."""
    with browser.tab() as one:
        yield one
