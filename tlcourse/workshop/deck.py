"""A chapter as a deck: which slides it makes. Pure: a notebook with its outputs in, slides out, nothing is run.

Every figure, widget and guess gets a slide of its own; text is cut between its paragraphs into what a screen holds;
code is shown where it is the lesson or the room's task. All is worked out from tags, slide types and outputs.
"""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Code that the room reads or writes; all other code runs unseen.
SHOWN_CODE = {"lesson", "exercise", "bug-hunt", "solution"}
TASK = re.compile(r"\*\*(Exercise|Bug hunt)")
COPY = "# Made by the cell before."  # the source of cells that show more of its outputs
WIDGET, HTML = "application/vnd.jupyter.widget-view+json", "text/html"

# What a slide of 1280 x 720 holds, in its pixels, as `deck.css` sets the type. They only decide what goes on a slide
# together: `deck.js` measures each slide, and makes it smaller where it is too high all the same.
WIDTH, HEIGHT, COLUMNS, CODE_COLUMNS = 1150, 570, 78, 80
LINE, CODE_LINE, ROW, GAP, STRIP = 41, 35, 48, 20, 300
LEAD = 160  # what may stand above a figure that is else alone
SQUEEZE = 60  # what a last line or two may be too high: a little smaller is better than alone on the next slide


@dataclass
class Slide:
    """One screen.

    Attributes:
        title: of the section that it belongs to.
        all_cells: in the order in which they run; those that are not shown have the slide type "skip".
        notes: what the speaker alone has before the eyes.
        used: about how high it is, in pixels of 1280 x 720.
        full: whether it is a figure's, a widget's or a task's own.
    """

    title: str
    all_cells: list[Any] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    used: int = 0
    full: bool = False

    @property
    def cells(self) -> list[Any]:
        """What the room sees, from top to bottom."""
        return [cell for cell in self.all_cells if "slideshow" not in cell.metadata]

    @property
    def starts_section(self) -> bool:
        """Whether its own text begins with a heading, so that it needs no other."""
        return bool(self.cells) and self.cells[0].cell_type == "markdown" and self.cells[0].source.startswith("#")


class _Slides(list):
    """Slides in the making: what comes goes on the last one as long as it fits there."""

    def add(self, cell: Any, size: int, *, new: bool = False, own: bool = False) -> None:
        """Put a cell on the last slide, or on a new one: if asked for, if it is full, or if the cell wants its own."""
        last = self[-1]
        room = LEAD if own else HEIGHT - size
        second = _pictures(cell) and any(map(_pictures, last.cells))
        if new or second or last.full or not last.cells or last.used > room:
            lead = "" if new else _lead(last)
            self.append(Slide(last.title))
            if lead and not own and height(lead) + size <= HEIGHT + SQUEEZE:
                _drop(last, lead)
                self.text(lead)
        last = self[-1]
        last.all_cells.append(cell)
        last.used += size
        last.full |= own

    def text(self, block: str, *, new: bool = False) -> None:
        """Put a block of Markdown below the one before it; a heading or a task begins a new slide."""
        heading = re.match("#{1,3} ", block)
        size = height(block)
        new = bool(new or heading or TASK.match(block))
        last = self[-1]
        joins = last.cells and last.all_cells[-1].cell_type == "markdown" and not last.full
        room = HEIGHT + (SQUEEZE if size <= 2 * LINE + GAP else 0)
        if joins and not new and last.used + size <= room:
            last.all_cells[-1].source += f"\n\n{block}"
            last.used += size
        else:
            self.add(_markdown(block), size, new=new)
        if heading:
            self[-1].title = plain(block.splitlines()[0])


