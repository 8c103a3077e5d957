"""What a request comes to, once its head is read: a member, the apology, or sorryd itself."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final, assert_never

from sorryd.edge.access import SORRY
from sorryd.edge.assets import AssetAnswer
from sorryd.edge.bodies import BodyReader
from sorryd.edge.relay import Exchange
from sorryd.edge.speaking import Speaker
from sorryd.edge.wheel import NEVER
from sorryd.policy.answers import refused
from sorryd.policy.bypass import FOLDER, followed
from sorryd.policy.headers import PRIVATE
from sorryd.policy.heads import RequestHead, ResponseHead
from sorryd.policy.reception import (
    Apologise,
    FollowLink,
    NotHere,
    Reception,
    ServeAsset,
    ToMembers,
)

_NOT_FOUND: Final = HTTPStatus.NOT_FOUND


class Receiver(Speaker):
    """A line that knows what to do with a request."""

    __slots__ = ()

    def pause_request(self) -> None:
        """Read no more of the request's body: see client.py."""
        raise NotImplementedError

    def resume_request(self) -> None:
        """Read on: see client.py."""
        raise NotImplementedError

    def _take_body(self, body: BodyReader, data: bytes) -> bytes:
        """Pass a piece of the body on: see client.py."""
        raise NotImplementedError

    def _begin_exchange(self, head: RequestHead, rest: bytes | memoryview) -> bytes | memoryview:
        """Apologise, redirect, ask a member, or answer by ourselves; what is left of `rest`."""
        site = self._site
        apology = site.apology()
        reception = site.reception
        if apology is not None and (
            reception is None
            or (reception.turns_away and head.tokens is None and not head.target.startswith(FOLDER))
        ):
            self._say_sorry_at_once(apology)
            return rest
        self._begin(head, site.instant)
        chosen: type[Exchange] | None = Exchange
        if reception is not None:
            chosen = self._receive(reception, head)
            if chosen is None:
                return rest
        port = site.redirects_to
        if port is not None and not self.is_secure and head.target != b"*":
            self._redirect(head, self.host(head), port)
            return rest
        body = self._requests.body
        if chosen is Exchange:  # by its name: a class in a variable is called through Python
            exchange = Exchange(self, site, head, body is None)
        else:
            exchange = OperatorExchange(self, site, head, body is None)
        self._exchange = exchange
        if body is not None and rest:
            if isinstance(rest, bytes):
                rest = self._take_body(body, rest)
            else:
                self._requests.read_whole(len(rest))
                exchange.take_whole(rest)
                self.deadline = NEVER  # the member's turn
                rest = b""
        exchange.start()
        return rest

    def _receive(self, reception: Reception, head: RequestHead) -> type[Exchange] | None:
        """Do as the site's reception says; the kind of exchange to begin, if one is."""
        site = self._site
        verdict = reception.judge(head, self.client, site.now())
        match verdict:
            case ToMembers(bypass=how):
                if how is not None and self.record is not None:
                    self.record.bypass = how.value
                return Exchange if how is None else OperatorExchange
            case Apologise(window=window):
                if head.target.startswith(FOLDER):
                    _hide(head)
                self._say_sorry(site.apology_of(window), SORRY)
            case ServeAsset():
                answer = self._exchange = AssetAnswer(self, head, site.now(), site.soon)
                answer.start(verdict)
            case FollowLink(token=token, to=to):
                _hide(head)
                self._say_itself(followed(token, to, self.is_secure))
            case NotHere():
                _hide(head)
                self._say_itself(refused(_NOT_FOUND, "nothing is here", head.method == b"HEAD"))
            case _:
                assert_never(verdict)
        return None


def _hide(head: RequestHead) -> None:
    """No log gets the token of a link, which may be good for a window that is to come."""
    head.target = head.target.partition(b"?")[0]


class OperatorExchange(Exchange):
    """For an operator, while others get the apology: no cache may keep what it is answered."""

    __slots__ = ()

    def answer(self, head: ResponseHead, piece: bytes, done: bool) -> None:
        """See interfaces.Exchange."""
        super().answer(head.with_line(PRIVATE), piece, done)
