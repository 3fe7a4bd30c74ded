"""What a student guessed and answered: kept over restarts of the kernel, in the work folder that the course handed out.

Any other folder (`notebooks/`, a test's) has nothing to read and nothing is written there: answers live as long as the
kernel. Two kernels may write at once.
"""

import contextlib
import json
import os
import re
from pathlib import Path

from tlcourse.material.assets.atomic import replacing

FOLDER, MANIFEST, KEPT = ".tlcourse", "handed_out.json", "guesses.json"
OLD = " (old)"

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
    with _writing(file) as kept:
        kept.setdefault(_chapter(), {})[question] = answer


def set_aside(chapter: str, work: Path) -> None:
    """Begin a chapter without answers; those that were given stay in the file under another name."""
    file = work / FOLDER / KEPT
    if file.exists():
        with _writing(file) as kept:
            if chapter in kept:
                older = chapter + OLD
                kept[older] = {**kept.get(older, {}), **kept.pop(chapter)}


def write(content: dict, file: Path) -> None:
    """Write JSON in one step: killed at any moment, it leaves the old file or the new one."""
    with replacing(file, "w", encoding="utf-8", newline="\n") as stream:
        json.dump(content, stream, ensure_ascii=False, indent=1)


def _file() -> Path | None:
    """The file of the work folder that this kernel runs in, if it runs in one."""
    with contextlib.suppress(OSError):  # the folder may be gone
        folder = Path.cwd() / FOLDER
        if (folder / MANIFEST).is_file():
            return folder / KEPT
    return None


def _chapter() -> str:
    """The number in the name of the notebook that Jupyter started this kernel for; "" if there is none."""
    found = re.search(r"(?<!\d)\d\d(?=_)", Path(os.environ.get("JPY_SESSION_NAME", "")).name)
    return found[0] if found else ""


def _read(file: Path) -> dict[str, dict]:
    global trouble
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        if isinstance(kept, dict) and all(isinstance(part, dict) for part in kept.values()):
            return kept
    except FileNotFoundError:
        return {}
    except OSError as error:
        trouble = f"Earlier guesses could not be read ({error.strerror or error}): see to {file}."
        return {}
    except ValueError:  # half-written by something else, or not text at all
        pass
    numbers = (n for n in range(1, 1000) if not file.with_name(f"guesses-damaged-{n}.json").exists())
    aside = file.with_name(f"guesses-damaged-{next(numbers)}.json")
    with contextlib.suppress(OSError):  # another kernel was faster
        file.rename(aside)
        trouble = f"Earlier guesses could not be read: the file is now {aside.parent.name}/{aside.name}, guess anew."
    return {}


@contextlib.contextmanager
def _writing(file: Path):
    """What is kept, to be changed; then it is written in one step, and no other kernel writes meanwhile."""
    global trouble
    from filelock import FileLock

    try:
        with FileLock(file.with_suffix(".lock"), timeout=5):
            kept = _read(file)
            yield kept
            write(kept, file)
    except (OSError, NotImplementedError) as error:  # a disk that is full, read-only or cannot lock; a lock not given
        reason = getattr(error, "strerror", None) or error
        trouble = f"It is kept until the kernel restarts, and not in {file} ({reason})."
