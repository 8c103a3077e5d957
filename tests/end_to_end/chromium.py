"""A real Chromium without a screen, driven over the DevTools protocol.

    with Chromium(folder) as browser, browser.tab() as tab:
        tab.open("http://127.0.0.1:8080/")
        assert tab.value("document.title") == "shop"

Everything happens in the caller's thread: what comes while it waits for something else is kept
with the tab that it belongs to. Leaving the block of a tab asserts that nothing went wrong in it.
"""

from __future__ import annotations

import base64
import contextlib
import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import pytest
from tests.end_to_end.waiting import PATIENCE, until
from websockets.sync.client import connect

CHROMIUM: Final = shutil.which("chromium")
NEEDS_CHROMIUM: Final = pytest.mark.skipif(CHROMIUM is None, reason="not installed: chromium")

_FLAGS: Final = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--hide-scrollbars", "--remote-debugging-port=0"),
)

Event = tuple[str, dict[str, Any]]
"""A method of the protocol, and its parameters."""


class DevToolsError(Exception):
    """The browser refused a command."""


class Chromium:
    """A browser with an empty profile in `folder`."""

    def __init__(self, folder: Path) -> None:
        assert CHROMIUM is not None
        self._entered = contextlib.ExitStack()
        self._log = folder / "chromium.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [CHROMIUM, *_FLAGS, f"--user-data-dir={folder / 'profile'}", "about:blank"],
                stdout=log, stderr=log,
            )  # fmt: skip
        try:
            address = until(self._address, "Chromium")
            self._socket = self._entered.enter_context(
                connect(address, max_size=None, ping_interval=None, proxy=None)
            )
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise
        self._number = 0
        self._tabs: dict[str, Tab] = {}

    def _address(self) -> str | None:
        said = self._log.read_text(errors="replace").partition("DevTools listening on ")[2]
        return said.split()[0] if "\n" in said else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        with contextlib.suppress(Exception):
            self.call("Browser.close")
        self._entered.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(PATIENCE)
        self._process.kill()
        self._process.wait()

    def call(self, method: str, session: str | None = None, **params: object) -> dict[str, Any]:
        """The result of one command. Raises DevToolsError."""
        self._number += 1
        number = self._number
        message = {"id": number, "method": method, "params": params}
        self._socket.send(
            json.dumps(message if session is None else message | {"sessionId": session})
        )
        deadline = time.monotonic() + PATIENCE
        while (got := self.receive(deadline - time.monotonic())).get("id") != number:
            pass
        if "error" in got:
            raise DevToolsError(f"{method}: {got['error']}")
        result: dict[str, Any] = got["result"]
        return result

    def receive(self, patience: float) -> dict[str, Any]:
        """The next message; an event is kept with its tab, too. Raises TimeoutError."""
        if patience < 0:
            raise TimeoutError
        message: dict[str, Any] = json.loads(self._socket.recv(patience))
        tab = self._tabs.get(message.get("sessionId", ""))
        if tab is not None and "method" in message:
            tab.events.append((message["method"], message["params"]))
        return message

    @contextlib.contextmanager
    def tab(self) -> Iterator[Tab]:
        """A new tab that shares nothing with others."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", url="about:blank", browserContextId=context)
        attached = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        tab = Tab(self, target["targetId"], context, attached["sessionId"])
        self._tabs[attached["sessionId"]] = tab
        for domain in ("Page", "Network", "Runtime", "Log"):
            tab.call(f"{domain}.enable")
        yield tab
        tab.assert_clean()
        # Its context goes with the browser: to dispose of one waits for requests on their way.
        self.call("Target.closeTarget", targetId=target["targetId"])


class Tab:
    """One tab. `events` are all that it has told of, in their order."""

    def __init__(self, browser: Chromium, target: str, context: str, session: str) -> None:
        self.browser = browser
        self.events: list[Event] = []
        self._target = target
        self._context = context
        self._session = session

    def call(self, method: str, **params: object) -> dict[str, Any]:
        """The result of one command. Raises DevToolsError."""
        return self.browser.call(method, self._session, **params)

    # --- what it does ---

    def open(self, url: str) -> None:
        """Go to a URL, and wait until it is loaded."""
        seen = len(self.events)
        self.call("Page.navigate", url=url)
        self.wait_for("Page.loadEventFired", since=seen)

    def before_scripts(self, source: str) -> None:
        """Run `source` in every page from now on, before its own scripts."""
        self.call("Page.addScriptToEvaluateOnNewDocument", source=source)

    def value(self, expression: str) -> Any:
        """What a JavaScript expression is, as JSON has it. Raises DevToolsError."""
        got = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in got:
            raise DevToolsError(f"{expression}: {got['exceptionDetails']}")
        return got["result"].get("value")

    def text(self, selector: str) -> str:
        """The visible text of an element."""
        return str(self.value(f"document.querySelector({json.dumps(selector)}).innerText"))

    def press(self, key: str) -> None:
        """Press and release Tab or Enter."""
        code, text = {"Tab": (9, ""), "Enter": (13, "\r")}[key]
        for kind in ("keyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent",
                type=kind, key=key, code=key, text=text, windowsVirtualKeyCode=code,
            )  # fmt: skip

    def screen(self, width: int, height: int, scale: float = 1, phone: bool = False) -> None:
        """Another screen."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=scale, mobile=phone,
        )  # fmt: skip

    def media(self, media: str = "", **features: str) -> None:
        """Another medium, and what the reader prefers: ``prefers_color_scheme="dark"``."""
        pairs = [{"name": name.replace("_", "-"), "value": features[name]} for name in features]
        self.call("Emulation.setEmulatedMedia", media=media, features=pairs)

    def zone(self, name: str) -> None:
        """Where the reader's clock stands, as an IANA zone."""
        self.call("Emulation.setTimezoneOverride", timezoneId=name)

    def language(self, tag: str) -> None:
        """What the reader reads, to the server and to scripts."""
        self.call(
            "Emulation.setUserAgentOverride", userAgent="Chromium for tests", acceptLanguage=tag
        )

    def picture(self) -> bytes:
        """What is on the screen, as PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    @contextlib.contextmanager
    def hidden(self) -> Iterator[None]:
        """Another tab lies over it within."""
        self.browser.call("Target.createTarget", url="about:blank", browserContextId=self._context)
        yield
        self.browser.call("Target.activateTarget", targetId=self._target)

    # --- what it waits for ---

    def until(self, expression: str, patience: float = PATIENCE) -> Any:
        """What a JavaScript expression is, as soon as it is true, whatever page is there then."""

        def look() -> Any:
            try:
                return self.value(expression)
            except DevToolsError:
                return None  # in between two pages

        return until(look, expression, patience)

    def wait_for(
        self,
        method: str,
        fits: Callable[[dict[str, Any]], bool] = lambda _: True,
        since: int = 0,
        patience: float = PATIENCE,
    ) -> dict[str, Any]:
        """The first event of a kind, from number `since` on; it may have been already."""
        deadline = time.monotonic() + patience
        while True:
            for name, params in self.events[since:]:
                if name == method and fits(params):
                    return params
            since = len(self.events)
            try:
                self.browser.receive(deadline - time.monotonic())
            except TimeoutError:
                pytest.fail(f"waited {patience:g} s in vain for {method}")

    def wait_for_answer(self, method: str, count: int = 1) -> None:
        """Wait until so many requests of an HTTP method were answered, one way or the other."""

        def finished() -> bool:
            return len(self.answered(method)) >= count

        deadline = time.monotonic() + PATIENCE
        while not finished():
            try:
                self.browser.receive(deadline - time.monotonic())
            except TimeoutError:
                pytest.fail(f"waited in vain for answer {count} to {method}")

    # --- what it has seen ---

    def requests(self) -> list[dict[str, Any]]:
        """All that it has asked over the network: `method`, `url` and more."""
        return [
            params["request"] for name, params in self.events if name == "Network.requestWillBeSent"
        ]

    def answered(self, method: str) -> list[str]:
        """The URLs that it has got answers for, by HTTP method."""
        asked = {
            params["requestId"]: params["request"]
            for name, params in self.events
            if name == "Network.requestWillBeSent"
        }
        return [
            asked[params["requestId"]]["url"]
            for name, params in self.events
            if name == "Network.responseReceived" and asked[params["requestId"]]["method"] == method
        ]

    def assert_clean(self) -> None:
        """No exception, nothing said on the console, no dialogue, and nothing asked elsewhere."""
        for name, params in self.events:
            assert name not in (
                *("Runtime.exceptionThrown", "Runtime.consoleAPICalled"),
                "Page.javascriptDialogOpening",
            ), params
            if name == "Log.entryAdded":
                # A status of 503 and a lost network are told as errors: they are what is tested.
                assert params["entry"]["source"] == "network", params
        elsewhere = [
            request["url"]
            for request in self.requests()
            if not request["url"].startswith(("http://127.0.0.1:", "http://localhost:"))
        ]
        assert elsewhere == []
