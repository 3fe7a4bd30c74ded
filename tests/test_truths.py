"""`data/truths.toml` tells of every guess where the stored notebooks say how it came out, or why they do not."""

import json
import re
import tomllib

import pytest

from tlcourse.workshop import asked, notebooks

TABLE = tomllib.loads(asked.TRUTHS.read_text(encoding="utf-8"))
PATHS = {path.name[:2]: path for path in notebooks.select()}
ROWS = [(chapter, start, row) for chapter, rows in TABLE.items() for start, row in rows.items()]
rows = pytest.mark.parametrize(("chapter", "start", "row"), ROWS, ids=[f"{c} {start}" for c, start, _ in ROWS])


@pytest.fixture(scope="module")
def course():
    return {chapter.number: chapter for chapter in asked.course()}


@pytest.fixture(scope="module")
def shown():
    """What each cell of each chapter shows."""
    cells = {number: asked.cells_of(json.loads(path.read_text(encoding="utf-8"))) for number, path in PATHS.items()}
    return {n: {c["id"]: "\n".join(map(asked.as_text, c["outputs"])) for c, _, _ in each} for n, each in cells.items()}


@pytest.mark.parametrize("number", PATHS)
def test_every_guess_has_its_row_and_every_row_its_guess(number, course):
    asks = [question.ask for question in course[number].guesses]
    for ask in asks:
        assert sum(ask.startswith(start) for start in TABLE[number]) == 1, f"write a row for {ask!r} in truths.toml"
    for start in TABLE[number]:
        assert sum(ask.startswith(start) for ask in asks) == 1, f"{number} does not ask {start!r} any more"


@pytest.mark.parametrize("number", PATHS)
def test_no_guess_is_overlooked(number, course):
    """Each control that a notebook stores in words is read from these words."""
    words = PATHS[number].read_text(encoding="utf-8").count('"Your guess first.')
    assert words == 2 * len(course[number].guesses)  # as plain text and as Markdown


@rows
def test_a_truth_is_an_answer_that_can_be_given(chapter, start, row, course):
    (question,) = [question for question in course[chapter].guesses if question.ask.startswith(start)]
    assert (question.truth is None) == ("unsaid" in row), "the cell no longer says it: mend truths.toml"
    assert question.truth is None or question.admits(question.truth), question


@rows
def test_a_truth_that_is_a_choice_follows_from_what_is_shown(chapter, start, row, shown):
    assert set(row) in ({"unsaid"}, {"cell", "find"}, {"truth", "cell", "find", "holds"})
    if "holds" in row:
        found = re.search(row["find"], shown[chapter][row["cell"]])
        assert found, f"{row['find']!r} is not in what cell {row['cell']} shows"
        values = {letter: float(text) for letter, text in zip("abcdef", found.groups(), strict=False)}
        assert eval(row["holds"], {"max": max, "min": min, "abs": abs}, values), values


def test_few_truths_are_unsaid():
    assert sum("unsaid" in row for _, _, row in ROWS) <= len(ROWS) / 20


def test_a_truth_is_one_group_less_another_and_none_where_it_is_not_shown():
    row = {"cell": "a", "find": r"all (?P<minus>\d+), ours (\S+) points"}
    assert asked.truth_of(row, (), {"a": "all 12, ours 1,040.5 points"}) == 1028.5
    assert asked.truth_of(row, (), {"a": "all of it"}) is asked.truth_of(row, (), {}) is None
