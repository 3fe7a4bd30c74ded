"""A chapter as a deck: which slides it makes. Pure: a notebook with its outputs in, slides out, nothing is run.

Every figure, widget and guess gets a slide of its own; text is cut between its paragraphs into what a screen holds;
code is shown where it is the lesson or the room's task. All is worked out from tags, slide types and outputs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tlcourse.workshop.deck_cells import code, code_height, copy, groups, hidden, markdown, output_height, pictures
from tlcourse.workshop.deck_text import GAP, HEIGHT, LINE, height, plain, split

# Code that the room reads or writes; all other code runs unseen.
SHOWN_CODE = {"lesson", "exercise", "bug-hunt", "solution"}
TASK = re.compile(r"\*\*(Exercise|Bug hunt)")
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
        # A figure gives way to its lead; a table is as high as it is.
        room = LEAD - max(0, size - HEIGHT) if own else HEIGHT - size
        second = pictures(cell) and any(map(pictures, last.cells))
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
            self.add(markdown(block), size, new=new)
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
                made.add(code(cell, shown=True, outputs=()), code_height(cell))
                made[-1].full, task = True, ""
            elif "check" in tags or (kind == "skip" and "solution" not in tags):
                made[-1].all_cells.append(hidden(cell))
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
        skip = {"slideshow": {"slide_type": "skip"}}
        cells.append(new_code_cell(f"%%javascript\n{script}", metadata=skip, outputs=[runs]))
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


def _put(made: _Slides, cell: Any, tags: set[str], *, in_task: bool) -> None:
    """Put a cell of code on the slides: its source where that is the lesson, and its outputs, large ones alone."""
    parts = groups(cell.outputs)
    shown = bool(tags & SHOWN_CODE) or in_task  # code below "Bug hunt" is what the room searches
    if not parts and not shown:
        made[-1].all_cells.append(hidden(cell))
        return
    first = parts[0] if parts else []
    size = code_height(cell) + sum(map(output_height, first))
    if shown and size <= HEIGHT:
        made.add(code(cell, shown=True, outputs=first), size, new="solution" in tags)
    elif shown:
        made.add(markdown(f"```python\n{cell.source}\n```"), code_height(cell), new="solution" in tags)
        if parts:
            made.add(code(cell, outputs=first), HEIGHT, own=True)
        else:
            made[-1].all_cells.append(hidden(cell))
    else:
        size = sum(map(output_height, first))
        guess = "predict" in tags
        made.add(code(cell, outputs=first), size, new=guess, own=size >= HEIGHT)
    for group in parts[1:]:
        size = sum(map(output_height, group))
        made.add(copy(cell, group), size, new=size >= HEIGHT, own=size >= HEIGHT)
    if "solution" in tags:
        made[-1].full = True


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
