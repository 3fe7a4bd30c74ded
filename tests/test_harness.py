"""The harness is fed notebooks with one thing wrong in each, and must say so; a good one must pass."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import notebook_rules as rules
import psutil
import pytest
from nbformat.v4 import new_output
from notebook_maker import WRONG, code, good, replace, text, write

from tlcourse.workshop import WorkshopError, notebooks
from tlcourse.workshop.kernels import Kernel

TESTS = Path(__file__).parent


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """The good notebook with its outputs, made once; a fresh copy for each test."""
    path = write(good(), tmp_path_factory.mktemp("good"))
    run = notebooks.execute(path)
    assert run.errors == []
    return lambda: nbformat.read(path, as_version=4)


@pytest.fixture
def student(tmp_path):
    """Runs a notebook as `make notebooks` does, and gives pytest's exit status, what it said, and its counts."""

    def run(notebook, wrong=WRONG, *, cut=()):
        write(notebook, tmp_path)
        (tmp_path / "wrong.toml").write_text(wrong, encoding="utf-8")
        (tmp_path / "pytest.ini").write_text("[pytest]\n")
        command = [sys.executable, *cut, "-m", "pytest", "-p", "notebook_plugin", "--nbval", "--nbval-current-env"]
        if cut:
            command[-6:-6] = ["--", sys.executable]
        options = ["--nbval-cell-timeout=60", "--wrong-answers", "wrong.toml", "-rA", "--color=no", "00_small.ipynb"]
        env = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (TESTS, TESTS.parent)))}  # this very checkout
        done = subprocess.run([*command, *options], cwd=tmp_path, env=env, capture_output=True, text=True)
        counts = {kind: int(n) for n, kind in re.findall(r"(\d+) (passed|failed|error)", done.stdout.splitlines()[-1])}
        return done.returncode, done.stdout, counts

    return run


def test_good_notebook_passes_with_all_its_extra_items(student, executed):
    status, said, counts = student(executed())
    # 11 code cells; a table and two wrong answers for each of two exercises; the slider; whatever is left at the end
    assert (status, counts) == (0, {"passed": 11 + 2 + 4 + 1 + 1}), said


def test_failing_callback_of_a_slider_is_caught(student, executed):
    notebook = executed()
    replace(notebook, "10 / slider.value", "10 / (9 - slider.value)")  # fails at the maximum only
    replace(notebook, "assert '5.00'", "assert '1.43'")
    status, said, counts = student(notebook)
    assert (status, counts["failed"]) == (1, 1), said
    assert "IntSlider 'n', 9: ZeroDivisionError" in said
    assert "00_small.ipynb, Cell 2: every control" in said


def test_failing_click_is_caught(student, executed):
    notebook = executed()
    replace(
        notebook, "display(", "button = ipywidgets.Button(description='go')\nbutton.on_click(lambda _: 1 / 0)\ndisplay("
    )
    status, said, _ = student(notebook)
    assert status == 1
    assert "Button 'go', clicked: ZeroDivisionError" in said


def test_callback_hung_on_a_control_by_a_later_cell_is_caught(student, executed):
    notebook = executed()
    late = code("slider.observe(lambda change: [1, 2, 3][change.new], 'value')")
    notebook.cells.append(late)
    status, said, _ = student(notebook)
    assert status == 1
    assert "End: every control" in said and "IndexError" in said


def test_output_widget_is_refused_for_it_swallows_errors(student, executed):
    notebook = executed()
    replace(notebook, "display(", "out = ipywidgets.Output()\ndisplay(out, ")
    status, said, _ = student(notebook)
    assert status == 1
    assert "swallows the errors" in said


def test_controls_are_put_back(student, executed):
    notebook = executed()
    notebook.cells.append(code("assert slider.value == 2"))
    status, said, _ = student(notebook)
    assert status == 0, said


