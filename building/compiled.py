"""The modules of the data path as machine code, for wheels that are built where a compiler is.

mypyc translates them as they are, so the pure source stays the only one: it is what tests run, and
what is installed where nothing can be compiled. In a wheel the compiled module lies beside its
source, and Python prefers it.

``python building/compiled.py FOLDER`` compiles into FOLDER, in which a ``sorryd`` then lies with
nothing but machine code.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
WANTED = ROOT / "building" / "modules.txt"
NEEDED = ("mypy>=1.13", "mypy-zope>=1.0.9", "setuptools>=65")
"""What translates. Beside them mypy needs to see the types of what sorryd is made of."""

_MYPY = """\
[mypy]
python_version = {version}
mypy_path = {source}
explicit_package_bases = true
namespace_packages = true
plugins = mypy_zope:plugin
ignore_missing_imports = true
"""


def modules() -> list[str]:
    """Their files, in ``src``."""
    lines = (line.partition("#")[0].strip() for line in WANTED.read_text().splitlines())
    return [line for line in lines if line]


def is_wanted() -> bool:
    """Whether it can be done, and ``SORRYD_COMPILE=no`` does not say otherwise."""
    compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0]
    return (
        os.environ.get("SORRYD_COMPILE", "yes") != "no"
        and sys.implementation.name == "cpython"
        and shutil.which(compiler) is not None
        and Path(sysconfig.get_path("include"), "Python.h").exists()
    )


def build(folder: Path) -> Iterator[tuple[Path, str]]:
    """Compile into `folder`: each file, and where it belongs in the wheel.

    Raises subprocess.CalledProcessError, with what was said, where it can't be done.
    """
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, str(Path(__file__).resolve()), str(folder)]
    subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    for file in sorted(folder.rglob("*.so")):
        yield file, str(file.relative_to(folder))


def _compile(folder: Path) -> None:
    from mypyc.build import mypycify
    from setuptools import Distribution

    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "src"
        shutil.copytree(ROOT / "src" / "sorryd", source / "sorryd")
        config = Path(scratch) / "mypy.ini"
        version = ".".join(map(str, sys.version_info[:2]))
        config.write_text(_MYPY.format(version=version, source=source))
        os.chdir(scratch)  # paths of this machine stay out of what is built
        extensions = mypycify(
            ["--config-file", str(config), *(f"src/{file}" for file in modules())],
            # Half of the time is gcc's; "quick" is for who tries something out.
            opt_level="1" if os.environ.get("SORRYD_COMPILE") == "quick" else "3",
            debug_level="0",
            group_name="sorryd",
        )
        made = Distribution({"name": "sorryd", "ext_modules": extensions})
        command = made.get_command_obj("build_ext")
        command.build_lib = str(folder)
        command.build_temp = str(Path(scratch) / "temp")
        command.ensure_finalized()
        command.run()


if __name__ == "__main__":
    _compile(Path(sys.argv[1]).resolve())
