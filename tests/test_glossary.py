"""The glossary names each term once, in order, with a chapter that uses it, and comes to the student's folder."""

import re

import nbformat
import pytest

from tlcourse.workshop import NOTEBOOKS, ROOT, start

TEXT = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
ENTRY = re.compile(
    r"## (?P<term>.+)\n\n(?:\*Also: (?P<also>.+)\*\n\n)?(?P<text>.+) \[Chapter (?P<number>\d\d)\]\((?P<link>.+)\)\n"
)
ENTRIES = [match.groupdict() for match in ENTRY.finditer(TEXT)]


@pytest.fixture(scope="module")
def chapters():
    """The words of each chapter."""
    paths = sorted(NOTEBOOKS.glob("*.ipynb"))
    cells = {path.name: nbformat.read(path, as_version=4).cells for path in paths}
    return {name: "\n".join(c.source for c in each if c.cell_type == "markdown") for name, each in cells.items()}


def test_every_heading_is_an_entry_of_one_paragraph():
    assert TEXT.startswith("# Glossary\n") and TEXT.count("\n## ") == len(ENTRIES) >= 60
    assert [entry["term"] for entry in ENTRIES if len(entry["text"].split()) > 70] == []


def test_terms_are_in_order_and_none_stands_twice():
    terms = [entry["term"].casefold() for entry in ENTRIES]
    assert terms == sorted(set(terms))
    forms = [form for entry in ENTRIES if entry["also"] for form in entry["also"].casefold().split(", ")]
    assert len(forms) == len(set(forms)) and not set(forms) & set(terms)


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry["term"] for entry in ENTRIES])
def test_a_term_occurs_in_the_chapter_that_it_names(entry, chapters):
    name = entry["link"].removeprefix("../notebooks/")
    assert name in chapters and name[:2] == entry["number"]
    forms = [entry["term"], *(entry["also"] or entry["term"]).split(", ")]
    found = re.search(rf"(?<!\w)({'|'.join(map(re.escape, forms))})(?!\w)", chapters[name], re.IGNORECASE)
    assert found, f"{name} says none of {forms}"


def test_a_reference_to_another_term_has_it():
    terms = {entry["term"] for entry in ENTRIES}
    assert {name for entry in ENTRIES for name in re.findall(r"Compare \*(.+?)\*", entry["text"])} <= terms


def test_the_student_gets_it_with_links_that_hold_and_keeps_what_she_writes(tmp_path):
    start.hand_out(["01"], work=tmp_path)
    mine = tmp_path / "glossary.md"
    links = re.findall(r"\]\((.+?)\)", mine.read_text(encoding="utf-8"))
    assert len(links) == len(ENTRIES) and all((NOTEBOOKS / link).exists() for link in links)
    start.hand_out(work=tmp_path)
    assert all((tmp_path / link).exists() for link in links)
    mine.write_text("# Mine\n", encoding="utf-8")
    assert start.hand_out(work=tmp_path) == [] and mine.read_text(encoding="utf-8") == "# Mine\n"
    mine.unlink()
    start.hand_out(work=tmp_path)
    assert mine.read_text(encoding="utf-8").count("## ") == len(ENTRIES)
