"""Small notebooks for the tests of the harness: a good one, and ways to spoil it."""

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

PREAMBLE = """\
class NotYet(AssertionError):
    "Stands for tlcourse.classroom.checks.NotYet."


class checks:
    @staticmethod
    def bias(answer):
        if answer is ...:
            print("Set answer, then run this cell again.")
        elif answer == 28:
            raise NotYet("Did you forget the bias?")
        elif answer != 35:
            raise NotYet("Count the weights again.")"""

SLIDER = """\
import ipywidgets
from IPython.display import display

slider = ipywidgets.IntSlider(value=5, min=1, max=9, description="n")
shown = ipywidgets.HTML()


def show(change):
    shown.value = f"<b>{10 / slider.value:.2f}</b>"


slider.observe(show, "value")
display(ipywidgets.VBox([slider, shown]))"""

WRONG = "".join(
    f"""
[[00_small.{exercise}]]
why = "forgets the bias"
code = "answer = 28"
hint = "bias"
[[00_small.{exercise}]]
why = "counts the neurons"
code = "answer = 7"
hint = "weights"
"""
    for exercise in ("bias", "bias-2")
)


FOLDED = {"source_hidden": True, "outputs_hidden": True}


def code(source, *tags, **metadata):
    """A code cell with tags."""
    return new_code_cell(source, metadata={"tags": list(tags), **metadata})


def text(source, *tags, slide="slide"):
    """A markdown cell with tags."""
    return new_markdown_cell(source, metadata={"tags": list(tags), "slideshow": {"slide_type": slide}})


def good():
    """A notebook that keeps every rule about what it does (not those about how long it is); not yet executed."""
    kernelspec = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    return new_notebook(
        metadata={"kernelspec": kernelspec},
        cells=[
            text("# How many parameters?"),
            text("You will\n\n- count parameters\n", "goals"),
            code(PREAMBLE),
            code("guess = 3", "predict"),
            code(SLIDER, "explore"),
            code("slider.value = 2\nassert '5.00' in shown.value", "verify"),
            code("print(6 * 7)", "lesson"),
            code("answer = ...", "exercise", tlcourse={"goals": [1]}),
            code("checks.bias(answer)", "check"),
            code("# One solution\nanswer = 35\nchecks.bias(answer)", "solution", jupyter=FOLDED),
            code("answer = ...", "exercise", "bug-hunt", tlcourse={"goals": [1]}),
            code("checks.bias(answer)", "check"),
            code("# One solution\nanswer = 35\nchecks.bias(answer)", "solution", jupyter=FOLDED),
        ],
    )


def replace(notebook, old, new):
    """Replace text in the one code cell that has it, and give that cell back."""
    (cell,) = [cell for cell in notebook.cells if old in cell.source]
    cell.source = cell.source.replace(old, new)
    return cell


def write(notebook, folder, name="00_small.ipynb"):
    """Write a notebook into a folder and give its path."""
    path = folder / name
    nbformat.write(notebook, path)
    return path
