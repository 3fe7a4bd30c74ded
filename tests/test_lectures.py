"""`data/lectures.toml` says of every slide of the five lectures where the course takes it up, or why it does not."""

import re
import tomllib

import nbformat
import pytest

from tlcourse.material import assets
from tlcourse.workshop import NOTEBOOKS, ROOT

LECTURES = tomllib.loads((assets.DATA / "lectures.toml").read_text(encoding="utf-8"))
SLIDES = {"clermont": 25, "korea": 15, "sibgrapi": 72, "upc": 42, "bsc": 35}
ROWS = [(lecture, row) for lecture, table in LECTURES.items() for row in table["slides"]]
WORDS = 16
rows = pytest.mark.parametrize(("lecture", "row"), ROWS, ids=lambda part: part if isinstance(part, str) else "")


@pytest.fixture(scope="module")
def cells():
    """The ids of each chapter's cells."""
    paths = sorted(NOTEBOOKS.glob("*.ipynb"))
    return {path.name[:2]: {cell.id for cell in nbformat.read(path, as_version=4).cells} for path in paths}


def announced():
    """The numbers of the chapters that are on their way, as the README says."""
    said = re.search(r"Chapters? ([\d, and]+) (?:are|is) on", (ROOT / "README.md").read_text(encoding="utf-8"))
    return set(re.findall(r"\d\d", said[1])) if said else set()


@pytest.mark.parametrize("lecture", SLIDES)
def test_every_slide_has_its_row(lecture):
    found = [row["slide"] for row in LECTURES[lecture]["slides"]]
    assert found == sorted(found) and set(found) == set(range(1, SLIDES[lecture] + 1))
    assert LECTURES[lecture]["title"] and LECTURES[lecture]["by"]


def test_there_are_no_other_lectures():
    assert set(LECTURES) == set(SLIDES)


@rows
def test_a_row_says_in_a_few_words_where_or_why_not(lecture, row):
    assert set(row) in ({"slide", "says", "where"}, {"slide", "says", "left_out"}), row
    assert row["says"] and len(row["says"].split()) <= WORDS and row.get("where", row.get("left_out")), row


@rows
def test_a_row_leads_to_a_cell_that_is_there(lecture, row, cells):
    for place in row.get("where", ()):
        chapter, _, cell = place.partition(" ")
        if chapter in cells:
            assert cell in cells[chapter], f"{lecture}, slide {row['slide']}: chapter {chapter} has no cell {cell!r}"
        else:
            assert chapter in announced() and not cell, f"{lecture}, slide {row['slide']}: there is no chapter {place}"
