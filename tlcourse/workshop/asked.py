"""What the course asks, chapter by chapter, as its controls tell it, and the truth, as the stored notebooks show it."""

from __future__ import annotations

import html
import itertools
import json
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tlcourse.classroom.progress import CHECK, cells_of
from tlcourse.material.assets import DATA
from tlcourse.workshop import NOTEBOOKS, notebooks, site_states

TRUTHS = DATA / "truths.toml"


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
    """Every chapter with its questions in order."""
    table = tomllib.loads(truths.read_text(encoding="utf-8"))
    return [_chapter(path, table.get(path.name[:2], {})) for path in notebooks.select([], folder)]


def truth_of(row: dict[str, Any], options: tuple[str, ...], shown: dict[str, str]) -> float | str | None:
    """The truth that a row of `data/truths.toml` tells of; None if the notebook does not say it.

    Args:
        row: as that file explains.
        options: of the question, if it has any.
        shown: the output of each cell as text, by the cell's id.
    """
    found = re.search(row["find"], shown.get(row["cell"], "")) if "find" in row else None
    if found is None or "truth" in row:
        return row.get("truth")
    if options:
        return found[1]
    minus = found.groupdict().get("minus", "0")
    (term,) = [found[n] for n in range(1, found.re.groups + 1) if n != found.re.groupindex.get("minus")]
    return round(float(term.replace(",", "")) - float(minus), 6)


def _chapter(path: Path, rows: dict[str, dict]) -> Chapter:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    title = next("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown")
    chapter = Chapter(path.name[:2], title.partition("\n")[0].lstrip("# "))
    cells = cells_of(notebook)
    shown = {cell["id"]: "\n".join(map(as_text, cell["outputs"])) for cell, _, _ in cells}
    for widget in itertools.chain.from_iterable(site_states.read(chapter.number).values()):
        if widget["kind"] == "prediction":
            chapter.guesses.append(_guess(widget, rows, shown))
        elif widget["kind"] == "quiz":
            chapter.quiz += [Question(each["ask"], tuple(each["options"])) for each in widget["questions"]]
    for _, tags, source in cells:
        if "check" in tags and (call := CHECK.search(source)):
            chapter.exercises[call[1]] = _what(call[1])
    return chapter


def as_text(output: dict) -> str:
    """What an output says in words, a figure's alt text among them."""
    said = ["".join(output.get("text", ""))]
    said += ["".join(text) for kind, text in output.get("data", {}).items() if kind.startswith("text/")]
    return html.unescape(re.sub(r"data:image[^\"']*| data-guesses=\"[^\"]*\"", "", "\n".join(said)))


def _guess(told: dict, rows: dict[str, dict], shown: dict[str, str]) -> Question:
    ask, options = told["question"], tuple(told["options"] or ())
    row = next((row for start, row in rows.items() if ask.startswith(start)), {"unsaid": "no row"})
    scale = () if options else (told["low"], told["high"], told["unit"])
    return Question(ask, options, *scale, truth=truth_of(row, options, shown))


def _what(name: str) -> str:
    from tlcourse.classroom import checks

    return (getattr(checks, name, None).__doc__ or "").strip().partition("\n")[0]  # none in a graded copy
