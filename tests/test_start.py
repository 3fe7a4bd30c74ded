"""The student's copy: what it holds, that nothing of hers is ever overwritten, and one sentence for whatever is odd."""

import json
import multiprocessing
import os
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_output
from notebook_maker import code, good, replace, text, write

from tlcourse.classroom import guesses
from tlcourse.workshop import NOTEBOOKS, ROOT, WorkshopError, start

NAME, NEW, OLD = "00_small.ipynb", "00_small (new).ipynb", "00_small (old).ipynb"


@pytest.fixture
def course(tmp_path):
    """A course of one chapter, as its author stored it."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    notebook = good()
    notebook.cells.insert(2, text("Do not say yet that it is 35.", slide="notes"))
    notebook.cells.insert(3, code("draw()", "figure"))
    notebook.cells.append(code("# Count both\nanswer = 35", "solution", jupyter={"source_hidden": True}))
    for number, cell in enumerate(cell for cell in notebook.cells if cell.cell_type == "code"):
        cell.execution_count = number + 1
        cell.outputs = [new_output("stream", text="35, as expected")]
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": {"35": {}}}}
    write(notebook, folder)
    return folder


@pytest.fixture
def give(course, tmp_path):
    """Hands chapters out, and gives the sentences."""

    def give(*numbers, work=tmp_path / "work", **options):
        return start.hand_out(numbers, work=work, source=course, **options)

    return give


def update(course, new="answer = 8"):
    """The author changes the chapter."""
    notebook = nbformat.read(course / NAME, as_version=4)
    notebook.cells.append(code(new))
    write(notebook, course)


def edit(path, change):
    """The student changes her copy and saves."""
    notebook = nbformat.read(path, as_version=4)
    change(notebook)
    nbformat.write(notebook, path)


def answers(notebook):
    replace(notebook, "print(6 * 7)", "print('my own work')")


def names(tmp_path):
    return sorted(path.name for path in (tmp_path / "work").iterdir() if path.name != guesses.FOLDER)


def sources(path):
    return "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)


# What she gets.


def test_copy_has_no_output_and_no_note_and_folded_solutions(give, tmp_path):
    assert give() == []
    file = tmp_path / "work" / NAME
    assert "35, as expected" not in file.read_text() and "Do not say yet" not in file.read_text()
    notebook = nbformat.read(file, as_version=4)
    nbformat.validate(notebook)
    assert "widgets" not in notebook.metadata
    assert all(cell.execution_count is None for cell in notebook.cells if cell.cell_type == "code")
    folded = {
        tag: [cell for cell in notebook.cells if tag in cell.metadata.tags] for tag in ("solution", "figure", "explore")
    }
    for cell in folded["solution"]:
        assert cell.metadata.jupyter == {"source_hidden": True, "outputs_hidden": True}
    firsts = [cell.source.splitlines()[0] for cell in folded["solution"]]
    assert firsts == ["# One solution", "# One solution", "# Count both"]
    assert folded["figure"][0].metadata.jupyter == {"source_hidden": True}
    assert "jupyter" not in folded["explore"][0].metadata


def test_the_solutions_of_the_copy_are_the_authors(give, course, tmp_path):
    give()
    hers, theirs = (sources(path / NAME).replace("# One solution\n", "") for path in (tmp_path / "work", course))
    assert hers == theirs.replace("Do not say yet that it is 35.\n", "")


def test_every_chapter_of_the_course_gives_nothing_away():
    for path in NOTEBOOKS.glob("*.ipynb"):
        source = nbformat.read(path, as_version=4)
        copy = start.student_copy(nbformat.read(path, as_version=4))
        nbformat.validate(copy)
        kept = [cell for cell in source.cells if cell.metadata.get("slideshow", {}).get("slide_type") != "notes"]
        assert [cell.id for cell in copy.cells] == [cell.id for cell in kept]
        assert not any(cell.get("outputs") for cell in copy.cells)
        solutions = [cell for cell in copy.cells if "solution" in cell.metadata.get("tags", ())]
        assert all(cell.source.startswith("#") for cell in solutions), path.name


def test_no_chapter_depends_on_the_folder_that_it_lies_in():
    for path in NOTEBOOKS.glob("*.ipynb"):
        assert "../" not in sources(path), f"{path.name} in work/ would look elsewhere"


# Another day, and an update.


def test_another_day_changes_nothing(give, tmp_path):
    give()
    edit(tmp_path / "work" / NAME, answers)
    before = {path: path.read_bytes() for path in (tmp_path / "work").rglob("*") if path.is_file()}
    assert give() == []
    assert before == {path: path.read_bytes() for path in (tmp_path / "work").rglob("*") if path.is_file()}


def saved_by_lab(notebook):
    notebook.metadata["language_info"] = {"name": "python", "version": "3.11.2"}
    notebook.cells[-1].metadata["jupyter"] = {"source_hidden": False}


@pytest.mark.parametrize("change", [lambda notebook: None, saved_by_lab])
def test_update_replaces_a_copy_that_nobody_worked_in(give, course, tmp_path, change):
    give()
    edit(tmp_path / "work" / NAME, change)
    update(course)
    assert give() == [] and names(tmp_path) == [NAME]
    assert "answer = 8" in sources(tmp_path / "work" / NAME)


def ran(notebook):
    notebook.cells[2].execution_count = 1


def shown(notebook):
    notebook.cells[2].outputs = [new_output("stream", text="mine")]


def wrote(notebook):
    notebook.cells.append(text("What I thought."))


@pytest.mark.parametrize("change", [answers, ran, shown, wrote, lambda notebook: notebook.cells.pop()])
def test_update_is_put_beside_her_work_and_said_once(give, course, tmp_path, change):
    give()
    mine = tmp_path / "work" / NAME
    edit(mine, change)
    before = mine.read_bytes()
    update(course)
    (sentence,) = give()
    assert NAME in sentence and NEW in sentence and "yours is left as it is" in sentence
    assert mine.read_bytes() == before and "answer = 8" in sources(mine.with_name(NEW))
    assert give() == [] and names(tmp_path) == [NEW, NAME]
    mine.with_name(NEW).unlink()  # she has seen it
    assert give() == [] and names(tmp_path) == [NAME]


def test_the_next_update_replaces_the_one_beside_unless_she_worked_in_that(give, course, tmp_path):
    give()
    mine = tmp_path / "work" / NAME
    edit(mine, answers)
    update(course)
    give()
    update(course, new="answer = 9")
    assert len(give()) == 1 and names(tmp_path) == [NEW, NAME]
    assert "answer = 9" in sources(mine.with_name(NEW))
    edit(mine.with_name(NEW), answers)
    update(course, new="answer = 10")
    (sentence,) = give()
    assert "00_small (new 2).ipynb" in sentence
    assert "my own work" in sources(mine) and "my own work" in sources(mine.with_name(NEW))


def test_she_takes_the_new_one_and_goes_on(give, course, tmp_path):
    give()
    mine = tmp_path / "work" / NAME
    edit(mine, answers)
    update(course)
    give()
    mine.with_name(NEW).replace(mine)
    assert give() == []
    update(course, new="answer = 9")
    assert give() == [] and names(tmp_path) == [NAME] and "answer = 9" in sources(mine)


def test_only_outputs_of_the_author_are_new(give, course, tmp_path):
    """A chapter that was only executed anew is no update."""
    give()
    edit(tmp_path / "work" / NAME, answers)
    edit(course / NAME, lambda notebook: notebook.cells[4].outputs.append(new_output("stream", text="more")))
    assert give() == [] and names(tmp_path) == [NAME]


# Begun anew.


def test_fresh_keeps_what_was_there(give, tmp_path):
    give()
    mine = tmp_path / "work" / NAME
    for n, name in enumerate((OLD, "00_small (old 2).ipynb")):
        edit(mine, lambda notebook, n=n: replace(notebook, "print(6 * 7)", f"print('try {n}')"))
        (sentence,) = give("00", fresh=True)
        assert name in sentence and f"try {n}" in sources(mine.with_name(name))
        assert "print(6 * 7)" in sources(mine)
    assert give("00", fresh=True) == [] and len(names(tmp_path)) == 3  # nothing was done in it


def test_fresh_asks_the_guesses_anew(give, tmp_path, monkeypatch):
    give()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("JPY_SESSION_NAME", NAME)
    guesses.keep("How many?", 1.0)
    give("00", fresh=True)
    monkeypatch.setattr(guesses, "_answers", {})
    assert guesses.recall("How many?") is None


def test_fresh_says_so_where_the_guesses_cannot_be_put_aside(give, tmp_path, monkeypatch):
    give()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("JPY_SESSION_NAME", NAME)
    guesses.keep("How many?", 1.0)
    (tmp_path / "work" / guesses.FOLDER / "guesses.lock").unlink(missing_ok=True)
    (tmp_path / "work" / guesses.FOLDER / "guesses.lock").mkdir()
    (sentence,) = give("00", fresh=True)
    assert sentence.startswith("The answers of chapter 00 stay as they were in ")


def test_fresh_wants_a_chapter(give):
    with pytest.raises(WorkshopError, match="Expected the chapters to begin anew, got none: name them"):
        give(fresh=True)


# Whatever is odd: one sentence, nothing lost.


def test_renamed_file_stays_and_the_chapter_is_handed_out_again(give, tmp_path):
    give()
    mine = tmp_path / "work" / NAME
    edit(mine, answers)
    mine.rename(mine.with_name("mine.ipynb"))
    (sentence,) = give()
    assert "was no longer there" in sentence and "my own work" in sources(mine.with_name("mine.ipynb"))
    assert names(tmp_path) == [NAME, "mine.ipynb"] and give() == []


NEWER = json.dumps({"nbformat": 9, "nbformat_minor": 0, "metadata": {}, "boxes": []})


@pytest.mark.parametrize("content", ["", "{", "[]", NEWER, '{"cells": [1]}', b"\xff\x00"])
def test_file_that_is_no_notebook_is_left_and_said(give, course, tmp_path, content):
    give()
    mine = tmp_path / "work" / NAME
    content = content if isinstance(content, bytes) else content.encode()
    mine.write_bytes(content)
    update(course)
    (sentence,) = give()
    assert "cannot be read as a notebook and is left as it is" in sentence and "start 00 --fresh" in sentence
    assert mine.read_bytes() == content and names(tmp_path) == [NAME]
    give("00", fresh=True)
    assert mine.with_name(OLD).read_bytes() == content and "answer = 8" in sources(mine)


def test_folder_of_that_name_is_left_and_said(give, tmp_path):
    (tmp_path / "work" / NAME).mkdir(parents=True)
    (sentence,) = give()
    assert "cannot be read as a notebook" in sentence and (tmp_path / "work" / NAME).is_dir()


def test_file_that_was_there_before_is_left_and_said_once(give, course, tmp_path):
    (tmp_path / "work").mkdir()
    before = write(good(), tmp_path / "work").read_bytes()
    (sentence,) = give()
    assert "was there before and is left as it is" in sentence
    assert (tmp_path / "work" / NAME).read_bytes() == before and give() == []
    update(course)
    assert len(give()) == 1 and names(tmp_path) == [NEW, NAME]


@pytest.mark.parametrize("damage", ["", '{"00_small.ipynb": {"subst', "[]", '{"a": 1}', b"\xff"])
def test_damaged_list_is_set_aside_and_nothing_overwritten(give, course, tmp_path, damage):
    give()
    mine, file = tmp_path / "work" / NAME, tmp_path / "work" / guesses.FOLDER / guesses.MANIFEST
    edit(mine, answers)
    before = mine.read_bytes()
    damage = damage if isinstance(damage, bytes) else damage.encode()
    file.write_bytes(damage)
    said = give()
    assert "handed_out-damaged-1.json" in said[0] and file.with_name("handed_out-damaged-1.json").read_bytes() == damage
    assert mine.read_bytes() == before and names(tmp_path) == [NAME] and give() == []


def test_lost_list_is_found_again_where_the_copy_is_still_the_authors(give, course, tmp_path):
    give()
    (tmp_path / "work" / guesses.FOLDER / guesses.MANIFEST).unlink()
    assert give() == []
    update(course)
    assert give() == [] and "answer = 8" in sources(tmp_path / "work" / NAME)


def test_file_in_the_folders_place_is_one_sentence(give, tmp_path):
    (tmp_path / "work").write_text("mine")
    with pytest.raises(WorkshopError, match="Expected a folder to write to at .*, got: .*TLCOURSE_WORK"):
        give()
    assert (tmp_path / "work").read_text() == "mine"


def test_folder_that_cannot_be_written_is_one_sentence(give, tmp_path, monkeypatch):
    def refused(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(start.Path, "mkdir", refused)  # root, who runs tests in containers, may write anywhere
    with pytest.raises(WorkshopError, match="Expected a folder to write to at .*, got: Permission denied"):
        give()


def test_full_disk_leaves_whole_files_and_remembers_them(give, course, tmp_path, monkeypatch):
    write(good(), course, "01_next.ipynb")
    save = start.notebooks.save

    def full(notebook, path):
        if path.name.startswith("01"):
            raise OSError(28, "No space left on device")
        save(notebook, path)

    monkeypatch.setattr(start.notebooks, "save", full)
    with pytest.raises(WorkshopError, match="got: No space left on device"):
        give()
    monkeypatch.undo()
    assert names(tmp_path) == [NAME] and give() == []
    assert names(tmp_path) == [NAME, "01_next.ipynb"]


def test_copy_that_is_broken_off_is_none(give, tmp_path, monkeypatch):
    broken_off = lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)  # noqa: E731
    monkeypatch.setattr("tlcourse.material.assets.atomic.os.replace", broken_off)
    with pytest.raises(KeyboardInterrupt):
        give()
    assert names(tmp_path) == []


KILLED = """
import itertools, os, pathlib, shutil, signal, sys
import filelock, nbconvert.preprocessors, nbformat  # once, and not in every child
from tlcourse.workshop import start

