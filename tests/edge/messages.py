"""What visitors and members say to each other, in the tests of the edge."""

from __future__ import annotations

HOST = b"Host: shop.example\r\n"
FORWARDED = (
    b"X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: shop.example\r\n"
    b'Forwarded: for=192.0.2.7;host="shop.example";proto=http\r\n'
)
VIA = b"Via: 1.1 sorryd\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"


def request(first: bytes = b"GET / HTTP/1.1", fields: bytes = b"", body: bytes = b"") -> bytes:
    """A request to the site's host."""
    return first + b"\r\n" + HOST + fields + b"\r\n" + body


def post(body: bytes) -> bytes:
    """A request that can't be sent again."""
    return upload(len(body), body)


def put(body: bytes) -> bytes:
    """A request with a body that can."""
    return request(b"PUT / HTTP/1.1", b"Content-Length: %d\r\n" % len(body), body)


def answer(body: bytes = b"hello", fields: bytes = b"", first: bytes = b"HTTP/1.1 200 OK") -> bytes:
    """An answer with Content-Length."""
    return b"%b\r\n%bContent-Length: %d\r\n\r\n%b" % (first, fields, len(body), body)


def chunked(*pieces: bytes, end: bool = True) -> bytes:
    """`pieces` in the chunked coding."""
    coded = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return coded + b"0\r\n\r\n" if end else coded


def passed(message: bytes, fields: bytes = b"") -> bytes:
    """An answer as the visitor gets it: with Via, and `fields` of this connection."""
    head, _, body = message.partition(b"\r\n\r\n")
    return head + b"\r\n" + VIA + fields + b"\r\n" + body


def asked(message: bytes, fields: bytes = b"", via: bytes = VIA) -> bytes:
    """A request as a member gets it: with the forwarding fields, `fields` and Via."""
    head, _, body = message.partition(b"\r\n\r\n")
    return head + b"\r\n" + FORWARDED + fields + via + b"\r\n" + body


def dechunked(coded: bytes) -> bytes:
    """The body in a whole chunked coding, whatever the sizes of its chunks."""
    body = b""
    while True:
        size, _, coded = coded.partition(b"\r\n")
        if size == b"0":
            assert coded == b"\r\n"
            return body
        length = int(size, 16)
        body += coded[:length]
        assert coded[length : length + 2] == b"\r\n"
        coded = coded[length + 2 :]


def status_of(response: bytes) -> int:
    """The status code of a response."""
    assert response.startswith(b"HTTP/1.1 "), response
    return int(response[9:12])


def field_of(message: bytes, name: bytes) -> bytes | None:
    """The value of a field; None where there is none."""
    for line in message.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]:
        field, _, value = line.partition(b": ")
        if field.lower() == name.lower():
            return value
    return None


def is_apology(got: bytes, status: int) -> bool:
    """Whether a visitor was told with `status` that members have failed."""
    return status_of(got) == status and field_of(got, b"Sorry-Cause") == b"members"


def length(size: int) -> bytes:
    """The line that announces a body of so many bytes."""
    return b"Content-Length: %d\r\n" % size


def upload(size: int, body: bytes = b"", fields: bytes = b"") -> bytes:
    """A POST that announces `size` bytes, with `fields` before that, and `body` behind its head."""
    return request(b"POST / HTTP/1.1", fields + length(size), body)


GET = request()
OK = answer()
