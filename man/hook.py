"""Puts the manual pages into the wheel, so that pip installs them where man looks."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ManualPages(BuildHookInterface[Any]):
    """Makes them, for a wheel that is not editable."""

    PLUGIN_NAME = "manual pages"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the pages, and name them among the data of the wheel."""
        if version == "editable":
            return
        root = Path(self.root)
        sys.path[:0] = [str(root), str(root / "src")]
        from man.pages import write

        written = write(root / "build" / "man")
        build_data["shared_data"] |= {str(path): target for path, target in written.items()}