def test_stale_output_is_caught_unless_its_cell_is_live(student, executed):
    notebook = executed()
    (cell,) = [cell for cell in notebook.cells if cell.source == "print(6 * 7)"]
    cell.outputs[0].text = "41\n"
    status, said, counts = student(notebook)
    assert (status, counts["failed"]) == (1, 1), said
    assert "00_small.ipynb, cell [5]: the file stores '41', and a run gives '42'; run `python -m tlcourse run" in said
    cell.metadata.tags.append("live")
    status, said, _ = student(notebook)
    assert status == 0, said


def test_a_moved_control_is_no_guess(student, executed, tmp_path):
    notebook = executed()
    ask = "from tlcourse.classroom import widgets\nguess = widgets.Prediction('How many?')\nguess"
    notebook.cells += [code(ask), code("print(guess.value)")]
    write(notebook, tmp_path)
    assert notebooks.execute(tmp_path / "00_small.ipynb").errors == []
    status, said, _ = student(nbformat.read(tmp_path / "00_small.ipynb", as_version=4))
    assert status == 0, said


def test_costs_of_the_run_are_told(student, executed):
    said = student(executed())[1]
    line = next(line for line in said.splitlines() if re.match(r"00_small +\d+ of 60", line))
    assert re.search(r"0\.\d\d of 1\.5 .* ms, IntSlider 'n'", line), line


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("elif answer == 28", "elif False", "got another hint than 'bias'"),
        ("if answer is ...", "if True", "was accepted"),
        ('raise NotYet("Did', 'raise TypeError("Did', "was not refused with NotYet; the check raised TypeError"),
    ],
    ids=["wrong hint", "vacuous", "other error"],
)
def test_weak_check_is_caught(student, executed, old, new, complaint):
    notebook = executed()
    replace(notebook, old, new)
    status, said, _ = student(notebook)
    assert status == 1
    assert complaint in said


def test_exercise_with_one_wrong_answer_is_caught(student, executed):
    one = WRONG.split("[[00_small.bias]]")
    status, said, counts = student(executed(), "[[00_small.bias]]".join([one[0], one[2]]))
    assert (status, counts["failed"]) == (1, 1), said
    assert "bias, its table: 1 wrong answers, at least 2 needed" in said


NUMERIC = """\
from tlcourse.classroom.checks.core import Question, numeric


class checks:
    @staticmethod
    @numeric
    def bias(inputs):
        return Question(7 * inputs, {28: "Did you forget the bias?", 7: "Count the weights again."}, "No.", "{}.")"""


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("", "", None),
        ("{28:", "{35:", "1 wrong answers, at least 2 needed"),
        ("@numeric", "@spoilt", "was accepted"),
        ("@numeric", "@strict", "the truth (answer = 35.0) was refused: Never"),
    ],
    ids=["good", "one", "vacuous", "strict"],
)
def test_wrong_answers_of_a_numeric_check_come_from_its_own_table(student, executed, old, new, complaint):
    notebook = executed()
    preamble = NUMERIC.replace(old, new)
    for name, body in {"spoilt": "'✓'", "strict": "core.require(answer == 28, 'Never')"}.items():
        made = f"from tlcourse.classroom.checks import core\n\n\ndef {name}(question):\n    check = core.exercise("
        made += f"lambda answer, *rest: {body})\n    check.question = question\n    return check\n\n\n"
        preamble = made + preamble if name in new else preamble
    replace(notebook, "class NotYet", "").source = preamble
    for cell in notebook.cells:
        cell.source = cell.source.replace("checks.bias(answer)", "checks.bias(answer, 5)")
        if "checks.bias" in cell.source:  # this check says other words than the one whose outputs are stored
            cell.metadata.update(tags=[*cell.metadata.tags, "live"], tlcourse={"live": "another check"})
        if "solution" in cell.metadata.tags and "strict" in new:
            cell.source = "answer = 28\nchecks.bias(answer, 5)"
    status, said, _ = student(notebook, wrong="")
    assert (status == 0) == (complaint is None), said
    assert complaint is None or complaint in said


def test_wrong_answers_to_a_check_that_is_gone_are_caught(student, executed):
    status, said, _ = student(executed(), WRONG + "\n[[00_small.gone]]\nwhy = 'x'\ncode = 'x'\nhint = 'x'\n")
    assert status == 1
    assert "['gone']" in said


