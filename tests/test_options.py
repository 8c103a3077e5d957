"""What `twistd sorryd` answers by itself."""

from __future__ import annotations

import pytest

from sorryd.control.versions import sorryd_version
from sorryd.options import Options


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """`twistd sorryd --version` says which sorryd it is, not which Twisted."""
    with pytest.raises(SystemExit) as end:
        Options().parseOptions(["--version"])
    assert not end.value.code
    assert capsys.readouterr().out == f"sorryd {sorryd_version()}\n"
