"""``python -m man FOLDER`` writes the manual pages there."""

from __future__ import annotations

import sys
from pathlib import Path

from man.pages import write

for path in write(Path(sys.argv[1])):
    print(path)
