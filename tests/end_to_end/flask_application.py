"""An application as others write them, for gunicorn: it imports nothing of sorryd.

At / it believes what a proxy says (ProxyFix); at /app it is one that never heard of proxies.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import queue
from collections.abc import Iterator
from typing import IO

from flask import Flask, Response, redirect, request, send_file, url_for
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response as Redirect

PIECE = 256 * 1024
DOCUMENT = b"".join(b"line %d\n" % number for number in range(10000))

app = Flask(__name__)
_released: queue.SimpleQueue[str] = queue.SimpleQueue()


def piece(number: int) -> bytes:
    """The part at `number` of a long body: PIECE bytes, like no other."""
    return number.to_bytes(8, "big") * (PIECE // 8)


@app.route("/where", methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])
def where() -> dict[str, object]:
    """What the application believes of the request, and its body."""
    return {
        "url": request.url,
        "method": request.method,
        "visitor": request.remote_addr,
        "elsewhere": url_for("where", _external=True),
        "headers": list(request.headers),
        "body": request.get_data(as_text=True),
    }


@app.get("/go/<way>")
def go(way: str) -> Redirect:
    """Redirect to /where, by an absolute URL, a path, or a path from here."""
    match way:
        case "absolute":
            return redirect(url_for("where", _external=True))
        case "path":
            return redirect(url_for("where"), 303)
        case _:
            return redirect("../where?from=here", 307)


@app.post("/login")
def login() -> Redirect:
    """Two cookies as applications set them, and a redirect to /where."""
    answer = redirect(url_for("where", _external=True), 303)
    name = request.host.partition(":")[0]
    answer.set_cookie("session", "a/b=c", domain=name, path=f"{request.script_root}/")
    answer.set_cookie("plain", "1", httponly=True, samesite="Lax")
    return answer


@app.post("/upload")
def upload() -> dict[str, object]:
    """The fields of a form; the name and length of its file, and what it hashes to."""
    file = request.files["file"]
    return {
        "form": dict(request.form),
        "name": file.filename,
        **_weighed(file.stream),
    }


@app.put("/bytes")
def take() -> dict[str, object]:
    """How a body came, how long it was, and what it hashes to."""
    framing = request.headers.get("Transfer-Encoding") or request.headers.get("Content-Length")
    return {"framing": framing, **_weighed(request.stream)}


def _weighed(stream: IO[bytes]) -> dict[str, object]:
    """The length of all that comes, and what it hashes to."""
    hashed, size = hashlib.sha256(), 0
    while part := stream.read(PIECE):
        hashed.update(part)
        size += len(part)
    return {"size": size, "sha256": hashed.hexdigest()}


@app.get("/stream/<int:pieces>")
def stream(pieces: int) -> Response:
    """A body made as it goes."""
    return Response(map(piece, range(pieces)), headers={"Content-Length": str(pieces * PIECE)})


@app.post("/events/<word>")
def release(word: str) -> tuple[str, int]:
    """Let the next event be `word`; `end` is the last."""
    _released.put(word)
    return "", 204


@app.get("/events")
def events() -> Response:
    """Server-sent events, each made when it is released."""

    def lines() -> Iterator[str]:
        yield ": here we go\n\n"
        while (word := _released.get(timeout=20)) != "end":
            yield f"data: {word}\n\n"

    return Response(lines(), mimetype="text/event-stream")


@app.get("/document")
def document() -> Response:
    """A file with a validator, whole or in part."""
    return send_file(
        io.BytesIO(DOCUMENT), mimetype="text/plain", etag="v1", conditional=True,
        last_modified=1_000_000_000,
    )  # fmt: skip


@app.get("/gzip")
def compressed() -> Response:
    """A body that its application has compressed."""
    headers = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    return Response(gzip.compress(DOCUMENT, mtime=0), mimetype="text/plain", headers=headers)


both = DispatcherMiddleware(
    ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1, x_prefix=1), {"/app": app.wsgi_app}
)
