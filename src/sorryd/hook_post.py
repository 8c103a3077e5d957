"""A hook that is a URL: what it is told is POSTed there.

Over https the server's certificate must be good for its name, by the system's store. An answer
of 2xx within `LIMIT` seconds is success; redirects are not followed, and what the answer says is
not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any, Final

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure

LIMIT: Final = 10.0
"""Seconds for all of it: name, connection, TLS, request and the head of the answer."""


class Poster:
    """POSTs, each on a connection of its own."""

    def __init__(self, reactor: Any) -> None:
        # Imported late: it is much, and for those only who have such a hook.
        from twisted.web.client import Agent, FileBodyProducer, HTTPConnectionPool
        from twisted.web.http_headers import Headers

        self._reactor = reactor
        pool = HTTPConnectionPool(reactor, persistent=False)
        self._agent = Agent(reactor, connectTimeout=LIMIT, pool=pool)
        self._headers = Headers
        self._producer = FileBodyProducer

    def post(self, url: str, body: bytes, fields: Mapping[str, str]) -> Posting:
        """POST `body` to `url`."""
        headers = self._headers({name: [value] for name, value in fields.items()})
        producer = self._producer(BytesIO(body), cooperator=_cooperator(self._reactor))
        request = self._agent.request(b"POST", url.encode("ascii"), headers, producer)
        return Posting(self._reactor, request)


class Posting:
    """One of them. `done` fires with None where it was taken, else with what went wrong."""

    def __init__(self, reactor: Any, request: Deferred[Any]) -> None:
        self._request = request
        self._late = reactor.callLater(LIMIT, request.cancel)
        self.done: Deferred[str | None] = Deferred()
        request.addBoth(self._settled)

    def terminate(self) -> None:
        """Wait no longer."""
        self._request.cancel()

    def _settled(self, outcome: Any) -> None:
        if self._late.active():
            self._late.cancel()
        is_failure = isinstance(outcome, Failure)
        self.done.callback(_failure(outcome) if is_failure else _verdict(outcome))


def _cooperator(reactor: Any) -> Any:
    """Twisted's own would take the time from whatever reactor is installed first."""
    from twisted.internet.task import Cooperator

    return Cooperator(scheduler=lambda call: reactor.callLater(0.0, call))


def _verdict(response: Any) -> str | None:
    response.deliverBody(_Unread())
    if 200 <= response.code < 300:
        return None
    return f"answered {response.code}"


def _failure(why: Failure) -> str:
    """A line on what went wrong; Twisted wraps what happened on a connection into another one."""
    reasons = getattr(why.value, "reasons", None)
    if reasons:
        return _failure(reasons[0])
    if why.check(CancelledError):
        return f"no answer within {LIMIT:g} s"
    words = why.getErrorMessage() or type(why.value).__name__
    return str(next(iter(words.splitlines()), words))


class _Unread(Protocol):
    """Closes the connection instead of reading the body of an answer."""

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.loseConnection()
