"""What a whole room guessed, answered and misunderstood: one page without a name, to be shown in the next lecture."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

from tlcourse.classroom.questions import number
from tlcourse.material.assets.atomic import replacing
from tlcourse.workshop import asked, handed_in
from tlcourse.workshop.asked import Chapter, Question
from tlcourse.workshop.handed_in import Student

TEMPLATE = Path(__file__).with_name("class_page.html")
BINS = 40


@dataclass(frozen=True)
class Shares:
    """How a question was answered.

    Attributes:
        question: what was asked; its truth is filled in where an answer told it.
        counts: how many gave each option, or fell into each of the `BINS` equal parts of the scale.
        middle: the quartiles of the guesses, where they are numbers and at least two.
    """

    question: Question
    counts: tuple[int, ...]
    middle: tuple[float, ...] = ()

    @property
    def given(self) -> int:
        """How many answered."""
        return sum(self.counts)

    def at(self, number: float) -> float:
        """Where on the scale a number is, from 0 to 1; what lies off it, at its end."""
        low, high = self.question.low, self.question.high
        return min(max((number - low) / (high - low), 0.0), 1.0)


@dataclass(frozen=True)
class Tried:
    """How an exercise went.

    Attributes:
        name: the check's.
        what: what it says that it checks.
        outcomes: how many students were right at once, right after a hint, not right yet, or ran the solution first.
        hints: each hint, how many students met it, and how often it was said.
    """

    name: str
    what: str
    outcomes: dict[str, int]
    hints: tuple[tuple[str, int, int], ...]


AT_ONCE, AFTER, NOT_YET, LOOKED = "right at once", "right after a hint", "not right yet", "ran the solution first"


def write(folder: Path, to: Path) -> list[Student]:
    """Read the students' folders and write the page; gives what was read.

    Raises:
        WorkshopError: there are no students' folders.
    """
    room = handed_in.students(folder)
    with replacing(to, "w", encoding="utf-8", errors="replace", newline="\n") as stream:
        stream.write(page(room, asked.course()))
    return room


def page(room: list[Student], chapters: list[Chapter]) -> str:
    """The page as HTML: no script, nothing from elsewhere, and whatever a student wrote is text."""
    from jinja2 import Environment, StrictUndefined

    rows = [
        {
            "chapter": chapter,
            "opened": sum(chapter.number in student.ran for student in room),
            "guesses": [guessed(question, chapter.number, room) for question in chapter.guesses],
            "quiz": [quizzed(question, chapter.number, room) for question in chapter.quiz],
            "exercises": [tried(name, what, room) for name, what in chapter.exercises.items()],
        }
        for chapter in chapters
    ]
    for row in rows:  # what nobody met is not shown
        row["guesses"], row["quiz"] = ([each for each in row[kind] if each.given] for kind in ("guesses", "quiz"))
        row["exercises"] = [each for each in row["exercises"] if each.outcomes]
    rows = [row for row in rows if any(row[key] for key in ("opened", "guesses", "quiz", "exercises"))]
    template = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined)
    template.filters["number"] = lambda value: number(value + 0.0)  # no -0
    troubles = [sentence for student in room for sentence in student.troubles]
    made = template.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return made.render(rows=rows, students=len(room), troubles=troubles, outcomes=(AT_ONCE, AFTER, NOT_YET, LOOKED))


def guessed(question: Question, chapter: str, room: Iterable[Student]) -> Shares:
    """The last guess of each student."""
    return _shares(question, (_kept(student, chapter, question.ask) for student in room))


def quizzed(question: Question, chapter: str, room: Iterable[Student]) -> Shares:
    """The first answer of each student, for the reply tells the truth; where no list was kept, the last."""
    answers, truth = [], question.truth
    for student in room:
        rows = [row for row in student.tries if row["asked"] == question.ask and row.get("truth")]
        truth = rows[0]["truth"] if rows and truth is None else truth
        answers.append(rows[0]["said"] if rows else _kept(student, chapter, question.ask))
    return _shares(Question(question.ask, question.options, truth=truth), answers)


def _kept(student: Student, chapter: str, ask: str) -> object:
    """An answer; under a name of her own a notebook has no number, and its answers stand under ""."""
    return next((student.answers[n][ask] for n in (chapter, "") if ask in student.answers.get(n, {})), None)


def _shares(question: Question, answers: Iterable[object]) -> Shares:
    given = [answer for answer in answers if question.admits(answer)]
    if question.options:
        counts = Counter(given)
        return Shares(question, tuple(counts[option] for option in question.options))
    scale = Shares(question, ())
    counts = Counter(min(int(scale.at(guess) * BINS), BINS - 1) for guess in given)
    middle = tuple(quantiles(given, n=4, method="inclusive")) if len(given) > 1 else ()
    return Shares(question, tuple(counts[part] for part in range(BINS)), middle)


def tried(name: str, what: str, room: Iterable[Student]) -> Tried:
    """What a check said to the room. Hints that differ in their numbers alone are one."""
    outcomes, met, said, words = Counter(), Counter(), Counter(), {}
    for student in room:
        rows = [row for row in student.tries if row["asked"] == name and not row.get("truth")]
        looked = next((i for i, row in enumerate(rows) if row.get("solution")), len(rows))
        own = rows[:looked]
        right = [row["right"] for row in own]
        if rows:
            first = right.index(True) if True in right else None
            missed = LOOKED if looked < len(rows) else NOT_YET
            outcomes[missed if first is None else AFTER if first else AT_ONCE] += 1
        wrong = [row["said"] for row in own if not row["right"]]
        kinds = [re.sub(r"[-+]?\d[\d.,]*", "#", hint) for hint in wrong]
        words |= dict(zip(kinds, wrong, strict=True))
        met.update(set(kinds))
        said.update(kinds)
    hints = tuple((words[kind], count, said[kind]) for kind, count in met.most_common())
    return Tried(name, what, dict(outcomes), hints)