def slides(notebook: Any) -> list[Slide]:
    """Work out the slides of a chapter.

    Args:
        notebook: with its outputs, as nbformat reads it; it is not changed.

    Returns:
        The slides in order. Each cell of code is on one of them, shown or hidden, so that the deck can be run. The
        first may have hidden cells alone.
    """
    made = _Slides([Slide(title_of(notebook))])
    task = ""  # the exercise that the room works on
    for cell in notebook.cells:
        kind = cell.metadata.get("slideshow", {}).get("slide_type")
        tags = set(cell.metadata.get("tags", []))
        if kind == "notes":
            made[-1].notes.append(cell.source)
        elif cell.cell_type == "markdown" and kind != "skip":
            for place, block in enumerate(split(cell.source)):
                made.text(block, new=place == 0 and (kind in ("slide", "subslide") or "goals" in tags))
                task = block if TASK.match(block) else task
        elif cell.cell_type == "code":
            if "exercise" in tags:
                if task and (not made[-1].cells or made[-1].cells[-1].cell_type != "markdown"):
                    made.text(task, new=True)  # what stands between has taken the screen
                made.add(_code(cell, shown=True, outputs=()), _code_height(cell))
                made[-1].full, task = True, ""
            elif "check" in tags or (kind == "skip" and "solution" not in tags):
                made[-1].all_cells.append(_hidden(cell))
            else:
                _put(made, cell, tags, in_task=bool(task))
    return made


def deck(notebook: Any, script: str = "") -> Any:
    """A notebook that `jupyterlab-slideshow` shows as the slides of a chapter.

    Args:
        notebook: the chapter, with its outputs.
        script: JavaScript for the page, in a hidden cell at the end.

    Returns:
        A new notebook with the chapter's metadata, the stored states of its widgets included.
    """
    from nbformat.v4 import new_code_cell, new_notebook, new_output

    made = slides(notebook)
    last = sum(bool(slide.cells) for slide in made)
    cells, number = [], 0
    for slide in made:
        number += bool(slide.cells)
        for place, cell in enumerate(slide.cells):
            if place == 0:
                cell.metadata["slideshow"] = {"slide_type": "slide"}
                # Read by deck.css, which draws them: the section's name above, the number below.
                above = "" if slide.starts_section else slide.title
                words = {"--deck-title": _quoted(above), "--deck-number": _quoted(f"{number} / {last}")}
                cell.metadata["@deathbeds/jupyterlab-fonts"] = {"styles": {":root": words}}
            elif number < last:
                cell.metadata["jupyterlab-slideshow"] = {"layer": "slide"}  # shown with it, without a key press more
        cells += slide.all_cells
    if script:
        runs = new_output("display_data", data={"application/javascript": script})
        hidden = {"slideshow": {"slide_type": "skip"}}
        cells.append(new_code_cell(f"%%javascript\n{script}", metadata=hidden, outputs=[runs]))
    return new_notebook(cells=cells, metadata=notebook.metadata)


def notes_page(notebook: Any) -> str:
    """What the speaker has on paper, as an HTML page: each slide's number and title, and the notes where there are any.

    Args:
        notebook: the chapter, with its outputs.
    """
    from html import escape

    from nbconvert.filters import markdown2html_mistune

    title, entries = title_of(notebook), []
    for slide in filter(lambda slide: slide.cells, slides(notebook)):
        said = "".join(markdown2html_mistune(note) for note in slide.notes)
        entries.append(f"<li><b>{escape(slide.title)}</b> {escape(_first_words(slide))}{said}</li>")
    style = "body{font:14px/1.45 sans-serif;max-width:46em;margin:2em auto}li{margin:.4em 0;break-inside:avoid}"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Notes: {escape(title)}</title>'
        f"<style>{style}</style><h1>{escape(title)}</h1><ol>\n" + "\n".join(entries) + "\n</ol></html>\n"
    )


def files() -> tuple[str, str]:
    """The stylesheet and the script of the deck's page."""
    here = Path(__file__).with_name("deck")
    return here.with_suffix(".css").read_text("utf-8"), here.with_suffix(".js").read_text("utf-8")