def test_wrong_answer_leaves_no_name_behind(student, executed):
    notebook = executed()
    notebook.cells.append(code("assert 'helper' not in globals() and answer == 35"))
    status, said, _ = student(notebook, WRONG.replace('"answer = 7"', '"helper = 7; answer = helper"'))
    assert status == 0, said


@pytest.mark.parametrize("way", [[], ["--guard"]], ids=["best", "guard"])
def test_network_call_is_caught(student, executed, way):
    notebook = executed()
    # Sends nothing even where it is allowed; and there it passes, so that only the cut can fail it.
    call = "import socket\nsocket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('192.0.2.1', 9))"
    notebook.cells.append(code(call))
    status, said, counts = student(notebook, cut=["-m", "tlcourse.workshop.offline", *way])
    assert (status, counts["failed"]) == (1, 1), said
    assert "Network is unreachable" in said or "The network is cut off here" in said


def test_good_notebook_passes_with_the_network_cut(student, executed):
    status, said, _ = student(executed(), cut=["-m", "tlcourse.workshop.offline"])
    assert status == 0, said


# What the static rules must catch: each breaks exactly the one rule, and the good notebook none.

LONG = {rules.cells_are_as_many_as_agreed, rules.words_match_code}  # the small notebook is no whole chapter


def broken(notebook, tmp_path):
    path = write(notebook, tmp_path)
    found = nbformat.read(path, as_version=4)
    return {rule for rule in rules.RULES if list(rule(path, found))} - LONG


def test_good_notebook_keeps_the_rules(executed, tmp_path):
    assert broken(executed(), tmp_path) == set()


def html(source):
    return new_output("display_data", data={"text/html": source, "text/plain": "a figure"})


def pad(notebook, statements, *, of):
    """Make some code cells as long as said, and change nothing that another rule looks at."""
    for cell in [c for c in notebook.cells if c.cell_type == "code" and "check" not in c.metadata.tags][-of:]:
        cell.source += "\n0" * statements


def fold(cell, source, *, hidden=True):
    """Make a cell a figure's, folded or not."""
    cell.metadata.tags.append("figure")
    cell.metadata.jupyter = {"source_hidden": hidden}
    cell.source = source


def five_goals(notebook):
    notebook.cells[1].source = "- a\n- b\n- c\n- d\n- e"
    notebook.cells[7].metadata.tlcourse.goals = [1, 2, 3, 4, 5]


