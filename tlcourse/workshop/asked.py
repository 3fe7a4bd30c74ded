"""What the course asks, chapter by chapter, and the truth: read from what the stored notebooks show."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tlcourse.material.assets import DATA
from tlcourse.workshop import NOTEBOOKS, WorkshopError, notebooks

TRUTHS = DATA / "truths.toml"
GUESS = re.compile(r"Your guess first\. (.+) \((?:from (-?[\d,.]+) to (-?[\d,.]+) ?(.*)|(.+ / .+))\)", re.DOTALL)
QUIZ = re.compile(r"\d+\. (.+) \((.+ / .+)\)")
CHECK = re.compile(r"\bchecks\.(\w+)\(")


@dataclass(frozen=True)
class Question:
    """A guess (a number from `low` to `high`, or one of the `options`) or a question of a quiz; its truth if known."""

    ask: str
    options: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0
    unit: str = ""
    truth: float | str | None = None

    def admits(self, answer: object) -> bool:
        """Whether this is an answer that the control could give."""
        if self.options:
            return answer in self.options
        return isinstance(answer, (int, float)) and not isinstance(answer, bool) and self.low <= answer <= self.high


@dataclass
class Chapter:
    """What one chapter asks; `exercises` maps the name of each check to what it says that it checks."""

    number: str
    title: str
    guesses: list[Question] = field(default_factory=list)
    quiz: list[Question] = field(default_factory=list)
    exercises: dict[str, str] = field(default_factory=dict)


def course(folder: Path = NOTEBOOKS, truths: Path = TRUTHS) -> list[Chapter]:
    """Every chapter with its questions in order.

    Raises:
        WorkshopError: a truth is said to stand where it does not.
    """
    table = tomllib.loads(truths.read_text(encoding="utf-8"))
    return [_chapter(path, table.get(path.name[:2], {})) for path in notebooks.select([], folder)]


def truth_of(row: dict[str, Any], shown: dict[str, str]) -> float | str | None:
    """The truth that a row of `data/truths.toml` tells of.

    Args:
        row: `find`, a regular expression whose group is the number, and the `cell` in whose output it is looked for;
            or an option as `truth`; or `unsaid`, why there is none.
        shown: the output of each cell as text, by the cell's id.

    Raises:
        WorkshopError: the cell shows no such thing.
    """
    if "truth" in row or "unsaid" in row:
        return row.get("truth")
    found = re.search(row["find"], shown.get(row["cell"], ""))
    if not found:
        raise WorkshopError(f"Expected {row['find']!r} in what cell {row['cell']} shows, got none: mend {TRUTHS.name}.")
    return float(found[1].replace(",", ""))


def cells_of(notebook: Any) -> list[tuple[Any, set[str], str]]:
    """Each code cell of a notebook's JSON, with its tags and its source.

    Raises:
        TypeError: (or `KeyError`, `AttributeError`) it is no notebook.
    """
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return [(cell, set(cell["metadata"].get("tags") or ()), "".join(cell["source"])) for cell in code]


def _chapter(path: Path, rows: dict[str, dict]) -> Chapter:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    title = next("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown")
    chapter = Chapter(path.name[:2], title.partition("\n")[0].lstrip("# "))
    cells = cells_of(notebook)
    shown = {cell["id"]: "\n".join(map(as_text, cell["outputs"])) for cell, _, _ in cells}
    for cell, tags, source in cells:
        for output in cell["outputs"]:
            words = "".join(output.get("data", {}).get("text/plain", ""))
            if guess := GUESS.fullmatch(words):
                chapter.guesses.append(_guess(guess, rows, shown))
            elif "application/vnd.jupyter.widget-view+json" in output.get("data", {}):
                chapter.quiz += _quiz(words)
        if "check" in tags and (call := CHECK.search(source)):
            chapter.exercises[call[1]] = _what(call[1])
    return chapter


def as_text(output: dict) -> str:
    """What an output says in words, a figure's alt text among them."""
    said = ["".join(output.get("text", ""))]
    said += ["".join(text) for kind, text in output.get("data", {}).items() if kind.startswith("text/")]
    return re.sub(r"data:image[^\"']*", "", "\n".join(said))


def _guess(found: re.Match, rows: dict[str, dict], shown: dict[str, str]) -> Question:
    ask, low, high, unit, options = found.groups()
    row = next((row for start, row in rows.items() if ask.startswith(start)), {"unsaid": "no row"})
    if options:
        return Question(ask, tuple(options.split(" / ")), truth=truth_of(row, shown))
    low, high = (float(end.replace(",", "")) for end in (low, high))
    return Question(ask, (), low, high, unit, truth_of(row, shown))


def _quiz(words: str) -> Iterator[Question]:
    for line in words.splitlines():
        if found := QUIZ.fullmatch(line):
            yield Question(found[1], tuple(found[2].split(" / ")))


def _what(name: str) -> str:
    from tlcourse.classroom import checks

    return (getattr(checks, name, None).__doc__ or "").strip().partition("\n")[0]  # none in a graded copy
