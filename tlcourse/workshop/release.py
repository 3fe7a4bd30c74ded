"""What an instructor hands out: a copy of the course without solutions, for graded work."""

from __future__ import annotations

import base64
import shutil
import subprocess
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from tlcourse.workshop import ROOT, WorkshopError, notebooks

if TYPE_CHECKING:
    from nbformat import NotebookNode

# What a student who is graded does not get: the answers, the lecturer's desk, and the tests that need them.
DESK = "docs/instructor.md"
KEPT_BACK = (DESK, "tests", "work", ".ci", ".git", ".venv", "conftest.py", "data/cache", "data/fetched")
CHECKS = Path("tlcourse/classroom/checks")
ASKED = "    checked.question = question\n"  # for the tests alone: it tells the right answer


def release(target: Path, *, root: Path = ROOT) -> list[Path]:
    """Copy the course without its solution cells, for graded work.

    The output of every exercise and check goes too, and the cells in between keep theirs. Exercises keep their checks,
    so that the copy still gives hints, but `packed`.

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
            notebooks.save(without_solutions(nbformat.read(source, as_version=4)), copy)
            written.append(copy)
        elif relative.parent == CHECKS and relative.name not in ("__init__.py", "core.py"):
            copy.write_text(packed(source.read_text(encoding="utf-8")), encoding="utf-8")
        elif relative == CHECKS / "core.py":
            copy.write_text(source.read_text(encoding="utf-8").replace(ASKED, ""), encoding="utf-8")
        elif relative.suffix == ".md":
            lines = source.read_text(encoding="utf-8").splitlines(keepends=True)
            copy.write_text("".join(line for line in lines if Path(DESK).name not in line), encoding="utf-8")
        else:
            shutil.copy2(source, copy)
    return written


def without_solutions(notebook: NotebookNode) -> NotebookNode:
    """The notebook without its solutions and without the outputs that would betray them; changes it in place."""
    from nbconvert.preprocessors import TagRemovePreprocessor

    notebook.metadata.pop("widgets", None)
    remove = TagRemovePreprocessor(remove_cell_tags={"solution"}, remove_all_outputs_tags={"exercise", "check"})
    return remove.preprocess(notebook, {})[0]


def packed(source: str) -> str:
    """A module that does what another one does and does not show it: neither when opened, nor by `??` in a notebook.

    The checks know the answers. This deters, it does not protect: the course is public, with its solutions.
    """
    compressed = base64.b85encode(zlib.compress(source.encode())).decode()
    unpack = "compile(zlib.decompress(base64.b85decode(_PACKED)), __name__, 'exec', optimize=2)"  # without docstrings
    return (
        '"""A check. It knows the answer, so it is packed in this copy; its hints help more than its source."""\n\n'
        f"import base64\nimport zlib\n\n_PACKED = {compressed!r}\nexec({unpack})\n"
    )


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