def title_of(notebook: Any) -> str:
    """The first heading of a notebook as plain text."""
    headings = (re.search(r"^# (.+)$", cell.source, re.M) for cell in notebook.cells if cell.cell_type == "markdown")
    return plain(next((found[1] for found in headings if found), ""))


# Text: into blocks, and blocks onto slides.


def split(source: str) -> list[str]:
    """Cut Markdown between its blocks: paragraphs, lists, tables, code; what is in a fence or a formula stays whole."""
    blocks: list[str] = []
    whole = False
    for part in re.split(r"\n\s*\n", source.strip()):
        if whole:
            blocks[-1] += f"\n\n{part}"
        else:
            blocks.append(part)
        fences = len(re.findall(r"^\s*```", part, re.M)) + part.count("$$")
        whole ^= fences % 2 == 1
    return [piece for block in blocks if block for piece in _shorter(block)]


def _lead(slide: Slide) -> str:
    """The last block of a slide, if it is a heading or announces what follows ("such as:"), else nothing."""
    if not slide.cells or slide.cells[-1].cell_type != "markdown":
        return ""
    block = split(slide.cells[-1].source)[-1]
    return block if re.match("#{1,3} ", block) or block.rstrip("*").endswith(":") else ""


def _drop(slide: Slide, block: str) -> None:
    """Take the last block off a slide."""
    cell = slide.cells[-1]
    cell.source = cell.source.removesuffix(block).strip()
    slide.used -= height(block)
    if not cell.source:
        slide.all_cells.remove(cell)


