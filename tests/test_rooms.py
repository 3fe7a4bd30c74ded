"""The two lowest rooms: `methods` can be taken along alone, under any name, and both say what they take and give."""

import importlib
import inspect
import os
import pkgutil
import shutil
import subprocess
import sys

import pytest

import tlcourse.material
import tlcourse.methods

ALONE = """
import importlib, pkgutil, sys
sys.modules["tlcourse"] = None  # whoever imports the course from here on fails, also where it is installed
import taken_along
modules = {m.name: importlib.import_module(f"taken_along.{m.name}") for m in pkgutil.iter_modules(taken_along.__path__)}
assert len(modules) > 8 and not {"keras", "tensorflow"} & set(sys.modules), sorted(modules)
assert modules["freezing"].block_of("block3a_project_conv/kernel") == "block3"
assert abs(modules["distillation"].soften([0.0, 2.0], 2.0)[1] - 0.731059) < 1e-6
rows = [[1, 0], [0, 2], [3, 1], [5, 4]]
assert abs(modules["transferability"].cka(rows, [row[::-1] for row in rows]) - 1) < 1e-12
assert modules["fine_tuning"].freezing is modules["freezing"]
"""


def test_methods_run_alone_under_another_name(tmp_path):
    shutil.copytree(tlcourse.methods.__path__[0], tmp_path / "taken_along")
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run([sys.executable, "-c", ALONE], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def public_functions(room):
    """The functions and methods that the modules of a room define for others, by their full names."""
    for info in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
        module = importlib.import_module(info.name)
        holders = [module, *(c for c in vars(module).values() if inspect.isclass(c) and c.__module__ == info.name)]
        for holder in holders:
            for name, thing in vars(holder).items():
                if inspect.isfunction(thing) and thing.__module__ == info.name and not name.startswith("_"):
                    yield f"{info.name}.{thing.__qualname__}", inspect.signature(thing)


@pytest.mark.parametrize("room", [tlcourse.methods, tlcourse.material], ids=["methods", "material"])
def test_every_public_function_says_what_it_takes_and_gives(room):
    functions = dict(public_functions(room))
    assert len(functions) > 30
    lacking = {
        name: [p.name for p in signature.parameters.values() if p.annotation is p.empty and p.name != "self"]
        + ["return"] * (signature.return_annotation is signature.empty)
        for name, signature in functions.items()
    }
    assert {name: what for name, what in lacking.items() if what} == {}
