"""Runs that are put together."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.report import Results
from bench.verdict import Judged

from bench import report, together


def results(plain: float | None) -> Results:
    """A run that measured nothing else."""
    judged = Judged(what="plain", value=plain, goal=1.0, at_least=0.65, unit="x haproxy")
    return Results(proxies={}, rounds=[], judged=[judged], rests=[], edges=None, starts=[])


@pytest.mark.parametrize(
    ("values", "code", "said"),
    [
        pytest.param(
            (0.6, 0.7, 1.2), 0, "0.70 1 0.65 at least: reached (0.60, 0.70, 1.20)", id="3"
        ),
        pytest.param((0.6, None), 1, "0.60 1 0.65 MISSED (0.60)", id="one did not measure it"),
        pytest.param((None, None), 0, "1 0.65 not measured ()", id="nobody measured it"),
    ],
)
def test_the_median_is_judged(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    values: tuple[float | None, ...],
    code: int,
    said: str,
) -> None:
    """Whatever single runs said, from the files that they wrote."""
    files = [tmp_path / f"{at}.json" for at in range(len(values))]
    for file, value in zip(files, values, strict=True):
        report.write(results(value), file)
    monkeypatch.setattr("sys.argv", ["together", *map(str, files)])
    assert together.main() == code
    line = capsys.readouterr().out.splitlines()[1]
    assert " ".join(line.split()) == f"plain x haproxy {said}"
