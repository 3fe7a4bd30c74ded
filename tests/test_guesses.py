"""Guesses are kept in the work folder over restarts; nothing there is ever lost, and no other folder is touched."""

import contextlib
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import filelock
import nbformat
import pytest

from tlcourse.classroom import checks, guesses, progress, widgets
from tlcourse.material.assets import DATA
from tlcourse.workshop import NOTEBOOKS
from tlcourse.workshop.start import student_copy


@pytest.fixture
def work(tmp_path, monkeypatch):
    """A work folder, in which this kernel runs chapter 06."""
    (tmp_path / guesses.FOLDER).mkdir()
    (tmp_path / guesses.FOLDER / guesses.MANIFEST).write_text("{}")
    monkeypatch.chdir(tmp_path)
    open_chapter(monkeypatch, "06_layer_transfer.ipynb")
    return tmp_path


def open_chapter(monkeypatch, name):
    """What a new kernel finds: nothing in memory, and the name of its notebook in the environment."""
    monkeypatch.setattr(guesses, "_answers", {})
    monkeypatch.setattr(guesses, "trouble", "")
    monkeypatch.setenv("JPY_SESSION_NAME", f"/home/zoë/course/work/{name}")


def kept(work):
    return json.loads((work / guesses.FOLDER / guesses.KEPT).read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("options", "guess"), [(None, 0.0), (None, 30.0), (["yes", "no"], "no"), (["größer ≥", "kleiner"], "größer ≥")]
)
def test_a_guess_is_found_again_after_a_restart(work, monkeypatch, options, guess):
    widgets.Prediction("How many?", options=options).control.value = guess
    open_chapter(monkeypatch, "06_layer_transfer.ipynb")
    again = widgets.Prediction("How many?", options=options)
    assert again.value == guess == again.control.value and "Noted" in again.status.value


def test_a_quiz_is_found_again_after_a_restart(work, monkeypatch):
    questions = [{"ask": "One?", "options": ["a", "b"], "truth": "b", "why": "So."}]
    widgets.Quiz(questions).choices[0].value = "a"
    open_chapter(monkeypatch, "06_layer_transfer.ipynb")
    again = widgets.Quiz(questions)
    assert again.choices[0].value == "a" and "0 of 1 right" in again.score.value and "So." in again.replies[0].value


def test_two_chapters_may_ask_the_same_and_know_their_own_answers(work, monkeypatch):
    guesses.keep("And now?", 6.0)
    open_chapter(monkeypatch, "07_distillation.ipynb")
    assert guesses.recall("And now?") is None
    guesses.keep("And now?", 7.0)
    for name, answer in {
        "06_layer_transfer-Copy1.ipynb": 6.0,
        "07_distillation (new).ipynb": 7.0,
        "mine.ipynb": 6.0,  # renamed: the first chapter that asked it
        "": 6.0,
    }.items():
        open_chapter(monkeypatch, name)
        assert guesses.recall("And now?") == answer, name


def test_a_guess_that_was_reworded_is_not_found(work, monkeypatch):
    widgets.Prediction("How many?").control.value = 90.0
    open_chapter(monkeypatch, "06_layer_transfer.ipynb")
    assert widgets.Prediction("How many?", high=50).value is None
    assert kept(work) == {"06": {"How many?": 90.0}}  # and not lost


def test_no_other_folder_is_read_or_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    open_chapter(monkeypatch, "06_layer_transfer.ipynb")
    guesses.keep("How many?", 1.0)
    assert list(tmp_path.iterdir()) == [] and guesses.recall("How many?") == 1.0 and guesses.trouble == ""
    (tmp_path / guesses.FOLDER).mkdir()  # without the list of what was handed out it is no work folder
    (tmp_path / guesses.FOLDER / guesses.KEPT).write_text('{"06": {"How many?": 2.0}}')
    open_chapter(monkeypatch, "06_layer_transfer.ipynb")
    assert guesses.recall("How many?") is None


@pytest.mark.parametrize("damage", ['{"06": {"How many', "", "[1, 2]", '{"06": 3}', b"\xff\xfe\x00"])
def test_a_damaged_file_is_set_aside_and_said(work, monkeypatch, damage):
    file = work / guesses.FOLDER / guesses.KEPT
    damage = damage if isinstance(damage, bytes) else damage.encode()
    for n in (1, 2):
        file.write_bytes(damage)
        open_chapter(monkeypatch, "06_layer_transfer.ipynb")
        widget = widgets.Prediction("How many?")
        assert f"guesses-damaged-{n}.json" in widget.status.value and widget.status.value.count("\n") == 0
        assert (work / guesses.FOLDER / f"guesses-damaged-{n}.json").read_bytes() == damage
        widget.control.value = 3.0
        assert widget.status.value == "Noted: 3 %. Now run on."
        assert kept(work) == {"06": {"How many?": 3.0}}