home, words = pathlib.Path(sys.argv[1]), sys.argv[2:]
rename, replace = os.rename, os.replace
for number in itertools.count():
    work, past = home / f"killed {number}", itertools.count()
    shutil.copytree(home / "work", work)

    def dying(move):
        def moved(*paths):
            moment = 2 * next(past)  # before a rename, and after it
            for now in (moment, moment + 1):
                if now == number:
                    os.kill(os.getpid(), signal.SIGKILL)
                if now == moment:
                    move(*paths)

        return moved

    child = os.fork()
    if not child:
        os.rename, os.replace = dying(rename), dying(replace)
        start.hand_out(words, fresh=bool(words), work=work, source=home / "notebooks")
        os._exit(0)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
        break
print(number)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forked, so that Python starts once for all deaths")
@pytest.mark.parametrize("words", [(), ("00",)])
def test_killed_at_any_moment_her_work_is_there_and_the_rest_comes_the_next_time(give, course, tmp_path, words):
    """Killed before and after each rename, by which alone files appear: of an update, and of a chapter begun anew."""
    write(good(), course, "01_next.ipynb")
    give()
    mine = tmp_path / "work" / NAME
    edit(mine, answers)
    hers = mine.read_bytes()
    (tmp_path / "work" / guesses.FOLDER / guesses.KEPT).write_text('{"00": {"How many?": 2.0}}')
    update(course)
    (course / "01_next.ipynb").write_bytes((course / NAME).read_bytes())
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), *words], capture_output=True, text=True, check=True
    )
    deaths = int(done.stdout)
    assert deaths >= 6
    for number in range(deaths):
        work = tmp_path / f"killed {number}"
        give(*words, fresh=bool(words), work=work)
        files = {path.name: path.read_bytes() for path in work.glob("*.ipynb")}
        assert hers in files.values() and {NAME, "01_next.ipynb", OLD if words else NEW} <= set(files)
        assert "answer = 8" in sources(work / (NAME if words else NEW))
        assert words or ("answer = 8" in sources(work / "01_next.ipynb") and len(files) == 3)
        assert give(work=work) == []
        assert '"How many?": 2.0' in (work / guesses.FOLDER / guesses.KEPT).read_text()


def hand_out(work, source):
    start.hand_out(work=work, source=source)


def test_eight_labs_at_once_hand_out_one_course(course, tmp_path):
    for number in range(1, 9):
        write(good(), course, f"0{number}_more.ipynb")
    eight = [
        multiprocessing.get_context("spawn").Process(target=hand_out, args=(tmp_path / "work", course))
        for _ in range(8)
    ]
    for process in eight:
        process.start()
    for process in eight:
        process.join()
    assert [process.exitcode for process in eight] == [0] * 8
    assert names(tmp_path) == sorted(path.name for path in course.iterdir())


def test_git_ignores_the_students_copy():
    ignored = ["git", "-C", str(ROOT), "check-ignore", "-q", f"work/{NAME}"]
    if subprocess.run(["git", "-C", str(ROOT), "rev-parse"], capture_output=True).returncode:
        pytest.skip("the course came without git")
    assert subprocess.run(ignored).returncode == 0
