"""How far a student has come: from the notebooks of her work folder, and from what is kept beside them."""

import json
import re
import tomllib
from pathlib import Path

from tlcourse.classroom import guesses
from tlcourse.material.assets import DATA

CHECK = re.compile(r"\bchecks\.(\w+)\(")
ELSEWHERE = "What you guessed and solved stands here in a copy of your own: `make lab` hands it out and opens it."


def cells_of(notebook: dict) -> list[tuple[dict, set[str], str]]:
    """Each code cell of a notebook's JSON, with its tags and its source.

    Raises:
        TypeError: (or `KeyError`, `AttributeError`) it is no notebook.
    """
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return [(cell, set(cell["metadata"].get("tags") or ()), "".join(cell["source"])) for cell in code]


def table() -> str:
    """Markdown: for each chapter in this folder the guesses made and the exercises solved, of how many.

    A solution that was only run counts for nothing. What cannot be read counts as not there.
    """
    if (kept := guesses.everything()) is None:
        return ELSEWHERE
    made, solved = kept[0], _solved(kept[1])
    asked = tomllib.loads((DATA / "truths.toml").read_text(encoding="utf-8"))
    lines, done = ["| chapter | guesses | exercises |", "|---|---|---|"], [0, 0, 0, 0]
    for path in sorted(Path.cwd().glob("[0-9][0-9]_*.ipynb")):
        number = path.name[:2]
        title, exercises = _read(path)
        given = [question for question, answer in made.get(number, {}).items() if answer is not None]
        starts = asked.get(number, {})
        counts = [
            sum(any(question.startswith(start) for question in given) for start in starts),
            len(starts),
            len(exercises & solved.get(number, set())),
            len(exercises),
        ]
        done = [old + new for old, new in zip(done, counts, strict=True)]
        lines.append(f"| [{number} · {title}]({path.name}) | {_of(*counts[:2])} | {_of(*counts[2:])} |")
    return "\n".join([*lines, f"| **all** | {_of(*done[:2])} | {_of(*done[2:])} |"])


def _of(done: int, all_of_them: int) -> str:
    return f"{'✓ ' if 0 < all_of_them == done else ''}{done} of {all_of_them}"


def _solved(tries: list[dict]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for row in tries:
        if row.get("right") is True and not row.get("solution"):
            found.setdefault(str(row.get("chapter")), set()).add(str(row.get("asked")))
    return found


def _read(path: Path) -> tuple[str, set[str]]:
    """The title of a notebook, and the names of its checks."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        title = "".join(notebook["cells"][0]["source"]).partition("\n")[0].lstrip("# ")
        checks = [CHECK.search(source) for _, tags, source in cells_of(notebook) if "check" in tags]
        return title.replace("|", "\\|"), {call[1] for call in checks if call}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, IndexError):
        return path.stem, set()