def test_a_file_that_cannot_be_written_is_said_and_the_guess_lives_on(work):
    (work / guesses.FOLDER / guesses.KEPT).mkdir()
    widget = widgets.Prediction("How many?")
    assert "could not be read" in widget.status.value
    widget.control.value = 3.0
    assert (
        widget.value == 3.0
        and "Noted: 3 %" in widget.status.value
        and "until the kernel restarts" in widget.status.value
    )


def test_one_refused_read_loses_no_earlier_guess(work, monkeypatch):
    """A virus scanner or a cloud's program holds the file for a moment, then lets it go."""
    guesses.keep("How many?", 1.0)
    open_chapter(monkeypatch, "06_layer_transfer.ipynb")
    with monkeypatch.context() as held:

        def refusing(*_, **__):
            raise PermissionError(13, "Permission denied")

        held.setattr(Path, "read_text", refusing)
        assert guesses.recall("How many?") is None and "could not be read (Permission denied)" in guesses.trouble
        guesses.keep("And now?", 2.0)
        assert "kept until the kernel restarts" in guesses.trouble and guesses.trouble.endswith("(Permission denied).")
        guesses.set_aside("06", work)
        assert "The answers of chapter 06 stay as they were in" in guesses.trouble
    assert kept(work) == {"06": {"How many?": 1.0}} and guesses.recall("How many?") == 1.0
    guesses.keep("And now?", 2.0)
    assert kept(work) == {"06": {"How many?": 1.0, "And now?": 2.0}} and guesses.trouble == ""


def test_a_damaged_file_that_cannot_be_set_aside_is_left_as_it_is(work, monkeypatch):
    file = work / guesses.FOLDER / guesses.KEPT
    file.write_text('{"06": {"How many')

    def refusing(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "rename", refusing)
    assert guesses.recall("How many?") is None and "could not be read (Permission denied)" in guesses.trouble
    guesses.keep("How many?", 2.0)
    assert "until the kernel restarts" in guesses.trouble and file.read_text() == '{"06": {"How many'


def test_a_disk_that_cannot_lock_is_a_sentence(work, monkeypatch):
    def acquire(*_, **__):
        raise NotImplementedError("FileSystem does not appear to support flock")

    monkeypatch.setattr(filelock.FileLock, "acquire", acquire)
    guesses.keep("How many?", 1.0)
    assert "until the kernel restarts" in guesses.trouble and "flock" in guesses.trouble
    assert guesses.recall("How many?") == 1.0


HOLD = "import filelock, sys; lock = filelock.FileLock(sys.argv[1]); lock.acquire(); print(flush=True); input()"


