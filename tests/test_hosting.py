"""What the files for whoever hosts the course promise: what they name is there, and their rights are the least."""

import ast
import importlib.util
import json
import os
import re
import shutil
import subprocess
import tomllib

import pytest
import yaml

import tlcourse
from tlcourse.__main__ import parser
from tlcourse.workshop import NOTEBOOKS, ROOT, lockfile

GITHUB = ROOT / ".github"


def read(path):
    return path.read_text(encoding="utf-8")


WORKFLOWS = {path.stem: yaml.safe_load(read(path)) for path in sorted((GITHUB / "workflows").glob("*.yml"))}
JOBS = [(name, job, told) for name, flow in WORKFLOWS.items() for job, told in flow["jobs"].items()]
STEPS = [(name, job, step) for name, job, told in JOBS for step in told.get("steps", ())]
SCRIPTS = [(name, step["run"]) for name, _, step in STEPS if "run" in step]
FORMS = {path.stem: yaml.safe_load(read(path)) for path in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml")}
FORMS.pop("config")
PYPROJECT = read(ROOT / "pyproject.toml")
PROJECT = tomllib.loads(PYPROJECT)["project"]
CONTRIBUTING = read(ROOT / "CONTRIBUTING.md")
# Who may write what: an issue, the site, a release.
WRITES = {
    ("canary", "report"): {"issues"},
    ("site", "publish"): {"pages", "id-token"},
    ("release", "release"): {"contents"},
}


# The workflows.


def test_every_system_and_every_python_is_tested():
    low, high = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", PROJECT["requires-python"]).groups()
    pythons = [f"3.{minor}" for minor in range(int(low), int(high))]
    matrix = WORKFLOWS["tests"]["jobs"]["tests"]["strategy"]["matrix"]
    assert matrix["python"] == pythons
    assert [system.split("-")[0] for system in matrix["system"]] == ["ubuntu", "macos", "windows"]
    fixed = {
        (name, step["with"]["python-version"]) for name, _, step in STEPS if "setup-python" in step.get("uses", "")
    }
    assert fixed == {("tests", "${{ matrix.python }}"), ("canary", pythons[-1]), ("site", lockfile.PYTHON)}


def test_actions_are_pinned_and_keep_no_credentials():
    pins = {}
    for path in (GITHUB / "workflows").glob("*.yml"):
        for uses in re.findall(r"\buses: (.+)", read(path)):
            if uses.startswith("./"):
                assert (ROOT / uses.split()[0]).is_file()
                continue
            action, commit, _ = re.fullmatch(r"([\w/-]+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)", uses).groups()
            pins.setdefault(action, set()).add(commit)
    assert pins and all(len(commits) == 1 for commits in pins.values()), pins
    kept = [step["with"]["persist-credentials"] for *_, step in STEPS if "actions/checkout@" in step.get("uses", "")]
    assert len(kept) >= 4 and not any(kept)


@pytest.mark.parametrize(("name", "job", "told"), JOBS, ids=lambda part: part if isinstance(part, str) else "")
def test_rights_are_least_and_time_is_limited(name, job, told):
    assert WORKFLOWS[name]["permissions"] == {} and "concurrency" in WORKFLOWS[name]
    rights = told["permissions"]
    assert {what for what, right in rights.items() if right == "write"} == WRITES.get((name, job), set())
    assert set(rights.values()) <= {"read", "write"}
    assert "uses" in told or told["timeout-minutes"] <= 180
    if job in ("report", "publish", "release"):
        assert "needs" in told


def test_no_script_is_made_out_of_what_others_write():
    assert SCRIPTS and [script for _, script in SCRIPTS if "${{" in script] == []


def test_workflows_call_what_there_is():
    commands = re.findall(r"^    (\w+) ", parser().format_help(), re.MULTILINE)
    targets = set(re.findall(r"^([a-z]+):", read(ROOT / "Makefile"), re.MULTILINE))
    said = "\n".join(script for _, script in SCRIPTS)
    assert {"test", "newest", "setup"} <= set(re.findall(r"\bmake (\w+)", said)) <= targets
    assert {"fetch", "site"} <= set(re.findall(r"-m tlcourse (\w+)", said)) <= set(commands)
    for module in re.findall(r"-m ([\w.]+)", said):
        assert importlib.util.find_spec(module), module


def test_windows_is_set_up_as_contributing_says():
    (script,) = [step["run"] for *_, step in STEPS if "for Windows" in step.get("name", "")]
    (block,) = re.findall(r"On Windows without `make`.*?```\n(.*?)```", CONTRIBUTING, re.DOTALL)
    said = block.replace("py -3.11 ", "python ").replace("\\", "/").splitlines()
    assert said[: len(script.splitlines())] == script.splitlines() and said[-1].endswith("-m tlcourse lab")


def run(name, job, folder, **variables):
    """Run a job's last script with a `gh` that only writes down how it was called, one word a line."""
    if os.name == "nt" or shutil.which("bash") is None:
        pytest.skip("no bash as the workflow's machine has it")
    gh = folder / "bin" / "gh"
    gh.parent.mkdir()
    gh.write_text('#!/bin/sh\nprintf "%s\\n" "$@" >> called\n[ "$2" = list ] && printf "%s" "$OPEN" || true\n')
    gh.chmod(0o755)
    *_, script = [step["run"] for flow, j, step in STEPS if (flow, j) == (name, job) and "run" in step]
    path = os.pathsep.join([str(gh.parent), os.environ["PATH"]])
    done = subprocess.run(["bash", "-e", "-c", script], cwd=folder, env={**variables, "PATH": path},
                          capture_output=True, text=True)  # fmt: skip
    return done, (folder / "called").read_text().splitlines() if (folder / "called").exists() else []


@pytest.mark.parametrize(("tag", "made"), [("v0.3.0", True), ("v0.3.1", False), ("v0-3-0", False)])
def test_a_tag_is_released_with_the_changelogs_words(tag, made, tmp_path):
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "0.3.0"\n')
    words = "# Changelog\n\n## [Unreleased]\n\n- later\n\n## [0.3.0] - 2027-01-02\n\n### Added\n\n- now\n\n"
    (tmp_path / "CHANGELOG.md").write_text(f"{words}## [0.2.0] - 2026-12-24\n\n- old\n")
    done, called = run("release", "release", tmp_path, GITHUB_REF_NAME=tag)
    assert done.returncode == (0 if made else 1) and called[:3] == (["release", "create", tag] if made else [])
    if made:
        assert (tmp_path / "notes.md").read_text().split() == ["###", "Added", "-", "now"]
    else:
        assert "Expected the tag v0.3.0" in done.stdout


@pytest.mark.parametrize("section", ["", "## [0.3.0] - 2027-01-02\n\n", "## 0.3.0\n\n- now\n\n"])
def test_a_tag_without_words_in_the_changelog_is_not_released(section, tmp_path):
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "0.3.0"\n')
    (tmp_path / "CHANGELOG.md").write_text(f"## [Unreleased]\n\n- later\n\n{section}## [0.2.0] - 2026-12-24\n\n- old\n")
    done, called = run("release", "release", tmp_path, GITHUB_REF_NAME="v0.3.0")
    assert done.returncode == 1 and not called
    assert done.stdout.startswith("Expected words under ## [0.3.0] in CHANGELOG.md") and done.stdout.count("\n") == 1


@pytest.mark.parametrize("number", ["", "17"])
def test_the_canary_has_one_open_issue(number, tmp_path):
    address = "https://example.org/runs/1"
    done, called = run("canary", "report", tmp_path, OPEN=number, RUN=address, VERSIONS="keras==4.0")
    assert done.returncode == 0, done.stderr
    assert called.count("create") == (1 if number else 0) + (0 if number else 2)  # the label, and the issue if none is
    assert (["issue", "comment", "17"] if number else ["issue", "create", "--title"]) in [
        called[i : i + 3] for i in range(len(called))
    ]
    assert "keras==4.0" in called[-1] and address in called[-1]


# What people are asked for.


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_issue_form_is_one(form):
    assert {"name", "description", "body"} <= set(form) <= {"name", "description", "title", "labels", "body"}
    ids = [field["id"] for field in form["body"]]
    assert len(set(ids)) == len(ids)
    for field in form["body"]:
        assert field["type"] in ("input", "textarea", "dropdown") and field["attributes"]["label"]
        assert set(field) <= {"type", "id", "attributes", "validations"}


def test_who_reports_a_number_is_asked_for_what_it_takes():
    needed = {field["id"] for field in FORMS["number"]["body"] if field["validations"]["required"]}
    assert needed == {"chapter", "cell", "expected", "came", "doctor"} and set(FORMS) == {
        "number",
        "sentence",
        "set_up",
    }


def test_pull_requests_are_asked_five_lines_at_most():
    assert len(read(GITHUB / "pull_request_template.md").split("\n\n")[1].splitlines()) <= 4


# The version, and what a new one of Keras touches.


def test_changelog_citation_and_project_agree():
    citation = yaml.safe_load(read(ROOT / "CITATION.cff"))
    released = re.findall(r"^## \[(\d[^\]]*)\](?: - (\S+))?$", read(ROOT / "CHANGELOG.md"), re.MULTILINE)
    assert citation["version"] == PROJECT["version"] == tlcourse.__version__
    assert citation["license"] == PROJECT["license"]
    if released:  # until there is a release, all of the changelog is unreleased
        assert released[0] == (PROJECT["version"], str(citation["date-released"]))
    else:
        assert "date-released" not in citation


def private(source):
    """Names with an underscore that code takes from other objects than `self`, and modules that Keras calls its own."""
    documented = {"_replace", "_asdict", "_exit", "_repr_mimebundle_"}
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and re.match(r"_[a-z]", node.attr) and ast.unparse(node.value) != "self":
            found.add(node.attr)
        if isinstance(node, ast.ImportFrom) and ".src" in str(node.module):
            found.add(node.module)
    return found - documented


def without_magics(source):
    return "\n".join(line for line in "".join(source).splitlines() if not line.startswith(("%", "!")))


def test_contributing_names_all_that_is_not_public():
    rows = re.findall(r"^\| `([a-z_]+/[\w/]+)` \| (.+?) \| (.+?) \|$", CONTRIBUTING, re.MULTILINE)
    said = {file: set(re.findall(r"`([\w.]+)`", names)) for file, names, _ in rows}
    used = {}
    for path in sorted((ROOT / "tlcourse").rglob("*.py")):
        if names := private(read(path)):
            used[path.relative_to(ROOT / "tlcourse").with_suffix("").as_posix()] = names
    for path in NOTEBOOKS.glob("*.ipynb"):
        code = [cell["source"] for cell in json.loads(read(path))["cells"] if cell["cell_type"] == "code"]
        names = set().union(*(private(without_magics(source)) for source in code))
        if names:
            used[f"notebooks/{path.stem}"] = names
    assert said == used
    for *_, test in rows:
        assert (ROOT / "tests" / f"{test.strip('`')}.py").exists()
