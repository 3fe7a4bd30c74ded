"""What the project's own files promise each other: ranges, lock and environment agree, rooms keep their order."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import tlcourse
from tlcourse.workshop import ROOT, lockfile

LOCKED = ("dev", "site", "slides", "cluster")  # the extras that `make lock` resolves too
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCK_TEXT = lockfile.LOCK.read_text(encoding="utf-8")
PINS = lockfile.pins()  # some names stand twice, for different Pythons


def version(pin):
    (only,) = pin.specifier
    assert only.operator == "=="
    return only.version


def tracked(*suffixes):
    """The project's text files: what git would keep, whether committed yet or not."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("not a git checkout, so that there are no tracked files to look at")
    paths = [ROOT / name for name in sorted(set(done.stdout.split("\0"))) if name]
    return [path for path in paths if path.is_file() and (not suffixes or path.suffix in suffixes)]


def read(path):
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def test_every_pin_has_hashes():
    blocks = re.split(r"\n(?=[a-z0-9])", LOCK_TEXT, flags=re.IGNORECASE)
    pinned = [block for block in blocks if re.match(r"[a-z0-9][\w.-]*==", block, re.IGNORECASE)]
    assert len(pinned) == len(PINS) > 100
    assert [block.split()[0] for block in pinned if "--hash=sha256:" not in block] == []


def test_lock_names_no_registry():
    assert not re.search(r"://|--(extra-)?index-url|--find-links|-i ", LOCK_TEXT)


def test_lock_is_for_every_python_and_system():
    markers = " ".join(str(pin.marker) for pin in PINS if pin.marker)
    assert "darwin" in markers and "win32" in markers
    pythons = SpecifierSet(PYPROJECT["project"]["requires-python"])
    assert all(f"3.{minor}" in pythons for minor in (11, 12, 13))


@pytest.mark.parametrize(
    "text",
    [
        *PYPROJECT["project"]["dependencies"],
        *(text for extra in LOCKED for text in PYPROJECT["project"]["optional-dependencies"][extra]),
    ],
)
def test_range_admits_the_locked_version(text):
    wanted = Requirement(text)
    locked = [pin for pin in PINS if canonicalize_name(pin.name) == canonicalize_name(wanted.name)]
    assert locked, f"{wanted.name} is not in requirements.txt: run `make lock`"
    out = [str(pin) for pin in locked if not wanted.specifier.contains(version(pin), prereleases=True)]
    assert not out, f"{wanted} does not admit {out}: run `make lock`"


@pytest.mark.skipif(not shutil.which("sed"), reason="what `make newest` takes the bounds away with is not here")
def test_the_newest_packages_have_no_upper_bound():
    program = re.search(r"sed '(.+)'", read(ROOT / "Makefile"))[1]
    said = subprocess.run(["sed", program, str(ROOT / "pyproject.toml")], capture_output=True, text=True, check=True)
    project = tomllib.loads(said.stdout)["project"]
    assert project["name"] == "tlcourse"
    for texts in (project["dependencies"], *project["optional-dependencies"].values()):
        assert {each.operator for text in texts for each in Requirement(text).specifier} <= {">="}


PYTHON_THAT_FAILS = """#!/bin/sh
echo "$*" >> called
case "$*" in "-m ruff"*|"-m pytest tests"*) exit 1;; esac
"""


@pytest.mark.skipif(os.name == "nt" or not shutil.which("make"), reason="no make here")
def test_on_the_newest_packages_the_course_is_run_first_and_all_is_tried(tmp_path):
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    for name in (".venv", "build/newest/venv"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("requirements.txt", "build/newest/requirements.txt"):
        (tmp_path / name).touch()
    (tmp_path / "python").write_text(PYTHON_THAT_FAILS)
    (tmp_path / "python").chmod(0o755)
    outer = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "PYTEST_"))}
    done = subprocess.run(["make", "newest", "PY=./python"], cwd=tmp_path, env=outer, capture_output=True, text=True)
    called = (tmp_path / "called").read_text()
    begins = ("-m pytest tests", "-m tlcourse.workshop.offline -- ./python -m pytest --nbval", "-m ruff check")
    places = [called.index(each) for each in begins]
    assert done.returncode != 0 and places == sorted(places), done.stderr


def test_environment_is_made_from_the_lock():
    assert lockfile.ENVIRONMENT.read_text(encoding="utf-8") == lockfile.environment(), "run `make lock`"