def test_a_lock_that_is_not_given_is_a_sentence(work, monkeypatch):
    guesses.keep("How many?", 1.0)
    monkeypatch.setattr(guesses, "PATIENCE", 0.1)
    command = [sys.executable, "-c", HOLD, str(work / guesses.FOLDER / "guesses.lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        guesses.keep("How many?", 2.0)
        assert "It is kept until the kernel restarts" in guesses.trouble and guesses.recall("How many?") == 2.0
        guesses.set_aside("06", work)
        assert "The answers of chapter 06 stay as they were" in guesses.trouble
        other.communicate(b"\n")
    assert kept(work) == {"06": {"How many?": 1.0}}
    guesses.set_aside("06", work)
    assert kept(work) == {"06 (old)": {"How many?": 1.0}} and guesses.trouble == ""


def test_a_guess_survives_a_write_that_is_broken_off(work, monkeypatch):
    guesses.keep("How many?", 1.0)

    def broken(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(guesses.json, "dump", broken)
    guesses.keep("How many?", 2.0)
    assert "No space left on device" in guesses.trouble and guesses.recall("How many?") == 2.0
    assert kept(work) == {"06": {"How many?": 1.0}}
    assert [path.name for path in (work / guesses.FOLDER).glob("*.tmp")] == []


def test_kernels_that_write_at_once_lose_nothing(work):
    """Eight processes, 25 guesses each, one file."""
    code = "for n in range(25): guesses.keep(f'{WHO} {n}', float(n))"
    imported = "from tlcourse.classroom import guesses; import sys; WHO = sys.argv[1]"
    command = [sys.executable, "-c", f"{imported}\n{code}\nassert guesses.trouble == '', guesses.trouble"]
    running = [subprocess.Popen([*command, str(who)], cwd=work) for who in range(8)]
    assert [process.wait(60) for process in running] == [0] * 8
    assert kept(work)["06"] == {f"{who} {n}": float(n) for who in range(8) for n in range(25)}


def test_a_chapter_begun_anew_asks_anew(work, monkeypatch):
    guesses.keep("How many?", 1.0)
    guesses.set_aside("06", work)
    guesses.set_aside("07", work)
    open_chapter(monkeypatch, "06_layer_transfer.ipynb")
    assert guesses.recall("How many?") is None
    open_chapter(monkeypatch, "mine.ipynb")
    assert guesses.recall("How many?") is None
    assert kept(work) == {"06 (old)": {"How many?": 1.0}}


# Tries: what checks and quizzes said.

QUIZ = [{"ask": "One?", "options": ["a", "b"], "truth": "b", "why": "So."}]


def tries(work):
    file = work / guesses.FOLDER / guesses.TRIES
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


def test_every_try_is_noted_and_the_student_is_told_once(work, capsys):
    for answer in ("seven", (1, 7), (7,)):
        with contextlib.suppress(checks.NotYet):
            checks.bias_shape(answer)
    checks.bias_shape(...)
    quiz = widgets.Quiz(QUIZ)
    quiz.choices[0].value = "a"
    quiz.choices[0].value = "b"
    rows = tries(work)
    assert [(row["chapter"], row["asked"], row["right"]) for row in rows] == [
        *[("06", "bias_shape", right) for right in (False, False, True)],
        *[("06", "One?", right) for right in (False, True)],
    ]
    assert [row.get("truth") for row in rows[-2:]] == ["b", "b"] and rows[-2]["said"] == "a"
    assert capsys.readouterr().out.count(guesses.TOLD) == 1 and guesses.TRIES not in quiz.replies[0].value
    assert all(set(row) <= {"chapter", "asked", "said", "right", "truth"} for row in rows)


def test_who_answers_a_quiz_first_is_told_too(work):
    quiz = widgets.Quiz(QUIZ)
    quiz.choices[0].value = "a"
    assert guesses.TRIES in quiz.replies[0].value


def test_tries_are_not_noted_where_the_student_says_no_nor_elsewhere(work, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("TLCOURSE_TRIES", "off")
    checks.bias_shape((7,))
    monkeypatch.delenv("TLCOURSE_TRIES")
    monkeypatch.chdir(tmp_path.parent)
    checks.bias_shape((7,))
    assert tries(work) == [] and guesses.TRIES not in capsys.readouterr().out


def test_a_run_of_a_solution_is_known_for_one(work, monkeypatch):
    shell = SimpleNamespace(parent_header={"metadata": {"tags": ["solution"]}})  # as JupyterLab sends it
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    checks.bias_shape((7,))
    shell.parent_header = {"metadata": {"tags": ["check"]}}
    checks.bias_shape((7,))
    assert [row.get("solution", False) for row in tries(work)] == [True, False]


def test_a_list_that_cannot_be_kept_or_is_long_keeps_nobody_from_her_work(work, capsys):
    file = work / guesses.FOLDER / guesses.TRIES
    file.mkdir()
    checks.bias_shape((7,))
    file.rmdir()
    file.write_bytes(b" " * guesses.LIMIT)
    checks.bias_shape((7,))
    assert file.stat().st_size == guesses.LIMIT and capsys.readouterr().out.count("✓") == 2


def test_progress_counts_guesses_and_what_was_solved_without_the_solution(work, monkeypatch):
    for path in sorted(NOTEBOOKS.glob("0[67]_*.ipynb")):
        nbformat.write(student_copy(nbformat.read(path, 4)), work / path.name)
    six, seven = (tomllib.loads((DATA / "truths.toml").read_text(encoding="utf-8"))[n] for n in ("06", "07"))
    total = {n: len(re.findall(r"^checks\.", checked(work, n), re.MULTILINE)) for n in ("06", "07")}
    assert progress.table().count(f"0 of {total['06']}") >= 1 and "✓" not in progress.table()
    for start in six:
        guesses.keep(f"{start} and so on?", 0.0)
    guesses.keep("What no chapter asks", 1.0)
    first, second = re.findall(r"^checks\.(\w+)", checked(work, "06"), re.MULTILINE)[:2]
    guesses.note(first, "✓", right=True)
    guesses.note(first, "✓ again", right=True)
    guesses.note(second, "no", right=False)
    open_chapter(monkeypatch, "07_distillation.ipynb")
    guesses.note(second, "✓", right=True)  # of another chapter
    with open(work / guesses.FOLDER / guesses.TRIES, "a", encoding="utf-8") as stream:
        stream.write('{"half\n[]\n{}\n')
    lines = progress.table().splitlines()
    assert lines[2].startswith("| [06 · ") and lines[2].endswith(f"| ✓ {len(six)} of {len(six)} | 1 of {total['06']} |")
    assert lines[3].endswith(f"| 0 of {len(seven)} | 0 of {total['07']} |")
    assert lines[4] == f"| **all** | {len(six)} of {len(six) + len(seven)} | 1 of {sum(total.values())} |"


def test_progress_reads_what_it_can(work, monkeypatch, tmp_path):
    (work / "06_layer_transfer.ipynb").write_text("{", encoding="utf-8")
    (work / guesses.FOLDER / guesses.KEPT).write_text("[", encoding="utf-8")
    assert "06_layer_transfer](06_layer_transfer.ipynb) | 0 of" in progress.table()
    monkeypatch.chdir(tmp_path.parent)
    assert progress.table() == progress.ELSEWHERE


def checked(work, number):
    """The sources of the cells that check, one after another."""
    (path,) = work.glob(f"{number}_*.ipynb")
    cells = nbformat.read(path, 4).cells
    return "\n".join(cell.source for cell in cells if "check" in cell.metadata.get("tags", ()))
