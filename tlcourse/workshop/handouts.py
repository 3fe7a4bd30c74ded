"""What an instructor shows: a chapter as live slides."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tlcourse.workshop import NOTEBOOKS, notebooks


def slides(number: str, *, folder: Path = NOTEBOOKS) -> int:
    """Open a chapter in JupyterLab, whose deck mode (jupyterlab-slideshow) shows it as slides with live widgets.

    A page made by `nbconvert --to slides` would need a network for reveal.js, and its widgets would be dead.
    """
    (path,) = notebooks.select([number], folder)
    print(f"JupyterLab opens {path.name}. Run all cells, then press the deck button in the notebook's toolbar")
    print("(or View > Activate Command Palette > Start Deck). Arrow keys move, shift+enter runs a cell.")
    return subprocess.run([sys.executable, "-m", "jupyterlab", str(path)]).returncode