def test_environment_works_for_conda_and_binder():
    environment = yaml.safe_load(lockfile.ENVIRONMENT.read_text(encoding="utf-8"))
    conda = [entry for entry in environment["dependencies"] if isinstance(entry, str)]
    (pip,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    (python,) = [entry.split("=")[1] for entry in conda if entry.startswith("python=")]
    assert python in SpecifierSet(PYPROJECT["project"]["requires-python"])
    assert "pip" in conda, "conda warns, and Binder fails, when the pip section has no pip"
    # In one command with the pins, pip resolves the course against them: they must all be there, and without hashes.
    assert pip[-1] == "-e ."
    pins = [Requirement(text) for text in pip[:-1]]
    assert list(map(str, pins)) == [str(pin) for pin in PINS if pin.name not in ("pip", "setuptools")]
    names = {pin.name for pin in pins}
    assert {"jupyterlab", "tensorflow", "matplotlib", "ipywidgets", "nbval", "pandas"} <= names


def test_binder_fetches_the_assets_and_hands_out_the_chapters():
    post_build = ROOT / "postBuild"
    assert {"python -m tlcourse fetch", "python -m tlcourse start"} <= set(read(post_build).splitlines())
    assert os.name == "nt" or os.access(post_build, os.X_OK), "Binder runs postBuild only if it is executable"


def test_version_is_one():
    assert tlcourse.__version__ == PYPROJECT["project"]["version"] == metadata.version("tlcourse")


@pytest.mark.parametrize("module", ["tlcourse", "tlcourse.__main__", "tlcourse.workshop.widget_driver"])
def test_import_is_light(module):
    code = (
        f"import sys, {module}; print({{'tensorflow', 'keras', 'numpy', 'matplotlib', 'sklearn'}} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stdout + done.stderr


FORBIDDEN = {
    "methods/statistics.py": ("tlcourse.classroom.plots", "tlcourse.material.assets"),
    "material/assets/atomic.py": ("tlcourse.methods.statistics",),
    "experiments/race.py": ("tlcourse.workshop.doctor",),
    "classroom/plots.py": ("tlcourse.workshop.deck",),
}


def test_an_import_against_the_direction_of_the_rooms_breaks_the_contract(tmp_path):
    shutil.copytree(ROOT / "tlcourse", tmp_path / "tlcourse", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for name, imported in FORBIDDEN.items():
        with open(tmp_path / "tlcourse" / name, "a", encoding="utf-8") as module:
            module.writelines(f"import {each}\n" for each in imported)
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", program, "--no-cache"]
    said = subprocess.run(command, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(tmp_path)}, capture_output=True,
                          text=True)  # fmt: skip
    assert said.returncode == 1, said.stdout + said.stderr
    for name, imported in FORBIDDEN.items():
        module = "tlcourse." + name.removesuffix(".py").replace("/", ".")
        assert all(f"{module} -> {each} " in said.stdout for each in imported), said.stdout


def test_every_room_is_in_the_contract():
    (contract,) = PYPROJECT["tool"]["importlinter"]["contracts"]
    rooms = {room for layer in contract["layers"] for room in layer.split(" | ")}
    there = {path.name for path in (ROOT / "tlcourse").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert rooms == {f"tlcourse.{room}" for room in there}


@pytest.mark.parametrize("path", sorted((ROOT / "tlcourse").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_module_is_small(path):
    lines = len(read(path).splitlines())
    assert lines <= 250, f"{lines} lines: modules stay near 200, so make two of this one"


def test_license_is_what_the_package_says():
    assert PYPROJECT["project"]["license"] == "Apache-2.0"
    text = read(ROOT / "LICENSE")
    assert "Apache License" in text and "Version 2.0, January 2004" in text and "END OF TERMS AND CONDITIONS" in text


def test_no_file_holds_a_path_of_one_machine():
    own = re.compile(rf"(?<![\w.]){re.escape(str(ROOT.parent))}/|(?<![\w.])/(?:home|Users)/\w+/|/root/")
    code = tracked(".py", ".toml", ".yml", ".yaml", ".cfg", ".md", ".txt", ".csv", ".ipynb", ".json", "")
    mine = ROOT / "tests"
    found = {str(path.relative_to(ROOT)) for path in code if not path.is_relative_to(mine) and own.search(read(path))}
    assert found == set()


def test_no_file_holds_a_merges_conflict_markers():
    marker = re.compile(r"^(?:<{7}|>{7}) ", re.MULTILINE)
    code = tracked(".py", ".toml", ".yml", ".yaml", ".cfg", ".md", ".txt", ".csv", ".ipynb", ".json", "")
    assert {str(path.relative_to(ROOT)) for path in code if marker.search(read(path))} == set()


def test_no_file_configures_a_registry():
    setting = re.compile(
        r"--(?:extra-)?index-url|--registry[ =]|--trusted-host|PIP_INDEX_URL|UV_INDEX_URL|UV_DEFAULT_INDEX"
    )
    code = tracked(".py", ".toml", ".yml", ".yaml", ".cfg", ".ini", ".txt", ".ipynb", "")
    found = {
        str(path.relative_to(ROOT))
        for path in code
        if path.name not in ("Makefile", "test_project.py") and setting.search(read(path))
    }
    assert found == set(), "packages come from whatever index the user's own pip knows"


def test_hooks_need_no_download():
    hooks = yaml.safe_load(read(ROOT / ".pre-commit-config.yaml"))
    assert {repo["repo"] for repo in hooks["repos"]} == {"local"}
    assert {hook["language"] for repo in hooks["repos"] for hook in repo["hooks"]} == {"system"}
    for entry in {hook["entry"] for repo in hooks["repos"] for hook in repo["hooks"]}:
        (tool,) = re.findall(r"python -(?:m |c .from )(\w+)", entry)
        assert importlib.util.find_spec(tool), f"{tool} is not in the lock"


def test_makefile_calls_what_there_is():
    for module in re.findall(r"\$\(PY\) -m ([\w.]+)", read(ROOT / "Makefile")):
        assert importlib.util.find_spec(module), f"make calls {module}, which is not there"
