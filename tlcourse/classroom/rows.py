"""Rows of the scoreboard to look through: each with a link to the cell that measured it, and its interval drawn."""

import html
import json
import re
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pandas as pd

from tlcourse.classroom import plots
from tlcourse.classroom.questions import number
from tlcourse.classroom.scoreboard import VERDICTS

WIDEST = 150.0  # interests at the edge of a drawn interval; few effects are larger


def places(board: pd.DataFrame, folder: Path | str = ".") -> list[str]:
    """Where each claim was measured: a link to the cell that records it, to its chapter, or "" if that is not there.

    JupyterLab scrolls to the cell that `#cell-id=` names; whatever does not know it opens the chapter.

    Args:
        board: columns `id` and `chapter`, as `scoreboard.table` has them.
        folder: where the notebooks lie.
    """
    files = {path.name[:2]: path for path in sorted(Path(folder).glob("[0-9][0-9]_*.ipynb"))}
    cells = {name: _cells(path) for name, path in files.items()}

    def place(claim: str, chapter: str) -> str:
        named, looped = [], []
        for cell in cells.get(chapter, ()):
            source = "".join(cell["source"])
            if cell["cell_type"] == "code" and f'"{claim}"' in source:
                # Best is a cell that records; of several the last.
                named.append(("scoreboard.record(" in source, len(named), cell["id"]))
            begun = re.findall(r'record\(\s*f"([\w-]+)\{', source)  # names that a loop completes
            looped += [(True, 0, cell["id"])] if claim.startswith(tuple(begun)) else []
        if chapter not in files:
            return ""
        found = max(named or looped or [(False, 0, "")])[2]
        return quote(files[chapter].name) + (f"#cell-id={found}" if found else "")  # a name may hold quotes and spaces

    return [place(claim, chapter) for claim, chapter in zip(board.id, board.chapter, strict=True)]


def _cells(path: Path) -> list[dict]:
    """A notebook's cells; none of a file that is no notebook, as somebody's own copy may be."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError, TypeError):
        return []


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
            f"<td>{published}</td><td>{measured}</td><td>{_drawn(row.least, row.effect, row.most)}</td>"
            f"<td>{row.verdict}</td></tr>"
        )
    return "".join([*lines, "</table>"])


def forest(ax, board: pd.DataFrame):
    """Every row as an interval that stands upright, sorted by verdict and effect; grey is what would not matter.

    Args:
        ax: where to draw.
        board: columns `verdict`, `effect`, `least` and `most`, as for `as_table`.
    """
    ordered = board.assign(kind=board.verdict.map(VERDICTS.index)).sort_values(["kind", "effect"])
    places = np.arange(len(ordered)) + 4 * ordered.kind.to_numpy()
    colours = [plots.COLOURS[kind] for kind in ordered.kind]
    ax.vlines(places, ordered.least, ordered.most, color=colours, lw=1.2)
    marks(ax, places, ordered.effect, ordered.verdict, ms=4)
    ax.axhspan(-1, 1, color="grey", alpha=0.2)
    ax.axhline(0, color="black", lw=1)
    ax.set_yscale("symlog", linthresh=1, linscale=0.7)
    ticks = [-30, -10, -3, -1, 0, 1, 3, 10, 30, 100]
    ax.set(xticks=[], yticks=ticks, yticklabels=ticks, xlabel="claims, sorted within their verdict")
    ax.set_ylim(top=400)
    ax.set_ylabel("effect, in interests")
    ax.legend(loc="upper left", ncols=5, columnspacing=1, handletextpad=0.2)
    return ax


def marks(ax, x, y, verdicts: pd.Series, **style):
    """A mark for each row, with one colour and marker for each verdict, the same in every figure."""
    for kind, name in enumerate(VERDICTS):
        here = (verdicts == name).to_numpy()
        style |= {"color": plots.COLOURS[kind], "marker": plots.MARKERS[kind], "label": f"{name} ({here.sum()})"}
        ax.plot(np.asarray(x)[here], np.asarray(y)[here], ls="", **style)
    return ax


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
