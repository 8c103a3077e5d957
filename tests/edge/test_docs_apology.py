"""What docs/http.md says of who gets which form of the apology."""

from __future__ import annotations

import gzip

import pytest
from tests.edge.messages import field_of, request, status_of
from tests.edge.scene import NOON, Stage, window
from tests.edge.tables import Row, name, rows

from sorryd.model import PageSource

ASKED = rows("asked with")


def test_table_is_found() -> None:
    """There are rows to look at."""
    assert len(ASKED) >= 15


@pytest.mark.parametrize("row", ASKED, ids=name)
def test_gets(stage: Stage, row: Row) -> None:
    """A visitor who asks so gets the kind, the language and the coding that are shown."""
    body = "<p>{{ reason }}" + " and so on" * 30
    scene = stage(sorry_pages=(PageSource(source=body), PageSource(source=body, language="ja")))
    scene.publish(window(NOON, NOON + 600))
    visitor = scene.visitor()
    visitor.says(request(fields=b"".join(b"%b\r\n" % line for line in row.code(0))))
    got = visitor.gets()
    kind, language, *coding = row.code(1)
    assert status_of(got) == 503
    assert (field_of(got, b"Content-Type") or b"").partition(b";")[0] == kind
    assert field_of(got, b"Content-Language") == language
    assert field_of(got, b"Content-Encoding") == (coding[0] if coding else None)
    assert field_of(got, b"Vary") == b"Accept, Accept-Language, Accept-Encoding"
    if coding:
        assert gzip.decompress(got.partition(b"\r\n\r\n")[2]).startswith(b"<p>upgrade")