SPOILT = {
    "not run": (rules.is_executed, lambda nb: nb.cells[2].update(execution_count=None)),
    "run out of order": (rules.is_executed, lambda nb: nb.cells[2].update(execution_count=9)),
    "stores a warning": (
        rules.is_executed,
        lambda nb: nb.cells[2].outputs.append(new_output("stream", name="stderr", text="Warning: old")),
    ),
    "picture without alt": (
        rules.pictures_have_alt_text,
        lambda nb: nb.cells[2].outputs.append(html("<figure><img src='data:image/png;base64,AAAA'></figure>")),
    ),
    "empty alt": (
        rules.pictures_have_alt_text,
        lambda nb: nb.cells[2].outputs.append(html('<img alt="" src="data:image/png;base64,AAAA">')),
    ),
    "bare png": (
        rules.pictures_have_alt_text,
        lambda nb: nb.cells[2].outputs.append(new_output("display_data", data={"image/png": "AAAA"})),
    ),
    "no question": (rules.title_asks, lambda nb: nb.cells[0].update(source="# Parameters")),
    "five goals": (rules.goals_are_few, five_goals),
    "goal without an exercise": (
        rules.goals_have_exercises,
        lambda nb: nb.cells[1].update(source="- count\n- freeze"),
    ),
    "exercise without a goal": (rules.goals_have_exercises, lambda nb: nb.cells[7].metadata.pop("tlcourse")),
    "exercise for a goal that is not there": (
        rules.goals_have_exercises,
        lambda nb: nb.cells[7].metadata.tlcourse.update(goals=[1, 2]),
    ),
    "hidden slide": (rules.cells_are_slides, lambda nb: nb.cells[2].metadata.update(slideshow={"slide_type": "-"})),
    "half a slide": (rules.cells_are_slides, lambda nb: nb.cells[2].metadata.update(slideshow={})),
    "solution lost": (rules.exercises_are_trios, lambda nb: nb.cells[9].metadata.update(tags=[])),
    "solution in sight": (rules.solutions_give_nothing_away, lambda nb: nb.cells[9].metadata.pop("jupyter")),
    "solution's output in sight": (
        rules.solutions_give_nothing_away,
        lambda nb: nb.cells[9].metadata.jupyter.pop("outputs_hidden"),
    ),
    "solution's first line": (
        rules.solutions_give_nothing_away,
        lambda nb: nb.cells[9].update(source="answer = 35\nchecks.bias(answer)"),
    ),
    "nothing blank": (rules.exercises_are_trios, lambda nb: nb.cells[7].update(source="answer = 35")),
    "solution needed": (rules.solutions_stay_inside, lambda nb: nb.cells[6].update(source="answer = 1\nprint(answer)")),
    "long cell": (rules.cells_are_short, lambda nb: nb.cells[6].update(source="\n".join(["print(6 * 7)"] * 21))),
    "long function": (rules.cells_are_short, lambda nb: nb.cells[6].update(source="def f():\n" + "    f()\n" * 20)),
    "many long cells": (rules.cells_are_short, lambda nb: pad(nb, 9, of=2)),
    "longish cells": (rules.cells_are_short, lambda nb: pad(nb, 4, of=8)),
    "golf": (rules.cells_are_formatted, lambda nb: nb.cells[6].update(source="print(6 * 7)  # fmt: skip")),
    "figure in full": (rules.figures_are_folded, lambda nb: fold(nb.cells[6], "# Figure: six\nprint(6)", hidden=False)),
    "figure without a word": (rules.figures_are_folded, lambda nb: fold(nb.cells[6], "print(6)")),
    "live without reason": (rules.live_cells_say_why, lambda nb: nb.cells[6].metadata.tags.append("live")),
    "reason without live": (
        rules.live_cells_say_why,
        lambda nb: nb.cells[6].metadata.update(tlcourse={"live": "it trains on this machine"}),
    ),
    "zero is none": (
        rules.zero_is_a_guess,
        lambda nb: nb.cells[6].update(source="print(f\"you guessed {slider.value or 'none'}\")"),
    ),
    "no lesson": (rules.parts_are_there, lambda nb: nb.cells[6].metadata.tags.remove("lesson")),
    "typed number": (rules.numbers_are_computed, lambda nb: nb.cells[1].update(source="- reach 93.5 %")),
    "no verify": (rules.parts_are_there, lambda nb: nb.cells[5].metadata.update(tags=[])),
    "verifies nothing": (rules.parts_are_there, lambda nb: nb.cells[5].update(source="slider.value = 2")),
    "absolute path": (rules.paths_are_relative, lambda nb: nb.cells[1].update(source="- open /home/ann/x.png")),
    "other kernel": (rules.kernel_is_python3, lambda nb: nb.metadata.kernelspec.update(name="my-env")),
    "dead link": (rules.links_resolve, lambda nb: nb.cells[1].update(source="- see [that](99_gone.ipynb)")),
    "dead anchor": (rules.links_resolve, lambda nb: nb.cells[1].update(source="- see [it](00_small.ipynb#Gone)")),
    "fat widget state": (rules.file_is_small, lambda nb: nb.metadata.update(widgets={"x": "y" * 400_000})),
    "twin ids": (rules.cells_have_their_own_ids, lambda nb: nb.cells[2].update(id=nb.cells[3].id)),
}


