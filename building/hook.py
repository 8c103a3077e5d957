"""What goes into a wheel beside the source: the manual pages, and compiled modules."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_ROOT = Path(__file__).parents[1]
_PAGES = ("click>=8.1",)


class Made(BuildHookInterface[Any]):
    """Makes them, for a wheel that is not editable."""

    PLUGIN_NAME = "made"

    def dependencies(self) -> list[str]:
        """What the making needs: pip installs it for the build, and forgets it."""
        sys.path.insert(0, str(_ROOT))
        from building import compiled

        if not compiled.is_wanted():
            return list(_PAGES)
        return [*_PAGES, *compiled.NEEDED, *self.metadata.core.dependencies]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make them, and name them among the data of the wheel."""
        if version == "editable":
            return
        root = Path(self.root)
        sys.path[:0] = [str(root), str(root / "src")]
        from man.pages import write

        written = write(root / "build" / "man")
        build_data["shared_data"] |= {str(path): target for path, target in written.items()}
        self._compile(root, build_data)

    def _compile(self, root: Path, build_data: dict[str, Any]) -> None:
        from building import compiled

        if not compiled.is_wanted():
            self.app.display_info("sorryd: no compiler, or SORRYD_COMPILE=no: a pure wheel")
            return
        try:
            made = dict(compiled.build(root / "build" / "compiled"))
        except subprocess.CalledProcessError as error:
            said = root / "build" / "not-compiled.log"
            said.write_text(error.stdout + error.stderr)
            self.app.display_warning(f"sorryd: could not be compiled, a pure wheel: see {said}")
            return
        build_data["force_include"] |= {str(path): target for path, target in made.items()}
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
