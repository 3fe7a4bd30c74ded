"""The student's own copy of the course: `work/` is made from `notebooks/`, and nothing of hers is ever overwritten."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tlcourse.classroom import guesses
from tlcourse.material.assets.atomic import replacing
from tlcourse.workshop import NOTEBOOKS, ROOT, WorkshopError, notebooks
from tlcourse.workshop.lab_server import QUIET

WORK = Path(os.environ.get("TLCOURSE_WORK") or ROOT / "work").absolute()


def lab(*, work: Path = WORK) -> int:
    """Hand out what is not there yet, and open JupyterLab on the first chapter.

    Which pages were open is remembered beside the work, so that another day begins where this one ended.
    """
    from jupyterlab.labapp import main

    for sentence in hand_out(work=work):
        print(sentence)
    (first,) = notebooks.select(["00"], work)
    more = filter(None, [os.environ.get("JUPYTER_CONFIG_PATH")])
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join([str(QUIET), *more])
    places = f"--ServerApp.root_dir={work}", f"--LabApp.workspaces_dir={work / guesses.FOLDER / 'workspaces'}"
    return main([str(first), *places]) or 0


def hand_out(
    numbers: Iterable[str] = (), *, fresh: bool = False, work: Path = WORK, source: Path = NOTEBOOKS
) -> list[str]:
    """Copy chapters to the work folder where there are none yet, and bring copies that nobody worked in up to date.

    What was handed out is remembered in the folder. A copy that a student has changed, run or made unreadable is hers:
    a newer chapter is put beside it, once for each update.

    Args:
        numbers: which ("02"); none is all.
        fresh: begin these chapters anew; what was there stays under another name.
        work: the folder.
        source: where the course's notebooks are.

    Returns:
        What she should know, a sentence each.

    Raises:
        WorkshopError: there is no such chapter, none is named to begin anew, or the folder cannot be written.
    """
    from filelock import FileLock

    numbers = list(numbers)
    if fresh and not numbers:
        raise WorkshopError("Expected the chapters to begin anew, got none: name them, as in start 06 --fresh.")
    chapters = notebooks.select(numbers, source)
    try:
        (work / guesses.FOLDER).mkdir(parents=True, exist_ok=True)
        with FileLock(work / guesses.FOLDER / "lock", timeout=60):
            return list(_hand_out(chapters, work, fresh, source.parent / "docs" / "glossary.md"))
    except OSError as error:
        reason = error.strerror or error
        raise WorkshopError(
            f"Expected a folder to write to at {work}, got: {reason}. Mend that or move it away, or name another "
            "folder in the environment variable TLCOURSE_WORK."
        ) from error


def student_copy(notebook: Any) -> Any:
    """Make a notebook what a student begins with; changes it in place and returns it.

    No outputs and no speaker's notes; what only draws is folded, and so is a solution, whose first line tells nothing.
    """
    from nbconvert.preprocessors import ClearOutputPreprocessor

    notebook, _ = ClearOutputPreprocessor().preprocess(notebook, {})
    notebook.metadata.pop("widgets", None)
    notebook.cells = [c for c in notebook.cells if c.metadata.get("slideshow", {}).get("slide_type") != "notes"]
    for cell in notebook.cells:
        tags = set(cell.metadata.get("tags", ()))
        if cell.cell_type == "code" and tags & {"solution", "figure"}:
            folded = cell.metadata.setdefault("jupyter", {})
            folded["source_hidden"] = True
            if "solution" in tags:
                folded["outputs_hidden"] = True
                if not cell.source.startswith("#"):
                    cell.source = f"# One solution\n{cell.source}"
    return notebook


def _hand_out(chapters: list[Path], work: Path, fresh: bool, glossary: Path) -> Iterator[str]:
    file = work / guesses.FOLDER / guesses.MANIFEST
    handed, problem = _remembered(file)
    yield from problem
    try:
        for chapter in chapters:
            yield from _hand_out_one(chapter, work, handed, fresh)
        if glossary.exists():
            _place_glossary(glossary, work / glossary.name, handed)
    finally:  # what was done is remembered even where the disk is full at the fifth chapter
        guesses.write(handed, file)


def _hand_out_one(chapter: Path, work: Path, handed: dict[str, dict], fresh: bool) -> Iterator[str]:
    import nbformat

    copy = student_copy(nbformat.read(chapter, as_version=4))
    substance = _substance(nbformat.writes(copy))
    mine, known = work / chapter.name, handed.get(chapter.name, {})
    there = os.path.lexists(mine)
    if fresh and there:
        if _is_hers(mine, known):
            old = next(path for path in _names(mine, "old") if not os.path.lexists(path))
            mine.rename(old)
            yield f"{mine.name} begins anew; what was there is now {old.name}."
        guesses.set_aside(chapter.name[:2], work)
        yield from filter(None, [guesses.trouble])
        there, known = os.path.lexists(mine), {}
    if not there:
        if known:
            yield f"{mine.name} was no longer there and is handed out again; what you renamed stays as it is."
        _place(copy, mine, handed)
    elif not _is_hers(mine, known):
        if known["copy"] != _digest(nbformat.writes(copy)) or fresh:
            _place(copy, mine, handed)
    elif _read(mine) == substance:  # the list was lost, or she has put the new one in its place herself
        handed[mine.name] = {"substance": substance, "copy": _digest(nbformat.writes(copy))}
    elif _read(mine) is None:
        again = f"python -m tlcourse start {chapter.name[:2]} --fresh"
        yield f"{mine.name} cannot be read as a notebook and is left as it is; {again} begins the chapter anew."
    elif not known:
        handed[mine.name] = {"offered": substance}
        yield f"{mine.name} was there before and is left as it is."
    elif substance not in (known.get("substance"), known.get("offered")):
        beside = next(path for path in _names(mine, "new") if _is_free(path, handed, substance))
        _place(copy, beside, handed)
        known["offered"] = substance
        yield f"{chapter.name} has changed; yours is left as it is, and the new one is {beside.name}."


def _place_glossary(glossary: Path, mine: Path, handed: dict[str, dict]) -> None:
    """Put the glossary beside the chapters, unless she has written in hers."""
    text = glossary.read_text(encoding="utf-8").replace("](../notebooks/", "](")
    if os.path.lexists(mine) and _digest(mine.read_text("utf-8", "replace")) != handed.get(mine.name, {}).get("copy"):
        return
    with replacing(mine, "w", encoding="utf-8", newline="\n") as stream:
        stream.write(text)
    handed[mine.name] = {"copy": _digest(text)}


def _names(path: Path, word: str) -> Iterator[Path]:
    """Names beside a notebook; they sort before it, so that a glob finds the notebook itself last."""
    for number in range(1, 1000):
        yield path.with_name(f"{path.stem} ({word}{f' {number}' if number > 1 else ''}).ipynb")


def _is_free(path: Path, handed: dict[str, dict], substance: str) -> bool:
    """Whether nothing of hers is at this place."""
    return not os.path.lexists(path) or not _is_hers(path, handed.get(path.name, {})) or _read(path) == substance


def _is_hers(path: Path, known: dict) -> bool:
    """Whether a file is not, in substance, what was handed out."""
    return "substance" not in known or _read(path) != known["substance"]


def _place(copy: Any, path: Path, handed: dict[str, dict]) -> None:
    import nbformat

    notebooks.save(copy, path)
    text = nbformat.writes(copy)
    handed[path.name] = {"substance": _substance(text), "copy": _digest(text)}


def _read(path: Path) -> str | None:
    """The substance of a file; None if it cannot be read as a notebook."""
    try:
        return _substance(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _substance(text: str) -> str:
    """A hash of what a student can have worked on: sources, outputs, which cells ran. JupyterLab changes the rest."""
    cells = [
        (cell["cell_type"], "".join(cell["source"]), cell.get("outputs") or 0, cell.get("execution_count"))
        for cell in json.loads(text)["cells"]
    ]
    return _digest(json.dumps(cells, sort_keys=True))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def _remembered(file: Path) -> tuple[dict[str, dict], list[str]]:
    """What was handed out before; where the list is damaged it is begun anew, and every file counts as hers."""
    try:
        handed = json.loads(file.read_text(encoding="utf-8"))
        if isinstance(handed, dict) and all(isinstance(known, dict) for known in handed.values()):
            return handed, []
    except FileNotFoundError:
        return {}, []
    except ValueError:
        pass
    aside = next(path for n in range(1, 1000) if not (path := file.with_name(f"{file.stem}-damaged-{n}.json")).exists())
    file.rename(aside)
    return {}, [
        f"The list of what was handed out could not be read and is now {aside.name}; your files stay as they are."
    ]