@pytest.mark.filterwarnings("ignore::nbformat.warnings.DuplicateCellId")
@pytest.mark.parametrize("what", SPOILT)
def test_spoilt_notebook_breaks_its_rule(executed, tmp_path, what):
    rule, spoil = SPOILT[what]
    notebook = executed()
    spoil(notebook)
    if what == "solution needed":
        notebook.cells[6].source = "print(6 * 7)"
        notebook.cells.append(code("print(answer)"))
        notebook.cells[-1].execution_count = 12
    if what == "twin ids":  # nbformat would mend it on writing
        path = write(executed(), tmp_path)
        assert list(rule(path, notebook))
        return
    assert broken(notebook, tmp_path) == {rule}


def test_a_folded_figure_and_a_live_cell_with_its_reason_keep_the_rules(executed, tmp_path):
    notebook = executed()
    fold(notebook.cells[6], "# Figure: six times seven\nprint(6 * 7)")
    notebook.cells[6].metadata.tags.append("live")
    notebook.cells[6].metadata.tlcourse = {"live": "it reads a clock"}
    notebook.cells.append(text("Seen as a slide.", slide="subslide"))
    assert broken(notebook, tmp_path) == set()


def test_prose_may_quote_link_and_compute(executed, tmp_path):
    notebook = executed()
    notebook.cells.append(text("> The lecture says 86.8 %.\n\n`x = 0.5`, $p = 0.5$, [it](https://a.org/1.5/x)\n"))
    assert broken(notebook, tmp_path) == set()


# Executing in place.


def test_callback_error_that_is_only_shown_fails_the_run(tmp_path):
    notebook = good()
    click = "button = ipywidgets.Button()\nbutton.on_click(lambda _: 1 / 0)\nbutton.click()"
    notebook.cells.append(code(click))
    path = write(notebook, tmp_path)
    before = path.read_bytes()
    run = notebooks.execute(path)
    assert run.failed and "ZeroDivisionError" in run.errors[0]
    assert path.read_bytes() == before, "a notebook that failed must be left as it was"


def test_error_inside_an_output_widget_fails_the_run(tmp_path):
    notebook = good()
    inside = "out = ipywidgets.Output()\ndisplay(out)\nwith out:\n    1 / 0"
    notebook.cells.append(code(inside))
    run = notebooks.execute(write(notebook, tmp_path))
    assert run.failed and "ZeroDivisionError" in run.errors[0]


def test_dead_kernel_is_told(tmp_path):
    notebook = good()
    notebook.cells.append(code("import os\nos._exit(1)"))
    run = notebooks.execute(write(notebook, tmp_path))
    assert "the kernel died" in run.errors[0]


