"""Cells of a deck, and about how high code and outputs are on a slide."""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Iterable
from typing import Any

from tlcourse.workshop.deck_text import CODE_COLUMNS, CODE_LINE, GAP, HEIGHT, LINE, ROW, STRIP, WIDTH, height, split

COPY = "# Made by the cell before."  # the source of cells that show more of its outputs
WIDGET, HTML = "application/vnd.jupyter.widget-view+json", "text/html"


def code_height(cell: Any) -> int:
    """About how high the source of a cell is, its long lines wrapped."""
    lines = sum(len(line) // CODE_COLUMNS + 1 for line in cell.source.splitlines() or [""])
    return CODE_LINE * lines + 2 * GAP


def groups(outputs: Iterable[Any]) -> list[list[Any]]:
    """Outputs by the slide that they come on: a figure or a widget alone, smaller ones together while they fit."""
    groups: list[list[Any]] = []
    used = 0
    for output in _single(outputs):
        size = output_height(output)
        if not groups or used + size > HEIGHT:
            groups.append([])
            used = 0
        groups[-1].append(output)
        used += size
    return groups


def _single(outputs: Iterable[Any]) -> Iterable[Any]:
    """Outputs without warnings; one for each figure where several were displayed as one."""
    from nbformat.v4 import new_output

    for output in outputs:
        if output.get("name") == "stderr" or output.output_type == "error":
            continue
        figures = output.get("data", {}).get(HTML, "").split("</figure>")
        if len(figures) > 2:
            for figure in figures[:-1]:
                yield new_output("display_data", data={HTML: f"{figure}</figure>"})
        else:
            yield output


def output_height(output: Any) -> int:
    """About how high an output is; a figure or a widget takes a whole slide, a row of small pictures less."""
    data = output.get("data", {})
    html = data.get(HTML, "")
    if WIDGET in data or any(kind.startswith("image/") for kind in data) or "<img" in html:
        strip = _strip(html)
        return strip if strip <= STRIP else HEIGHT
    if html:
        return ROW * max(1, html.count("<tr")) + GAP
    if "text/markdown" in data:
        return sum(map(height, split(data["text/markdown"])))
    text = output.get("text", data.get("text/plain", ""))
    return CODE_LINE * len(text.splitlines()) + GAP


def pictures(cell: Any) -> bool:
    """Whether a cell shows a figure."""
    return any("<img" in output.get("data", {}).get(HTML, "") for output in cell.get("outputs", ()))


def _strip(html: str) -> int:
    """How high a picture is on a slide's full width, with a line of caption: a row of small pictures is low."""
    found = re.search(r'src="data:image/png;base64,([A-Za-z0-9+/]{32})', html)
    if not found:
        return HEIGHT
    width, high = struct.unpack(">II", base64.b64decode(found[1])[16:24])
    return WIDTH * high // width + LINE


def markdown(source: str) -> Any:
    """A new cell of text."""
    from nbformat.v4 import new_markdown_cell

    return new_markdown_cell(source)


def code(cell: Any, *, shown: bool = False, outputs: Iterable[Any] | None = None) -> Any:
    """A cell of code for the deck, its source shown or not, with all its outputs or some."""
    from nbformat.v4 import new_code_cell

    made = new_code_cell(cell.source, outputs=list(cell.outputs if outputs is None else outputs))
    made.metadata.update(tags=list(cell.metadata.get("tags", [])), jupyter={"source_hidden": not shown})
    made.execution_count = cell.execution_count
    return made


def hidden(cell: Any) -> Any:
    """A cell of code that runs and is not shown."""
    made = code(cell)
    made.metadata["slideshow"] = {"slide_type": "skip"}
    return made


def copy(cell: Any, outputs: Iterable[Any]) -> Any:
    """A cell that only shows what the cell before it made: a widget in it is as alive as the first."""
    from nbformat.v4 import new_code_cell

    metadata = {"tags": list(cell.metadata.get("tags", [])), "jupyter": {"source_hidden": True}}
    return new_code_cell(COPY, metadata=metadata, outputs=list(outputs))
