"""A made-up class of thirty: each did some chapters; some folders are half there, one is broken."""

import json
import random
import shutil

import nbformat

from tlcourse.classroom import guesses
from tlcourse.workshop import NOTEBOOKS, start

WRONG = [
    "Expected a number, got the text '{}'.",
    "That is a share between 0 and 1; in percent, please.",
    "Not {}. Count.",
]
BROKEN = "27 Zoë <b>&"  # a name that must not become markup


def make(folder, chapters, *, seed=0):
    """Write the thirty folders; nothing is returned, for a recount has to read them anew."""
    dice = random.Random(seed)
    for number in range(30):
        home = folder / (BROKEN if number == 27 else f"{number:02} student")
        work = home / "work" if number % 2 else home
        (work / guesses.FOLDER).mkdir(parents=True)
        done = [c for c in chapters if c.number in ("00", "02", "07", "09") and dice.random() < 0.8]
        _json(work, guesses.KEPT, {c.number: _answers(dice, c) for c in done})
        if number % 7:  # the others keep no list
            lines = [json.dumps(row, ensure_ascii=False) for c in done for row in _tries(dice, c)]
            (work / guesses.FOLDER / guesses.TRIES).write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    for number in (0, 14):  # and one of them handed a notebook in
        _notebook(folder / f"{number:02} student")
    (folder / BROKEN / "work" / guesses.FOLDER / guesses.KEPT).write_text('{"02": {"Balanced acc', encoding="utf-8")
    shutil.rmtree(folder / "12 student" / guesses.FOLDER)
    (folder / "notes.txt").write_text("a file is no student", encoding="utf-8")


def _answers(dice, chapter):
    asked = [q for q in chapter.guesses + chapter.quiz if dice.random() < 0.85]
    return {q.ask: _guess(dice, q) for q in asked}


def _guess(dice, question):
    if question.options:
        return dice.choice(question.options)
    return round(dice.triangular(question.low, question.high), 1)


def _tries(dice, chapter):
    for question in chapter.quiz:
        truth = question.options[len(question.ask) % len(question.options)]
        for _ in range(dice.randrange(3)):
            said = dice.choice([truth, *question.options])
            right = said == truth
            yield {"chapter": chapter.number, "asked": question.ask, "said": said, "right": right, "truth": truth}
    for name in chapter.exercises:
        row = {"chapter": chapter.number, "asked": name}
        for _ in range(dice.randrange(4)):
            yield row | {"said": dice.choice(WRONG).format(dice.randrange(100)), "right": False}
        if dice.random() < 0.3:
            yield row | {"said": "So it is.", "right": True, "solution": True}
        if dice.random() < 0.7:
            yield row | {"said": "So it is.", "right": True}


def _notebook(work):
    """Chapter 02 as a student saves it: one hint, and a solution that was run."""
    (path,) = NOTEBOOKS.glob("02_*.ipynb")
    copy = start.student_copy(nbformat.read(path, as_version=4))
    by_tag = {tag: cell for cell in reversed(copy.cells) for tag in cell.metadata.get("tags", ())}
    hint = nbformat.v4.new_output("error", ename="NotYet", evalue=WRONG[2].format(3), traceback=[])
    right = nbformat.v4.new_output("stream", name="stdout", text="✓ Well counted.\n")
    by_tag["check"].outputs, by_tag["solution"].outputs = [hint], [right]
    nbformat.write(copy, work / path.name)


def _json(work, name, content):
    (work / guesses.FOLDER / name).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