RUN = """
import os, pathlib, signal, sys
from tlcourse.workshop import notebooks
if sys.argv[2] == "rename":
    os.replace = lambda *paths: os.kill(os.getpid(), signal.SIGKILL)
notebooks.execute(pathlib.Path(sys.argv[1]))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal here")
@pytest.mark.parametrize("moment", ["cell", "rename"])
def test_a_killed_run_leaves_the_notebook_as_it_was_and_no_kernel(tmp_path, moment):
    notebook = good()
    note = "import os, pathlib, signal, time\npathlib.Path('pid').write_text(str(os.getpid()))"
    # In the middle of a cell it is the kernel that kills who started it, and has much to do still.
    kill = "\nos.kill(os.getppid(), signal.SIGKILL)\ntime.sleep(600)" if moment == "cell" else ""
    notebook.cells.append(code(note + kill))
    path = write(notebook, tmp_path)
    before = path.read_bytes()
    done = subprocess.run([sys.executable, "-c", RUN, str(path), moment])
    assert done.returncode == -signal.SIGKILL and path.read_bytes() == before
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(int((tmp_path / "pid").read_text())).wait(60)
    parts = {file.name for file in tmp_path.iterdir()} - {path.name, "pid"}  # the next run clears one away, a day later
    assert [part.endswith(".tmp") for part in parts] == [True] * (moment == "rename")


def test_two_runs_write_the_same_bytes(tmp_path):
    path = write(good(), tmp_path)
    notebooks.execute(path)
    first = path.read_bytes()
    again = notebooks.execute(path)
    assert path.read_bytes() == first
    assert again.changed == []
    assert b'"widgets"' in first, "a reader without a kernel still sees the slider"
    assert [p.name for p in tmp_path.iterdir()] == ["00_small.ipynb"]


def test_check_writes_nothing_and_tells_what_changed(tmp_path, executed):
    notebook = executed()
    (index,) = [i for i, cell in enumerate(notebook.cells) if cell.source == "print(6 * 7)"]
    notebook.cells[index].outputs[0].text = "41\n"
    path = write(notebook, tmp_path)
    before = path.read_bytes()
    run = notebooks.execute(path, write=False)
    assert (run.changed, run.failed) == (["cell [5]: the file stores '41', and a run gives '42'"], False)
    assert notebooks.run_all([], check=True, folder=tmp_path) == 1
    assert path.read_bytes() == before


def test_a_cell_that_gives_another_number_when_it_is_run_again_is_named(tmp_path):
    notebook = good()
    once = "if 'here' in globals():\n    raise ValueError('Once is enough.')\nhere = True"
    notebook.cells += [code("found = []"), code(once), code("found.append(1)\nprint(len(found))")]
    path = write(notebook, tmp_path)
    assert not notebooks.execute(path).errors
    before, last = path.read_bytes(), sum(cell.cell_type == "code" for cell in notebook.cells)
    assert notebooks.execute(path, write=False).changed == []
    again = notebooks.execute(path, write=False, twice=True)
    assert again.changed == [f"cell [{last}]: the file stores '1', and a run gives '2'"]
    assert again.errors == [f"cell [{last - 1}], run again: ValueError: Once is enough."]
    assert path.read_bytes() == before


def test_peak_memory_is_seen(tmp_path):
    notebook = good()
    notebook.cells.append(code("block = bytes(bytearray(300_000_000))\ndel block"))
    run = notebooks.execute(write(notebook, tmp_path))
    assert 300e6 < run.memory < notebooks.MEMORY


def test_memory_over_the_budget_fails_and_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(notebooks, "MEMORY", 10e6)
    path = write(good(), tmp_path)
    before = path.read_bytes()
    assert notebooks.run_all([], folder=tmp_path) == 1
    assert path.read_bytes() == before


def test_select_knows_numbers_and_refuses_others(tmp_path):
    write(good(), tmp_path, "00_a.ipynb")
    write(good(), tmp_path, "02_b.ipynb")
    assert [p.name for p in notebooks.select(["2"], tmp_path)] == ["02_b.ipynb"]
    with pytest.raises(WorkshopError, match="no notebook 07; choose from 00, 02"):
        notebooks.select(["07"], tmp_path)


# Driving.


@pytest.mark.parametrize(
    ("control", "values"),
    [
        ("IntSlider(min=1, max=9)", [1, 5, 9]),
        ("FloatSlider(min=0, max=1, step=0.1)", [0.0, 0.5, 1.0]),
        ("FloatLogSlider(min=-3, max=1)", [0.001, 0.1, 10.0]),
        ("Dropdown(options=[('a', 7), ('b', 8)])", [7, 8]),
        ("SelectionSlider(options=['u', 'v', 'w'])", ["u", "v", "w"]),
        ("SelectMultiple(options=['u', 'v'])", [["u"], ["v"], ["u", "v"], []]),
        ("Checkbox(value=True)", [False, True]),
        ("IntRangeSlider(min=0, max=9, value=(2, 4))", [[0, 0], [0, 9], [9, 9], [2, 4]]),
    ],
)
def test_control_goes_over_its_range(control, values, tmp_path):
    with Kernel(tmp_path) as kernel:
        kernel.run(f"import json, ipywidgets\nseen = []\ncontrol = ipywidgets.{control}")
        kernel.run("control.observe(lambda change: seen.append(change.new), 'value')")
        (report,) = kernel.ask("widget_driver.drive()")
        assert report["problems"] == []
        seen = kernel.ask("json.dumps(seen)")
        assert all(any(value == pytest.approx(s) for s in seen) for value in values), seen
        assert kernel.ask("widget_driver.drive()") == [], "what was driven is not driven twice"
