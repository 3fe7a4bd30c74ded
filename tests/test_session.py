"""The set-up cell says nothing, needs no folder for temporary files, and helps who runs cells out of order."""

import json
import os
import subprocess
import sys
import tempfile

import pytest

from tlcourse.classroom import out_of_order, session
from tlcourse.workshop.kernels import Kernel, environment

# The set-up cell.

NOISE = "import os, sys\nfrom tlcourse.classroom import session\nwith session._without_native_noise():\n    {}"


@pytest.mark.parametrize(
    ("inside", "code", "said"),
    [("os.write(2, b'noise')", 0, ""), ("os.write(2, b'noise'); sys.exit(3)", 3, "noise")],
)
def test_noise_is_held_back_unless_the_start_fails(inside, code, said):
    done = subprocess.run([sys.executable, "-c", NOISE.format(inside)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (code, said)


def test_where_no_temporary_file_can_be_made_nothing_is_held_back(tmp_path, monkeypatch, capfd):
    with monkeypatch.context() as gone:  # pytest makes some itself, before and after
        gone.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
        with session._without_native_noise():
            os.write(2, b"noise")
        with pytest.raises(ZeroDivisionError) as error, session._without_native_noise():
            1 / 0  # noqa: B018
    assert capfd.readouterr().err == "noise"
    assert error.value.__context__ is None, "the reader is sent to the wrong error"


# Cells out of order.

CELLS = {
    "first": "%matplotlib inline\nimport numpy as np\nx = 1\ndef double(v):\n    return 2 * v",
    "unfinished": "answer = (",
    "words": "y = 1",
    "here": "z = double(x)",
    "below": "later = z",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Runs a source in a kernel of a notebook as JupyterLab does, in one of its cells; gives what came, by kind."""
    path = tmp_path_factory.mktemp("work") / "mine.ipynb"
    cells = [
        {"cell_type": "markdown" if name == "words" else "code", "id": name, "source": [source]}
        for name, source in CELLS.items()
    ]
    path.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    with Kernel(path.parent, env=environment(JPY_SESSION_NAME=str(path))) as kernel:

        def run(source, cell="here"):
            session, content = kernel.client.session, {"code": source, "silent": False, "store_history": False}
            sent = session.msg("execute_request", content, metadata={"cellId": cell})
            kernel.client.shell_channel.send(sent)
            came = {"error": [], "stream": []}
            while True:
                message = kernel.client.get_iopub_msg(timeout=60)
                if message["parent_header"].get("msg_id") == sent["header"]["msg_id"]:
                    came.setdefault(message["msg_type"], []).append(message["content"])
                    if message["content"].get("execution_state") == "idle":
                        return came["error"], "".join(part["text"] for part in came["stream"])

        run.before = run("double")[0]
        run("from tlcourse.classroom import out_of_order; out_of_order.advise()")
        yield run


@pytest.mark.parametrize("name", ["np", "x", "double"])
def test_a_name_that_an_earlier_cell_makes_is_told_below_the_error(run, name):
    (error,), said = run(name)
    assert error["ename"] == "NameError" and error["evalue"] == f"name '{name}' is not defined"
    assert said == out_of_order.ADVICE.format(name) + "\n"
    (_,), said = run(f"def f():\n    return {name}\nf()")
    assert said.startswith(f"`{name}` is made by an earlier cell")


def test_the_error_itself_stays_as_it_is(run):
    assert run("double")[0] == run.before != []


@pytest.mark.parametrize(
    ("source", "cell"),
    [
        ("pirnt", "here"),  # a typo
        ("answer", "here"),  # of a cell that is none yet
        ("y", "here"),  # of a cell that is text
        ("z", "here"),  # of this cell
        ("later", "here"),
        ("def f():\n    x += 1\nf()", "here"),  # a local name
        ("def f():\n    def g():\n        return x\n    g()\n    x = 1\nf()", "here"),  # the function's around it
        ("exec('x', {})", "here"),  # a library's
        ("x", "first"),
    ],
)
def test_no_other_error_is_told(run, source, cell):
    (error,), said = run(source, cell)
    assert error["ename"] in ("NameError", "UnboundLocalError") and said == ""


def test_without_a_notebook_to_look_into_only_the_error_is_shown(run):
    run("import os; kept = os.environ.pop('JPY_SESSION_NAME')")
    for there in ("gone.ipynb", __file__):
        run(f"os.environ['JPY_SESSION_NAME'] = {there!r}")
        assert [bool(part) for part in run("x")] == [True, False]
    run("os.environ['JPY_SESSION_NAME'] = kept")
    assert run("x", "a cell that was not saved yet")[1] == out_of_order.ADVICE.format("x") + "\n"


def test_the_set_up_cell_says_nothing_and_asks_for_the_advice(tmp_path):
    (tmp_path / "a.ipynb").write_text(json.dumps({"cells": [{"cell_type": "code", "id": "1", "source": "x = 1"}]}))
    with Kernel(tmp_path, env=environment(JPY_SESSION_NAME=str(tmp_path / "a.ipynb"))) as kernel:
        said = []
        for source in ("from tlcourse.classroom import session; session.begin()", "x"):
            kernel.client.execute_interactive(source, timeout=120, output_hook=said.append)
    assert [m["msg_type"] for m in said if m["msg_type"] in ("stream", "error")] == ["error", "stream"]
