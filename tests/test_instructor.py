"""The lecturer's desk says what the notebooks, the lectures' table and the checks say."""

import ast
import re
import tomllib

import nbformat
import pytest

from tlcourse.__main__ import parser
from tlcourse.classroom import checks
from tlcourse.material.assets import DATA
from tlcourse.workshop import ROOT, notebooks

TEXT = (ROOT / "docs" / "instructor.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
LECTURES = tomllib.loads((DATA / "lectures.toml").read_text(encoding="utf-8"))
NAMES = {"clermont": "Clermont", "korea": "Korea", "sibgrapi": "SIBGRAPI", "upc": "UPC", "bsc": "BSC"}
PATHS = {path.name[:2]: path for path in notebooks.select()}


def table(section, text=TEXT):
    """The rows of the first table under a heading, each a list of cells."""
    part = text.split(f"\n## {section}\n")[1].split("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in re.findall(r"^\|.+\|$", part, re.M)]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def slides(chapters):
    """Which slides of each lecture these chapters take up, as the desk writes it."""
    parts = []
    for key, name in NAMES.items():
        rows = [row for row in LECTURES[key]["slides"] if any(w[:2] in chapters for w in row.get("where", ()))]
        runs = []
        for slide in sorted({row["slide"] for row in rows}):
            if runs and runs[-1][1] == slide - 1:
                runs[-1][1] = slide
            else:
                runs.append([slide, slide])
        if runs:
            parts.append(f"{name} " + ", ".join(str(a) if a == b else f"{a}–{b}" for a, b in runs))
    return "; ".join(parts)


@pytest.fixture(scope="module")
def minutes():
    """A student's minutes for each chapter, as its notebook says them; sittings are added up."""
    found = {}
    for number, path in PATHS.items():
        (goals,) = [c.source for c in nbformat.read(path, as_version=4).cells if "goals" in c.metadata.get("tags", ())]
        said = re.sub(r"round \d", "", re.search(r"\*Time:\*(.*?); the cells", goals)[1])
        numbers = [int(n) for n in re.findall(r"\d+", said)]
        found[number] = numbers[0] * 2 if "two sittings of" in said else sum(numbers)
    return found


CHAPTERS = table("Chapters, goals, minutes, slides")


def test_every_chapter_has_its_row():
    assert [row[0] for row in CHAPTERS] == [f"[{n}](../notebooks/{path.name})" for n, path in PATHS.items()]


@pytest.mark.parametrize("row", CHAPTERS, ids=[row[0][1:3] for row in CHAPTERS])
def test_a_chapter_takes_the_minutes_and_the_slides_that_the_desk_says(row, minutes):
    number = row[0][1:3]
    assert int(row[3]) == minutes[number]
    assert row[4] == slides([number]), f"data/lectures.toml gives chapter {number}: {slides([number])}"


def test_the_readme_gives_the_same_minutes(minutes):
    rows = table("The map", README)
    assert {row[0][1:3]: int(row[2]) for row in rows} == minutes


def test_four_lectures_fill_ninety_minutes_each_and_no_chapter_more_than_it_has(minutes):
    rows = table("Four lectures of 90 minutes")
    assert len(rows) == 4
    for row in rows:
        parts = {number: int(length) for number, length in re.findall(r"(\d\d) \((\d+) min\)", row[2])}
        assert sum(parts.values()) == 90 and all(length <= minutes[number] for number, length in parts.items())
        assert row[4] == slides(list(parts))


def test_fourteen_weeks_take_every_chapter_once_and_in_order(minutes):
    rows = table("A semester of fourteen weeks")
    weeks = [row[1].split(", ") for row in rows]
    assert len(rows) == 14 and [number for week in weeks for number in week] == list(PATHS)
    assert [int(row[2]) for row in rows] == [sum(minutes[number] for number in week) for week in weeks]


def test_every_check_that_is_named_is_in_that_chapter():
    sources = {number: path.read_text(encoding="utf-8") for number, path in PATHS.items()}
    for row in table("A semester of fourteen weeks"):
        for name in re.findall(r"`(\w+)`", row[3]):
            assert any(f"checks.{name}(" in sources[number] for number in row[1].split(", ")), name
    for number, name, *_ in table("What students get wrong"):
        assert f"checks.{name.strip('`')}(" in sources[number], name


def hints():
    """Every text in each check, with what is computed left out, and in one line."""
    found = {}
    for path in sorted((ROOT / "tlcourse" / "classroom" / "checks").glob("*.py")):
        for function in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(function, ast.FunctionDef) and function.name in checks.__all__:
                texts = [
                    n.value for n in ast.walk(function) if isinstance(n, ast.Constant) and isinstance(n.value, str)
                ]
                found[function.name] = "\n".join(texts)
    return found


def test_a_misconception_is_named_in_the_checks_own_words():
    said, rows = hints(), table("What students get wrong")
    assert len(rows) >= 25
    for _, name, _, hint in rows:
        assert hint in said[name.strip("`")], f"{name} does not say {hint!r}"


def test_there_are_exam_questions_and_each_has_an_answer_and_a_chapter():
    questions = re.findall(r"^(\d+)\. \*\((\d\d)\)\* .+\n +\*\*Answer\.\*\* .+", TEXT, re.MULTILINE)
    assert [int(n) for n, _ in questions] == list(range(1, len(questions) + 1)) and len(questions) >= 15
    assert {chapter for _, chapter in questions} <= set(PATHS) and TEXT.count("**Answer.**") == len(questions)


@pytest.mark.parametrize("text", [TEXT, README], ids=["instructor", "README"])
def test_every_command_and_every_variable_that_is_named_exists(text):
    (commands,) = [action for action in parser()._actions if hasattr(action, "choices") and action.choices]
    assert set(re.findall(r"-m tlcourse ([a-z]+)", text)) <= set(commands.choices)
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(re.findall(r"[`\n]make (\w+)", text)) <= set(targets)
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tlcourse").rglob("*.py"))
    assert all(f'"{name}"' in code for name in re.findall(r"TLCOURSE_[A-Z]+", text))


@pytest.mark.parametrize("path", ["README.md", "docs/instructor.md", "CONTRIBUTING.md"])
def test_every_link_to_a_file_holds(path):
    file = ROOT / path
    links = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", file.read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (file.parent / link).exists()]
    assert missing == []


def test_as_many_kernels_fit_as_the_budget_allows():
    (said,) = re.findall(r"In 24 GB, by the budget, (\d+) kernels fit", TEXT)
    assert int(said) == int(24e9 // notebooks.MEMORY)
