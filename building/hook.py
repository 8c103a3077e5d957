"""What goes into a wheel beside the source: the manual pages, and compiled modules."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(_ROOT), str(_ROOT / "src")]  # hatch knows this file by its path alone

from building import compiled  # noqa: E402

_MADE = _ROOT / "build"
_PAGES = ("click>=8.1",)


class Made(BuildHookInterface[Any]):
    """Makes them, for a wheel that is not editable."""

    PLUGIN_NAME = "made"

    def dependencies(self) -> list[str]:
        """What the making needs: pip installs it for the build, and forgets it."""
        if not compiled.is_wanted():
            return list(_PAGES)
        return [*_PAGES, *compiled.NEEDED, *self.metadata.core.dependencies]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make them, and name them among the data of the wheel."""
        if version == "editable":
            return
        from man.pages import write  # not before what it needs is installed

        written = write(_MADE / "man")
        build_data["shared_data"] |= {str(path): target for path, target in written.items()}
        self._compile(build_data)

    def _compile(self, build_data: dict[str, Any]) -> None:
        if not compiled.is_wanted():
            self.app.display_info("sorryd: no compiler, or SORRYD_COMPILE=no: a pure wheel")
            return
        try:
            made = dict(compiled.build(_MADE / "compiled"))
        except subprocess.CalledProcessError as error:
            said = _MADE / "not-compiled.log"
            said.write_text(error.stdout + error.stderr)
            self.app.display_warning(f"sorryd: could not be compiled, a pure wheel: see {said}")
            return
        build_data["force_include"] |= {str(path): target for path, target in made.items()}
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
