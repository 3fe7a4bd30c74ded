"""What students handed in: one folder each, a copy of `work/`. Whatever is wrong in one costs nothing of the others."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tlcourse.classroom import guesses
from tlcourse.classroom.progress import CHECK, cells_of
from tlcourse.workshop import WorkshopError

LIMITS = {".json": 5_000_000, ".jsonl": 5_000_000, ".ipynb": 100_000_000}  # bytes; far over what the course writes


@dataclass
class Student:
    """One student's work; nobody's name is in it.

    Attributes:
        answers: chapter → question → answer, as `guesses` keeps them.
        tries: what checks and quizzes said, in order, as `guesses.note` writes it.
        ran: the chapters of which a cell was run.
        troubles: a sentence for each file that could not be read.
    """

    answers: dict[str, dict] = field(default_factory=dict)
    tries: list[dict] = field(default_factory=list)
    ran: set[str] = field(default_factory=set)
    troubles: list[str] = field(default_factory=list)


class _Unreadable(Exception):
    """Says in words what is wrong with a file."""


def students(folder: Path) -> list[Student]:
    """Read every student's folder in this one.

    Raises:
        WorkshopError: it is no folder, or there are no folders in it.
    """
    try:
        homes = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError as error:
        raise WorkshopError(
            f"Expected a folder with a folder for each student, got {folder}: {error.strerror}. Name that folder."
        ) from error
    if not homes:
        raise WorkshopError(f"Expected a folder for each student in {folder}, got none: unpack what they handed in.")
    return [_student(home) for home in homes]


def _student(home: Path) -> Student:
    student = Student()
    try:
        work = home if _is_work(home) or not (home / "work").is_dir() else home / "work"
        if not _is_work(work):
            student.troubles.append(f"{home.name} holds neither notebooks nor {guesses.FOLDER}: is it a copy of work/?")
            return student
        kept, log = (work / guesses.FOLDER / name for name in (guesses.KEPT, guesses.TRIES))
        student.answers = _read(kept, home, student, _answers) or {}
        student.tries = _read(log, home, student, lambda raw: _tries(raw, log, home, student)) or []
        told = {row["asked"] for row in student.tries}
        for path in sorted(work.glob("[0-9][0-9]_*.ipynb")):
            ran, said = _read(path, home, student, lambda raw, path=path: _notebook(raw, path.name[:2])) or (False, [])
            student.ran |= {path.name[:2]} if ran else set()
            # Where she keeps no list, the last thing that a check said is better than nothing.
            student.tries += [row for row in said if row["asked"] not in told]
    except OSError as error:  # a folder that may not be looked into
        student.troubles.append(f"{home.name} cannot be read ({error.strerror}).")
    return student


def _is_work(folder: Path) -> bool:
    return (folder / guesses.FOLDER).is_dir() or any(folder.glob("[0-9][0-9]_*.ipynb"))


def _read(path: Path, home: Path, student: Student, parse: Any) -> Any:
    """What `parse` makes of a file's bytes; None, and a sentence, if nothing can be made of them."""
    name = path.relative_to(home.parent)
    try:
        if not path.exists() and not path.is_symlink():
            return None
        if not path.is_file():
            raise _Unreadable("is no file")
        if path.stat().st_size > (limit := LIMITS[path.suffix]):
            raise _Unreadable(f"has more than {limit / 1e6:.0f} MB")
        return parse(path.read_bytes())
    except _Unreadable as problem:
        student.troubles.append(f"{name} {problem} and is left out.")
    except OSError as error:
        student.troubles.append(f"{name} cannot be read ({error.strerror}) and is left out.")
    return None


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)  # finds out itself which Unicode it is
    except (ValueError, RecursionError):
        raise _Unreadable("is not JSON, perhaps it was cut off,") from None


def _answers(raw: bytes) -> dict[str, dict]:
    kept = _json(raw)
    if not isinstance(kept, dict) or not all(isinstance(part, dict) for part in kept.values()):
        raise _Unreadable("is JSON, but not what the course writes there,")
    return kept


def _tries(raw: bytes, log: Path, home: Path, student: Student) -> list[dict]:
    rows, bad = [], 0
    for line in raw.splitlines():
        try:
            row = json.loads(line)
            texts = [row["chapter"], row["asked"], row["said"], row.get("truth", "")]
            if not all(isinstance(text, str) for text in texts) or not isinstance(row["right"], bool):
                raise TypeError
            rows.append(row)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            bad += 1
    if bad:
        name = log.relative_to(home.parent)
        student.troubles.append(f"{name}: {bad} of its lines cannot be read and are left out, {len(rows)} count.")
    return rows


def _notebook(raw: bytes, chapter: str) -> tuple[bool, list[dict]]:
    """Whether any cell was run, and the last thing that each check said."""
    notebook = _json(raw)
    try:
        cells = cells_of(notebook)
        ran = any(cell.get("outputs") or cell.get("execution_count") for cell, _, _ in cells)
        said = []
        for cell, tags, source in cells:
            for outcome in _outcomes(cell.get("outputs") or ()) if (call := CHECK.search(source)) else ():
                said.append({"chapter": chapter, "asked": call[1], **outcome, "solution": "solution" in tags})
        return ran, said
    except (TypeError, KeyError, AttributeError, ValueError):
        raise _Unreadable("is JSON, but no notebook,") from None


def _outcomes(outputs: Any) -> Iterator[dict]:
    for output in outputs:
        if output.get("ename") == "NotYet":
            yield {"said": str(output["evalue"]), "right": False}
        elif found := re.search(r"^✓ (.*)", "".join(output.get("text", "")), re.MULTILINE):
            yield {"said": found[1], "right": True}
