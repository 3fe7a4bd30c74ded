"""What a student guessed and answered, and what she was told: kept in the work folder that the course handed out.

Guesses outlive the kernel. What checks and quizzes said is a list of tries, one a line, for whoever she hands her work
to: five tries leave one output in the notebook, and the wrong ones are what a lecturer can learn from. Any other folder
(`notebooks/`, a test's) has nothing to read and nothing is written there. Two kernels may write at once.
"""

import contextlib
import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

from tlcourse.material.assets.atomic import replacing

FOLDER, MANIFEST, KEPT, TRIES = ".tlcourse", "handed_out.json", "guesses.json", "tries.jsonl"
OLD = " (old)"
PATIENCE = 5  # seconds in which another kernel should be done with the file
SWITCH, LIMIT = "TLCOURSE_TRIES", 1_000_000  # who runs a check in a loop fills no disk
TOLD = (
    f"(What checks and quizzes tell you is noted in {FOLDER}/{TRIES} beside your notebooks, without your answers to "
    f"exercises; it leaves this machine only if you hand your work in. `%env {SWITCH}=off` stops it.)"
)

trouble = ""  # the sentence for the student, while her answers cannot be read or kept
_answers: dict[str, object] = {}  # this kernel's, by question


def recall(question: str) -> object:
    """The answer that was given to a question, in this kernel or an earlier one; None if there is none."""
    if question in _answers or (file := _file()) is None:
        return _answers.get(question)
    kept, chapter = _read(file), _chapter()
    # Under a name of her own a notebook has no number: whichever chapter asked it.
    parts = [kept.get(chapter, {})] if chapter else [part for name, part in kept.items() if not name.endswith(OLD)]
    return next((part[question] for part in parts if question in part), None)


def keep(question: str, answer: object) -> None:
    """Keep an answer; where the file cannot be written it is kept in memory, and `trouble` says why.

    Args:
        question: its words, which are its name within the chapter.
        answer: a number or a text; None takes it back.
    """
    global trouble
    trouble, _answers[question] = "", answer
    if (file := _file()) is None:
        return

    def change(kept: dict[str, dict]) -> None:
        kept.setdefault(_chapter(), {})[question] = answer

    _change(file, change, "It is kept until the kernel restarts, and not in")


def note(asked: str, said: str, *, right: bool, truth: str = "") -> str:
    """Add a try to the list; nothing where the student switched that off. Nobody is kept from her work if it fails.

    Args:
        asked: the name of a check, or the words of a quiz question.
        said: the hint or the praise; for a quiz the option that was chosen.
        right: whether that was right.
        truth: the right option of a quiz question.

    Returns:
        What she should know, once; then "".
    """
    file = _file(TRIES)
    if file is None or os.environ.get(SWITCH, "").lower() == "off":
        return ""
    row = {"chapter": _chapter(), "asked": asked, "said": said, "right": right}
    row |= ({"truth": truth} if truth else {}) | ({"solution": True} if "solution" in _tags() else {})
    with contextlib.suppress(OSError):
        first = not file.exists()
        if first or file.stat().st_size < LIMIT:
            with open(file, "a", encoding="utf-8", errors="replace", newline="\n") as stream:
                stream.write(json.dumps(row, ensure_ascii=False) + "\n")
        return TOLD if first else ""
    return ""


def everything() -> tuple[dict[str, dict], list[dict]] | None:
    """All answers, by chapter, and all tries, in order; None outside a work folder. What is no try is left out."""
    if (file := _file()) is None:
        return None
    tries = []
    with contextlib.suppress(OSError):
        for line in file.with_name(TRIES).read_text(encoding="utf-8", errors="replace").splitlines():
            with contextlib.suppress(ValueError, RecursionError):
                tries += [row] if isinstance(row := json.loads(line), dict) else []
    return _read(file), tries


def set_aside(chapter: str, work: Path) -> None:
    """Begin a chapter without answers; those that were given stay in the file under another name.

    Where the file cannot be written, `trouble` says why.
    """
    global trouble
    trouble, file = "", work / FOLDER / KEPT

    def change(kept: dict[str, dict]) -> None:
        if chapter in kept:
            older = chapter + OLD
            kept[older] = {**kept.get(older, {}), **kept.pop(chapter)}

    if file.exists():
        _change(file, change, f"The answers of chapter {chapter} stay as they were in")


def write(content: dict, file: Path) -> None:
    """Write JSON in one step: killed at any moment, it leaves the old file or the new one."""
    with replacing(file, "w", encoding="utf-8", newline="\n") as stream:
        json.dump(content, stream, ensure_ascii=False, indent=1)


def _file(name: str = KEPT) -> Path | None:
    """The file of the work folder that this kernel runs in, if it runs in one."""
    with contextlib.suppress(OSError):  # the folder may be gone
        folder = Path.cwd() / FOLDER
        if (folder / MANIFEST).is_file():
            return folder / name
    return None


def _chapter() -> str:
    """The number in the name of the notebook that Jupyter started this kernel for; "" if there is none."""
    found = re.search(r"(?<!\d)\d\d(?=_)", Path(os.environ.get("JPY_SESSION_NAME", "")).name)
    return found[0] if found else ""


def _tags() -> list[str]:
    """The tags of the cell that is being run, which JupyterLab sends along; none from other programs."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return (getattr(shell, "parent_header", None) or {}).get("metadata", {}).get("tags") or []


def _read(file: Path) -> dict[str, dict]:
    """What is kept, to be looked at; nothing if it cannot be read, and `trouble` says why."""
    global trouble
    try:
        return _load(file)
    except OSError as error:
        trouble = f"Earlier guesses could not be read ({error.strerror or error}): see to {file}."
        return {}


def _load(file: Path) -> dict[str, dict]:
    """What is kept; a file that is damaged is set aside first, and `trouble` says where.

    Raises:
        OSError: the file is there, and cannot be read or set aside: whoever writes must not take it for an empty one.
    """
    global trouble
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        if isinstance(kept, dict) and all(isinstance(part, dict) for part in kept.values()):
            return kept
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError):  # half-written by something else, or not text at all
        pass
    numbers = (n for n in range(1, 1000) if not file.with_name(f"guesses-damaged-{n}.json").exists())
    aside = file.with_name(f"guesses-damaged-{next(numbers)}.json")
    with contextlib.suppress(FileNotFoundError):  # another kernel was faster
        file.rename(aside)
        trouble = f"Earlier guesses could not be read: the file is now {aside.parent.name}/{aside.name}, guess anew."
    return {}


def _change(file: Path, change: Callable[[dict[str, dict]], None], otherwise: str) -> None:
    """Change what is kept, in one step and while no other kernel does; where that fails nothing is written."""
    global trouble
    from filelock import FileLock

    try:
        with FileLock(file.with_suffix(".lock"), timeout=PATIENCE):
            kept = _load(file)
            change(kept)
            write(kept, file)
    except (OSError, NotImplementedError) as error:  # a disk that is full, read-only or cannot lock; a lock not given
        trouble = f"{otherwise} {file} ({getattr(error, 'strerror', None) or error})."
