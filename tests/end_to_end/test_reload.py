"""A new configuration while visitors are served: not a request is lost, not a connection."""

from __future__ import annotations

import signal
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

import pytest
from tests.certificates import DAY, authority, issue
from tests.end_to_end.daemon import Daemon, configuration, section
from tests.end_to_end.load import Load, Pages, check_page
from tests.end_to_end.members import Conversation, Member
from tests.end_to_end.waiting import until
from tests.end_to_end.wire import answer, anybody, request, visitor

ROOT: Final = authority()
PLAIN_AND_TLS: Final = "127.0.0.1:0, 127.0.0.1:0 tls"
RELOADS: Final = 20


@pytest.fixture
def members() -> Iterator[tuple[Pages, Pages]]:
    """Two members."""
    with Pages() as one, Pages() as other:
        yield one, other


def certify(folder: Path) -> None:
    """Put a new certificate where the configuration says."""
    chain, key = issue(ROOT, ["shop.example"], until=datetime.now(UTC) + 90 * DAY)
    (folder / "shop.pem").write_bytes(chain + key)


def serial(port: int) -> int:
    """The serial number of the certificate that is shown."""
    tls = ssl.create_default_context(cadata=ROOT.pem.decode())
    with visitor(port, tls) as wire:
        assert isinstance(wire.socket, ssl.SSLSocket)
        found = wire.socket.getpeercert()
    assert found is not None
    return int(str(found["serialNumber"]), 16)


def shop(members: list[Pages], listen: str = PLAIN_AND_TLS, **keys: str) -> str:
    """The site of these tests."""
    urls = [member.url for member in members]
    return configuration(urls, listen=listen, certificate="shop.pem", **keys)


def reload_by_ctl(daemon: Daemon) -> None:
    done = daemon.ctl("reload")
    assert (done.returncode, done.stderr) == (0, ""), done


def reload_by_signal(daemon: Daemon) -> None:
    done = daemon.log.count("daemon.reload")
    daemon.signal(signal.SIGHUP)
    until(lambda: daemon.log.count("daemon.reload") > done, "the reload")
    daemon.settle()


WAYS = [
    pytest.param(reload_by_ctl, True, id="sorryctl"),
    pytest.param(reload_by_signal, True, id="SIGHUP"),
    pytest.param(reload_by_signal, False, id="SIGHUP, daemonised"),
]


class News(Member):
    """A member that answers with a stream of events, one whenever `say` is called."""

    def __init__(self) -> None:
        self._streams: list[Conversation] = []
        super().__init__(self._begin)

    def _begin(self, conversation: Conversation) -> None:
        if conversation.request() is not None:
            fields = (b"Content-Type: text/event-stream", b"Transfer-Encoding: chunked")
            conversation.send(answer(b"", *fields, length=False))
            self._streams.append(conversation)
            conversation.more()  # until sorryd closes it

    def say(self, text: bytes) -> None:
        """An event for all that listen."""
        event = b"data: %b\n\n" % text
        for stream in self._streams:
            stream.send(b"%x\r\n%b\r\n" % (len(event), event))


class Held:
    """What began before the reloads, and must outlive them: an answer by half, and a tunnel."""

    def __init__(self, port: int, member: Pages, tls: ssl.SSLContext | None, path: bytes) -> None:
        self._member = member
        self._path = path
        self._half, self._tunnel = visitor(port, tls), visitor(port, tls)

    def __enter__(self) -> Self:
        self._half.send(request(self._path))
        self._member.wait_for(self._path.decode())
        self._tunnel.send(request(b"/tunnel", b"Connection: upgrade", b"Upgrade: echo"))
        assert self._tunnel.answer().status == 101
        return self

    def __exit__(self, *_: object) -> None:
        self._half.close()
        self._tunnel.close()

    def check(self, text: bytes) -> None:
        """The tunnel still echoes."""
        self._tunnel.send(text)
        assert self._tunnel.exactly(len(text)) == text

    def finish(self) -> None:
        """The second half comes, whole."""
        self._member.release(self._path.decode())
        check_page(self._half.answer(), self._path.decode())


@pytest.mark.parametrize(("reload", "foreground"), WAYS)
def test_nothing_is_lost(
    tmp_path: Path,
    members: tuple[Pages, Pages],
    reload: Callable[[Daemon], None],
    foreground: bool,
) -> None:
    """Members, certificates, listeners and sites change under load, again and again."""
    certify(tmp_path)
    both, extra = list(members), f"{PLAIN_AND_TLS}, 127.0.0.1:0"
    with ExitStack() as stack:
        news = stack.enter_context(News())
        stream = section("news", [news.url], listen="127.0.0.1:0")
        variants = [
            shop(both[:1]) + section("news", [news.url, both[0].url], listen="127.0.0.1:0"),
            shop(both[1:], extra, announce="1h") + stream,
            shop(both, drain="1s") + stream + section("wiki", [both[0].url], listen="127.0.0.1:0"),
            shop(both[::-1], max_header_bytes="16k") + stream,
        ]
        ini = shop(both[:1]) + stream
        daemon = stack.enter_context(Daemon(tmp_path, ini, foreground=foreground))
        port, secure = daemon.port(), daemon.port(scheme="https")
        held = [
            stack.enter_context(Held(port, both[0], None, b"/half/plain")),
            stack.enter_context(Held(secure, both[0], anybody(), b"/half/tls")),
        ]
        reader = stack.enter_context(visitor(daemon.port("news")))
        reader.send(request())
        assert reader.head() is not None
        serials = {serial(secure)}
        with Load(port) as load, Load(secure, tls=True) as veiled:
            for turn in range(RELOADS):
                certify(tmp_path)
                daemon.config.write_text(variants[turn % len(variants)])
                reload(daemon)
                serials.add(serial(secure))
                load.wait_for(5)
                veiled.wait_for(5)
                for one in held:
                    one.check(b"turn %d" % turn)
                news.say(b"turn %d" % turn)
                reader.until(b"data: turn %d\n\n" % turn)
        assert (load.faults, veiled.faults) == ([], [])
        assert len(serials) == RELOADS + 1
        for one in held:
            one.finish()
        reader.reset()  # its answer never ends, and FIN alone would not end it either
