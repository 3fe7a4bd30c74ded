"""A graded copy tells no answers, says a friendly line to every blank, and passes with the solutions put back."""

import shutil

import nbformat
import pytest
from notebook_maker import code, good, write

from tlcourse.workshop import NOTEBOOKS, ROOT, WorkshopError, release
from tlcourse.workshop.kernels import Kernel, environment

EXERCISES = {  # answers of three kinds of check: a number, words, a shape
    "stem_flops": ("answer = ...", "answer = 2 * (3 * 3 * 3 * 32) * (112 * 112) / 1e6"),
    "settings": ("answer = ...", "answer = dict(a='inductive', b='transductive', c='unsupervised', d='none')"),
    "bias_shape": ("answer = ...", "answer = (7,)"),
}


def chapter():
    """A notebook with real exercises."""
    cells = [code("from tlcourse.classroom import checks")]
    for name, (blank, right) in EXERCISES.items():
        call = f"checks.{name}(answer)"
        cells += [code(blank, "exercise"), code(call, "check"), code(f"{right}\n{call}", "solution")]
    notebook = good()
    notebook.cells = cells
    return notebook


@pytest.fixture(scope="module")
def copies(tmp_path_factory):
    """A small course, and its graded copy."""
    course = tmp_path_factory.mktemp("course")
    ours = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "tlcourse", course / "tlcourse", ignore=ours)
    for folder in ("notebooks", "tests"):
        (course / folder).mkdir()
    (course / "tests" / "wrong_answers.toml").write_text("told nowhere else")
    (course / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "instructor.md", course / "docs")
    shutil.copy(ROOT / "README.md", course)
    write(chapter(), course / "notebooks")
    target = tmp_path_factory.mktemp("graded") / "copy"
    release.release(target, root=course)
    return course, target


def said(kernel, source):
    """What a cell prints; it fails where the cell does."""
    printed = []
    hook = lambda message: printed.append(message["content"].get("text", ""))  # noqa: E731
    reply = kernel.client.execute_interactive(source, timeout=60, output_hook=hook)
    assert reply["content"]["status"] == "ok", reply["content"]
    return "".join(printed)


def test_a_copy_runs_unattempted_and_passes_with_the_solutions_put_back(copies):
    course, copy = copies
    whole, graded = (nbformat.read(place / "notebooks" / "00_small.ipynb", as_version=4) for place in (course, copy))
    with Kernel(copy / "notebooks", env=environment(PYTHONPATH=str(copy))) as kernel:
        outputs = [said(kernel, cell.source) for cell in graded.cells]
        assert sum(text.startswith("Nothing to check yet: replace the ...") for text in outputs) == len(EXERCISES)
        solutions = [cell for cell in whole.cells if "solution" in cell.metadata.tags]
        assert all("✓" in said(kernel, cell.source) for cell in solutions) and len(solutions) == len(EXERCISES)
        assert str(copy) in said(kernel, "print(checks.__file__)")
        wrong = "try:\n    checks.stem_flops(1.0)\nexcept checks.NotYet as hint:\n    print(hint)"
        assert said(kernel, wrong).startswith("Not 1. What does one place")
        assert "112" not in said(kernel, "checks.stem_flops??\nchecks.settings??")
        assert said(kernel, "print(hasattr(checks.stem_flops, 'question'))") == "False\n"


def test_no_answer_stands_in_the_copy(copies):
    course, copy = copies
    kept = {path.relative_to(copy).as_posix() for path in copy.rglob("*") if path.is_file()}
    assert not [path for path in kept if path.startswith("tests")] and "tlcourse/classroom/checks/cost.py" in kept
    everything = "".join((copy / path).read_text(encoding="utf-8", errors="ignore") for path in kept)
    telling = (
        "112 * 112",
        "told nowhere else",
        "freeze *no* layer",
        "all labels are on one side",
        "201.54",
        "4 / ln 2",
    )
    assert not [each for each in telling if each in everything]
    assert "instructor.md" not in (copy / "README.md").read_text(encoding="utf-8")
    assert {path.relative_to(course).as_posix() for path in course.rglob("*.py")} <= kept, "all modules are there"


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_what_is_left_of_a_real_chapter(path):
    whole, graded = nbformat.read(path, as_version=4), release.without_solutions(nbformat.read(path, as_version=4))
    nbformat.validate(graded)
    tagged = [set(cell.metadata.get("tags", [])) for cell in graded.cells]
    blanks = [i for i, tags in enumerate(tagged) if "exercise" in tags]
    assert blanks and all("check" in tagged[i + 1] and "..." in graded.cells[i].source for i in blanks)
    solutions = [cell.source for cell in whole.cells if "solution" in cell.metadata.get("tags", [])]
    assert len(graded.cells) == len(whole.cells) - len(solutions) and len(solutions) == len(blanks)
    text = nbformat.writes(graded)
    assert "✓" not in text and not [source for source in solutions if source.splitlines()[0] + "\\n" in text]
    assert all(not graded.cells[i + step].outputs for i in blanks for step in (0, 1))
    others = [
        cell for cell in whole.cells if not set(cell.metadata.get("tags", [])) & {"solution", "exercise", "check"}
    ]
    left = [cell for cell, tags in zip(graded.cells, tagged, strict=True) if not tags & {"exercise", "check"}]
    assert left == others, "everything else is as it was"


def test_release_refuses_a_folder_that_holds_something(tmp_path):
    (tmp_path / "mine.txt").touch()
    with pytest.raises(WorkshopError, match="not an empty folder"):
        release.release(tmp_path)
    with pytest.raises(WorkshopError, match="inside the course"):
        release.release(NOTEBOOKS / "copy")