def _shorter(block: str) -> list[str]:
    """A list that is higher than a slide, by its items; a long paragraph, by its sentences; else the block as it is."""
    if _is_list(block):
        return [block] if height(block) <= HEIGHT else re.split(r"\n(?=(?:[-*+]|\d+\.) )", block)
    most = HEIGHT - 2 * LINE - GAP  # so that it has room below a heading
    if height(block) <= most or re.match(r"```|\||#|>|\$\$", block):
        return [block]
    parts, share = [""], height(block) / -(-height(block) // most)
    for sentence in re.split(r"(?<=[.!?:)]) ", " ".join(block.split())):
        marks = parts[-1].count("`") % 2 or parts[-1].count("**") % 2 or parts[-1].count("$") % 2
        if parts[-1] and height(parts[-1]) >= share and not marks:
            parts.append("")
        parts[-1] += f" {sentence}" if parts[-1] else sentence
    return parts


def _is_list(block: str) -> bool:
    return re.match(r"(?:[-*+]|\d+\.) ", block) is not None


def height(block: str) -> int:
    """About how high a block of Markdown is on a slide, in pixels of 1280 x 720."""
    lines = block.splitlines()
    if block.startswith("#"):
        return 2 * LINE + sum(height(line) for line in lines[1:])
    if block.startswith("```"):
        return CODE_LINE * len(lines) + GAP
    if block.startswith("|"):
        return sum(ROW + CODE_LINE * (len(plain(line)) // (COLUMNS + 15)) for line in lines)
    if _is_list(block):
        return sum(_lines(item) * LINE + 4 for item in re.split(r"\n(?=\s*(?:[-*+]|\d+\.) )", block)) + GAP
    return LINE * _lines(block) + GAP


def _lines(text: str) -> int:
    return -(-len(plain(text)) // COLUMNS)


def plain(text: str) -> str:
    """Markdown without its marks."""
    text = re.sub(r"!?\[([^]]*)\]\([^)]*\)", r"\1", text)
    return re.sub(r"\s+", " ", re.sub(r"[*`$\\]|^#+ ", "", text)).strip()


# Code: its source where that is the lesson, and its outputs, each as large as it needs.


def _put(made: _Slides, cell: Any, tags: set[str], *, in_task: bool) -> None:
    """Put a cell of code on the slides: its source where that is the lesson, and its outputs, large ones alone."""
    groups = _groups(cell.outputs)
    shown = bool(tags & SHOWN_CODE) or in_task  # code below "Bug hunt" is what the room searches
    if not groups and not shown:
        made[-1].all_cells.append(_hidden(cell))
        return
    first = groups[0] if groups else []
    size = _code_height(cell) + sum(map(_output_height, first))
    if shown and size <= HEIGHT:
        made.add(_code(cell, shown=True, outputs=first), size, new="solution" in tags)
    elif shown:
        made.add(_markdown(f"```python\n{cell.source}\n```"), _code_height(cell), new="solution" in tags)
        if groups:
            made.add(_code(cell, outputs=first), HEIGHT, own=True)
        else:
            made[-1].all_cells.append(_hidden(cell))
    else:
        size = sum(map(_output_height, first))
        guess = "predict" in tags
        made.add(_code(cell, outputs=first), size, new=guess, own=size >= HEIGHT)
    for group in groups[1:]:
        size = sum(map(_output_height, group))
        made.add(_copy(cell, group), size, new=size >= HEIGHT, own=size >= HEIGHT)
    if "solution" in tags:
        made[-1].full = True


def _code_height(cell: Any) -> int:
    lines = sum(len(line) // CODE_COLUMNS + 1 for line in cell.source.splitlines() or [""])
    return CODE_LINE * lines + 2 * GAP


def _groups(outputs: Iterable[Any]) -> list[list[Any]]:
    """Outputs by the slide that they come on: a figure or a widget alone, smaller ones together while they fit."""
    groups: list[list[Any]] = []
    used = 0
    for output in _single(outputs):
        size = _output_height(output)
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


def _output_height(output: Any) -> int:
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


def _pictures(cell: Any) -> bool:
    return any("<img" in output.get("data", {}).get(HTML, "") for output in cell.get("outputs", ()))


def _strip(html: str) -> int:
    """How high a picture is on a slide's full width, with a line of caption: a row of small pictures is low."""
    found = re.search(r'src="data:image/png;base64,([A-Za-z0-9+/]{32})', html)
    if not found:
        return HEIGHT
    width, high = struct.unpack(">II", base64.b64decode(found[1])[16:24])
    return WIDTH * high // width + LINE


def _markdown(source: str) -> Any:
    from nbformat.v4 import new_markdown_cell

    return new_markdown_cell(source)


def _code(cell: Any, *, shown: bool = False, outputs: Iterable[Any] | None = None) -> Any:
    """A cell of code for the deck, its source shown or not, with all its outputs or some."""
    from nbformat.v4 import new_code_cell

    made = new_code_cell(cell.source, outputs=list(cell.outputs if outputs is None else outputs))
    made.metadata.update(tags=list(cell.metadata.get("tags", [])), jupyter={"source_hidden": not shown})
    made.execution_count = cell.execution_count
    return made


def _hidden(cell: Any) -> Any:
    """A cell of code that runs and is not shown."""
    made = _code(cell)
    made.metadata["slideshow"] = {"slide_type": "skip"}
    return made


def _copy(cell: Any, outputs: Iterable[Any]) -> Any:
    """A cell that only shows what the cell before it made: a widget in it is as alive as the first."""
    from nbformat.v4 import new_code_cell

    metadata = {"tags": list(cell.metadata.get("tags", [])), "jupyter": {"source_hidden": True}}
    return new_code_cell(COPY, metadata=metadata, outputs=list(outputs))


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "").replace('"', "'") + '"'


def _first_words(slide: Slide) -> str:
    """What tells a slide from its neighbours in a list."""
    cell = slide.cells[0]
    if cell.cell_type == "markdown":
        text = plain(re.sub(r"^#.*", "", cell.source))
        return text if len(text) < 60 else f"{text[:57].rsplit(' ', 1)[0]} …"
    guess = re.search(r'Prediction\(\s*f?"(.+?)"', cell.source)
    words = guess[1] if guess else "figure" if "<img" in str(cell.outputs) else "result"
    return f"({'the code' if not cell.metadata['jupyter']['source_hidden'] else words})"
