"""The demo members that `make run` starts."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator

import pytest

from sorryd.demo import DemoServer, main, render, taken


@pytest.fixture
def connection() -> Iterator[http.client.HTTPConnection]:
    """A connection to a demo member that runs in a thread."""
    with DemoServer(0, "member 1") as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        to = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
        yield to
        to.close()
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("method", "body"),
    [
        pytest.param("GET", None, id="GET"),
        pytest.param("HEAD", None, id="HEAD"),
        pytest.param("POST", b"length known", id="Content-Length"),
        pytest.param("PUT", iter([b"in ", b"chunks"]), id="chunked"),
    ],
)
def test_a_connection_is_kept_alive(
    connection: http.client.HTTPConnection, method: str, body: bytes | Iterator[bytes] | None
) -> None:
    """Whatever was asked, its body is read away and the next request gets its own answer."""
    connection.request(method, "/first", body=body)
    first = connection.getresponse()
    assert (first.status, bool(first.read())) == (200, method != "HEAD")
    used = connection.sock
    connection.request("GET", "/second")
    assert b"GET /second" in connection.getresponse().read()
    assert connection.sock is used


def test_a_page_escapes_what_it_shows() -> None:
    """What a visitor sent is shown as text and never as markup."""
    page = render("m", "GET /<script> HTTP/1.1", [("X", "<b>")]).decode()
    assert "<script>" not in page
    assert "<b>" not in page
    assert "X: &lt;b&gt;" in page


def test_a_taken_port_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """A port that another program listens at is said in one line, with exit code 1."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        assert taken([port]) == [port]
        assert main([str(port), "member 1"]) == 1
    assert capsys.readouterr().err == (
        f"127.0.0.1:{port} is taken: another program listens there\n"
    )
