"""A member that is told when to answer, and visitors who all ask at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from tests.end_to_end.members import Conversation, Member
from tests.end_to_end.waiting import PATIENCE
from tests.end_to_end.wire import Message, answer, ask


class Holding:
    """A member that answers with its name, each request when it is told to."""

    def __init__(self, name: bytes) -> None:
        self.name = name
        self.answering = threading.Semaphore(0)
        self.in_flight = 0
        self.most = 0
        self._lock = threading.Lock()
        self.member = Member(self._serve)

    def _serve(self, conversation: Conversation) -> None:
        while conversation.request() is not None:
            with self._lock:
                self.in_flight += 1
                self.most = max(self.most, self.in_flight)
            self.answering.acquire(timeout=PATIENCE)
            with self._lock:
                self.in_flight -= 1
            conversation.send(answer(self.name))

    def __enter__(self) -> Holding:
        return self

    def __exit__(self, *_: object) -> None:
        self.answering.release(1000)
        self.member.close()


@contextmanager
def crowd(port: int, count: int) -> Iterator[list[Future[Message]]]:
    """So many visitors who ask at once."""
    with ThreadPoolExecutor(count) as pool:
        yield [pool.submit(ask, port) for _ in range(count)]
