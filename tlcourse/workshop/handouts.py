"""What an instructor hands out: a copy of the course without solutions."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tlcourse.workshop import ROOT, WorkshopError, notebooks

# What a student who is graded does not get: the answers, and the tests that need them.
KEPT_BACK = ("tests", ".ci", ".git", ".venv", "conftest.py", "data/cache", "data/fetched")


def release(target: Path, *, root: Path = ROOT) -> list[Path]:
    """Copy the course without its solution cells, for graded work.

    The output of every exercise, check and solution goes too, and the cells in between keep theirs. Exercises keep
    their checks, so that the copy still gives hints.

    Args:
        target: a folder that is not there yet, or is empty.
        root: the checkout to copy.

    Returns:
        The notebooks written.

    Raises:
        WorkshopError: the folder is not empty, or lies inside the course.
    """
    import nbformat

    target = target.resolve()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise WorkshopError(f"{target} is not an empty folder; name one that is, or one that is not there yet.")
    if target.is_relative_to(root.resolve()):
        raise WorkshopError(f"{target} lies inside the course; name a folder outside of it.")
    written = []
    for relative in _tracked(root):
        source, copy = root / relative, target / relative
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source.suffix == ".ipynb":
            notebook = nbformat.read(source, as_version=4)
            without_solutions(notebook)
            notebooks.save(notebook, copy)
            written.append(copy)
        else:
            shutil.copy2(source, copy)
    return written


def without_solutions(notebook: object) -> None:
    """Take the solutions, and the outputs that would betray them, out of a notebook; changes it in place."""
    cells = notebook.cells
    notebook.cells = [cell for cell in cells if "solution" not in cell.metadata.get("tags", [])]
    notebook.metadata.pop("widgets", None)
    count = 0
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        if set(cell.metadata.get("tags", [])) & {"exercise", "check"}:
            cell.outputs, cell.execution_count = [], None
        else:
            count += 1
            cell.execution_count = count
            for output in cell.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = count


def _tracked(root: Path) -> list[Path]:
    """The files that git does not ignore, or everything that is no cache where the course came without git."""
    git = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"], capture_output=True
    )
    if git.returncode == 0 and git.stdout:
        files = [Path(name) for name in git.stdout.decode().split("\0") if name]
    else:
        files = [path.relative_to(root) for path in sorted(root.rglob("*")) if path.is_file()]
    skip = ("__pycache__", ".ipynb_checkpoints", ".pytest_cache", ".ruff_cache", "tlcourse.egg-info")
    return [
        file
        for file in files
        if not any(file.is_relative_to(kept) for kept in KEPT_BACK)
        and not set(file.parts) & set(skip)
        and (root / file).is_file()
    ]
