"""The hash of an experiment changes with whatever its results depend on, and with nothing else."""

import ast

import pytest

from tlcourse.workshop import code_hash

COURSE = {
    "tlcourse/experiments/toy.py": '''
"""A toy."""
from tlcourse.material import data
CONFIGS = [{"rate": RATE} for RATE in (1, 2)]
STEPS = 10
def trial(config):
    """A docstring."""
    import numpy as np
    from tlcourse.methods import training
    from tlcourse.material import assets
    x = data.load(assets.DATA)  # a comment
    return [{"loss": np.mean(training.fit(x, steps=STEPS))}]
def shown():
    return 1
''',
    "tlcourse/material/data/__init__.py": '''
from tlcourse.material.data.first import load
from tlcourse.material.data.second import other
''',
    "tlcourse/material/data/first.py": '''
SIZES = {"small": 1}
SIZES["large"] = 2
def load(path):
    return _Reader(path).read(SIZES)
def unused():
    return 3
class _Reader:
    def read(self, sizes):
        return scaled(sizes)
from tlcourse.material.data.second import scaled
''',
    "tlcourse/material/data/second.py": "def other():\n    return 4\ndef scaled(sizes, by=5):\n    return sizes\n",
    "tlcourse/material/assets/__init__.py": "DATA = 6\n",
    "tlcourse/methods/__init__.py": "",
    "tlcourse/methods/training.py": '''
import functools
RATE = 7
@functools.cache
def fit(x, steps):
    return helper(x) + RATE
def helper(x):
    return fit(x, 0) if x else 8
''',
}  # fmt: skip
TOY, DATA, FIRST, SECOND, ASSETS, _, TRAINING = COURSE


@pytest.fixture
def course(tmp_path, monkeypatch):
    for name, text in COURSE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(code_hash, "ROOT", tmp_path)
    return tmp_path


def edited(course, name, old, new) -> tuple[str, str]:
    """The hash before and after."""
    before = code_hash.of(course / TOY)
    text = (course / name).read_text()
    assert old in text
    (course / name).write_text(text.replace(old, new))
    ast.parse((course / name).read_text())
    return before, code_hash.of(course / TOY)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        (TOY, "STEPS = 10", "STEPS = 11"),
        (TOY, '"loss"', '"gain"'),
        (TOY, "import numpy as np", "import scipy as np"),
        (TOY, "from tlcourse.methods import training", "from tlcourse.methods import training as data"),
        (FIRST, '"small": 1', '"small": 1.0'),
        (FIRST, 'SIZES["large"] = 2', 'SIZES["large"] = 3'),
        (FIRST, "scaled(sizes)", "scaled(dict(sizes))"),
        (DATA, "first import load", "second import scaled as load"),
        (SECOND, "by=5", "by=True"),
        (TRAINING, "RATE = 7", "RATE = 7.0"),
        (TRAINING, "functools.cache", "functools.lru_cache"),
        (TRAINING, "else 8", "else -8"),
        (TRAINING, "if x", "if not x"),
    ],
)
def test_what_a_trial_uses_changes_it(course, name, old, new):
    before, after = edited(course, name, old, new)
    assert before != after and len(after) == 12 and after.startswith("c")


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        (TOY, "A docstring.", "Another."),
        (TOY, "  # a comment", ""),
        (TOY, "STEPS = 10\n", "STEPS = (\n    10\n)\n\n"),
        (TOY, "(1, 2)", "(1, 2, 3)"),
        (TOY, "return 1", "return 2"),
        (TOY, "CONFIGS", "MINIATURE = {'STEPS': 1}\nCONFIGS"),
        (DATA, "import other", "import other, another"),
        (FIRST, "return 3", "return 4"),
        (SECOND, "return 4", "return 5"),
        (ASSETS, "6", "7"),
        (TRAINING, "RATE = 7", "import os\nSHOWN = [rate for rate in ()]\nRATE = 7"),
    ],
)
def test_what_it_does_not_use_changes_nothing(course, name, old, new):
    before, after = edited(course, name, old, new)
    assert before == after


def test_a_definition_may_move_as_it_is(course):
    before = code_hash.of(course / TOY)
    (course / "tlcourse/methods/rates.py").write_text("RATE = 7\n")
    assert before == edited(course, TRAINING, "RATE = 7", "from tlcourse.methods.rates import RATE")[1]
    (course / TOY).rename(course / "tlcourse/experiments/renamed.py")
    assert before == code_hash.of(course / "tlcourse/experiments/renamed.py")


def test_a_module_that_is_handed_on_counts_as_a_whole(course):
    edited(course, TOY, "training.fit(x", "vars(training)['fit'](x")
    before, after = edited(course, TRAINING, "helper(x):", "helper(x, y=0):")
    assert before != after


def test_what_cannot_be_followed_is_refused(course):
    (course / TOY).write_text("from tlcourse.material.data import *\ntrial = 1\n")
    with pytest.raises(ValueError, match="name what they take"):
        code_hash.of(course / TOY)
    (course / TOY).write_text("CONFIGS = []\n")
    with pytest.raises(ValueError, match=r"toy.py to define trial, got no such name"):
        code_hash.of(course / TOY)
