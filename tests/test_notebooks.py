"""Every notebook keeps the course's shape, and the notebooks together make one course."""

import re
import tomllib
from pathlib import Path

import nbformat
import pytest
from notebook_plugin import check_names
from notebook_rules import RULES

from tlcourse.workshop import NOTEBOOKS

PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))


@pytest.fixture(scope="module")
def read():
    """Reads each notebook once."""
    known = {}
    return lambda path: known.setdefault(path, nbformat.read(path, as_version=4))


def test_there_are_notebooks():
    assert PATHS, "no notebook in notebooks/: a green run would mean nothing"


def test_file_names_give_the_order():
    names = [path.name for path in PATHS]
    assert [name for name in names if not re.fullmatch(r"\d\d_[a-z0-9_]+\.ipynb", name)] == []
    numbers = [int(name[:2]) for name in names]
    assert numbers[0] == 0 and numbers == sorted(set(numbers)), "each chapter has its own number, the first is 00"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_shape(path, rule, read):
    problems = list(rule(path, read(path)))
    assert not problems, f"{path.name}:\n" + "\n".join(problems)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_file_is_valid(path, read):
    nbformat.validate(read(path))


def test_wrong_answers_belong_to_exercises(read):
    table = tomllib.loads(Path(__file__).with_name("wrong_answers.toml").read_text(encoding="utf-8"))
    there = {path.stem: set(check_names(read(path)).values()) for path in PATHS}
    lost = {f"{chapter}.{name}" for chapter, names in table.items() for name in set(names) - there.get(chapter, set())}
    assert not lost, f"wrong_answers.toml speaks of checks that no notebook has: {sorted(lost)}"
