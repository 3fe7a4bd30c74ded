"""Rows of the scoreboard to look through: each with a link to the cell that measured it, and its interval drawn."""

import html
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd

from tlcourse.classroom.questions import number

WIDEST = 150.0  # interests at the edge of a drawn interval; few effects are larger


def places(board: pd.DataFrame, folder: Path | str = ".") -> list[str]:
    """Where each claim was measured: a link to the cell that records it, to its chapter, or "" if that is not there.

    JupyterLab scrolls to the cell that `#cell-id=` names; whatever does not know it opens the chapter.

    Args:
        board: columns `id` and `chapter`, as `scoreboard.table` has them.
        folder: where the notebooks lie.
    """
    files = {path.name[:2]: path for path in sorted(Path(folder).glob("[0-9][0-9]_*.ipynb"))}
    cells = {name: json.loads(path.read_text(encoding="utf-8"))["cells"] for name, path in files.items()}

    def place(claim: str, chapter: str) -> str:
        for cell in cells.get(chapter, ()):
            source = "".join(cell["source"])
            begun = tuple(re.findall(r'record\(\s*f"([\w-]+)\{', source))  # ids that a loop completes
            if "scoreboard.record(" in source and (f'"{claim}"' in source or claim.startswith(begun)):
                return f"{files[chapter].name}#cell-id={cell['id']}"
        return files[chapter].name if chapter in files else ""

    return [place(claim, chapter) for claim, chapter in zip(board.id, board.chapter, strict=True)]


def as_table(board: pd.DataFrame) -> str:
    """Rows as an HTML table; the interval of each is drawn in units of its interest, on a scale of logarithms.

    Args:
        board: the columns of `scoreboard.table`, and `place`, `effect`, `least` and `most`: a link, and the effect with
            its interval in interests, counted towards the claimed side.
    """
    lines = ["<table><tr><th>claim</th><th>published</th><th>measured</th><th></th><th>verdict</th></tr>"]
    for row in board.itertuples():
        published = "" if pd.isna(row.published) else number(row.published)
        measured = f"{row.measured:.3g} [{row.low:.3g}, {row.high:.3g}] {html.escape(str(row.unit))}"
        lines.append(
            f'<tr><td style="text-align:left" title="{html.escape(str(row.lecture))}">'
            f'<a href="{row.place}" target="_blank">{row.chapter}</a> {html.escape(str(row.statement))}</td>'
            f"<td>{published}</td><td>{measured}</td><td>{_drawn(row.least, row.effect, row.most)}</td><td>{row.verdict}</td></tr>"
        )
    return "".join([*lines, "</table>"])


def _drawn(least: float, effect: float, most: float) -> str:
    """A small forest plot: no effect in the middle, grey what would not matter, the claimed side on the right."""
    values = np.clip([least, effect, most, -1, 1], -WIDEST, WIDEST)
    low, mean, high, left, right = 80 + 75 * np.sign(values) * np.log1p(np.abs(values)) / np.log1p(WIDEST)
    return (
        f'<svg width="160" height="18" role="img" aria-label="{effect:.1f} [{least:.1f}, {most:.1f}] interests">'
        f'<rect x="{left:.0f}" width="{right - left:.0f}" height="18" fill="#dddddd"/>'
        '<path d="M80 0V18" stroke="#888888"/>'
        f'<path d="M{low:.0f} 9H{high:.0f}" stroke="#0072B2" stroke-width="3"/>'
        f'<circle cx="{mean:.0f}" cy="9" r="4" fill="#0072B2"/></svg>'
    )
