"""Adds to nbval what a student does beyond running all cells: wrong answers, and every control of every widget.

`pytest --nbval notebooks` runs each notebook's cells unchanged. In the same kernel, at their place:

* after each blank `check` cell, each wrong answer for it must be refused with its hint: those of a numeric check come
  from its own table, computed in the kernel (and its truth must be accepted), code from `tests/wrong_answers.toml`;
* after each cell that shows widgets, every control is moved over its range, and a callback's error fails the item.
"""

import ast
import json
import re
import tomllib
from pathlib import Path

import pytest
from nbval.plugin import IPyNbCell

from tlcourse.workshop import NOTEBOOKS, WorkshopError, kernels, outputs, site_states

CHECK_CALL = re.compile(r"\bchecks\.([\w.]+)\(")
WIDGET = "application/vnd.jupyter.widget-view+json"
LEAST = 2

pytest_plugins = ["output_comparison"]


def pytest_addoption(parser):
    parser.getgroup("nbval").addoption(
        "--wrong-answers",
        type=Path,
        default=Path(__file__).with_name("wrong_answers.toml"),
        help="TOML file of the answers that each exercise must refuse",
    )


def pytest_collection_modifyitems(config, items):
    if not any(isinstance(item, IPyNbCell) for item in items):
        return
    table = tomllib.loads(config.getoption("--wrong-answers").read_text(encoding="utf-8"))
    full = []
    for index, item in enumerate(items):
        full.append(item)
        if not isinstance(item, IPyNbCell):
            continue
        answers = table.get(item.parent.path.stem, {})
        full += wrong_answers(item, answers) + controls(item)
        last = index + 1 == len(items) or items[index + 1].parent is not item.parent
        if last:
            full += closing_items(item, answers)
    items[:] = full


def wrong_answers(item, answers):
    """The items that follow a blank check cell, which is one that comes straight after its exercise."""
    if "check" not in tags(item.cell):
        return []
    cells = code_cells(item.parent.nb)
    blank = cells[item.cell_num - 1] if item.cell_num else None
    if blank is None or "exercise" not in tags(blank):
        return [complain(item, "check", "the code cell before a `check` cell must be tagged `exercise`")]
    name = check_names(item.parent.nb).get(item.cell_num)
    if name is None:
        return [complain(item, "check", "a `check` cell must call checks.<topic>(answer)")]
    wrong = answers.get(name, [])
    place = {"cell": item, "blank": blank}
    table = Table.from_parent(item.parent, name=f"Cell {item.cell_num}: {name}, its table", more=len(wrong), **place)
    return [table] + [
        WrongAnswer.from_parent(
            item.parent, name=f"Cell {item.cell_num}: {name}, wrong answer {n}", wrong=entry, **place
        )
        for n, entry in enumerate(wrong, start=1)
    ]


def controls(item):
    """An item that drives the widgets which the cell showed when the notebook was recorded."""
    if any(WIDGET in output.get("data", {}) for output in item.cell.get("outputs", [])):
        return [Controls.from_parent(item.parent, name=f"Cell {item.cell_num}: every control", cell=item)]
    return []


def closing_items(item, answers):
    """What only the whole notebook can tell: controls not yet driven, and answers to checks that are no more."""
    unknown = sorted(set(answers) - set(check_names(item.parent.nb).values()))
    lost = [complain(item, "wrong answers", f"wrong_answers.toml names checks that are not here: {unknown}")]
    return [Controls.from_parent(item.parent, name="End: every control", cell=item), *(lost if unknown else [])]


def tags(cell):
    """The tags of a cell."""
    return cell.metadata.get("tags", [])


def code_cells(notebook):
    """The code cells, whose order is nbval's cell number."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def check_names(notebook):
    """Cell number -> name of the check, for blank check cells; a topic's second exercise is `topic-2`."""
    names, seen = {}, {}
    for number, cell in enumerate(code_cells(notebook)):
        call = CHECK_CALL.search(cell.source)
        if "check" in tags(cell) and call:
            topic = call[1].replace(".", "-")
            seen[topic] = seen.get(topic, 0) + 1
            names[number] = topic if seen[topic] == 1 else f"{topic}-{seen[topic]}"
    return names


def complain(item, about, sentence):
    """An item that fails with a sentence."""
    return Complaint.from_parent(item.parent, name=f"Cell {item.cell_num}: {about}", cell=item, sentence=sentence)


class Failed(Exception):
    """What an extra item found; shown without a traceback of the plugin's own."""


class Extra(pytest.Item):
    """An item beside nbval's own cells, in the kernel of the same notebook."""

    def __init__(self, *, cell, **rest):
        super().__init__(**rest)
        self.cell = cell

    def setup(self):
        if self.parent.timed_out:
            pytest.xfail("an earlier cell ran out of time")

    def ask(self, expression):
        """Question the notebook's kernel."""
        timeout = self.config.option.nbval_cell_timeout
        try:
            return kernels.ask(self.parent.kernel.kc, expression, timeout=timeout)
        except WorkshopError as error:
            raise Failed(str(error)) from None

    def repr_failure(self, excinfo, style=None):
        """One paragraph: notebook, cell, what happened."""
        if isinstance(excinfo.value, Failed):
            return f"{self.parent.path.name}, {self.name}: {excinfo.value}\n\n{self.cell.cell.source}"
        return super().repr_failure(excinfo, style)

    def reportinfo(self):
        """File, line, name."""
        return self.path, 0, f"{self.parent.path.name}::{self.name}"


class Complaint(Extra):
    """Something is wrong with the notebook itself."""

    def __init__(self, *, sentence, **rest):
        super().__init__(**rest)
        self.sentence = sentence

    def runtest(self):
        """Fail."""
        raise Failed(self.sentence)


class Answer(Extra):
    """An answer in the place of a blank, and the check that follows it."""

    def __init__(self, *, blank, **rest):
        super().__init__(**rest)
        self.blank = blank

    def give(self, code):
        """Run an answer and the check; the blank comes back afterwards. What happened, as `try_answer` tells it."""
        sources = ", ".join(repr(s) for s in (code, self.cell.cell.source, self.blank.source))
        return self.ask(f"widget_driver.try_answer({sources})")

    def refuse(self, code, hint, why):
        """Fail unless an answer is refused with the hint."""
        found = self.give(code)
        said = f"{found['error']}: {found['message']}"
        story = f"the wrong answer ({why})\n    {code.strip()}\n"
        if found["stage"] is None:
            raise Failed(f"{story}was accepted: the check is too weak, or the answer is right")
        if not found["refused"]:
            raise Failed(f"{story}was not refused with NotYet; the {found['stage']} raised {said}")
        if hint not in found["message"]:
            raise Failed(f"{story}got another hint than {hint!r}: {said}")


class Table(Answer):
    """A numeric check takes its truth, as computed here and as it shows it, and refuses its own misconceptions."""

    def __init__(self, *, more, **rest):
        super().__init__(**rest)
        self.more = more

    def runtest(self):
        """Ask the check for its table, with the arguments of the cell, and try all of it."""
        calls = [node for node in ast.walk(ast.parse(self.cell.cell.source)) if isinstance(node, ast.Call)]
        (call,) = [node for node in calls if CHECK_CALL.match(f"{ast.unparse(node.func)}(")]
        given = ", ".join(ast.unparse(part) for part in [call.func, *call.args[1:], *call.keywords])
        core = "__import__('tlcourse.classroom.checks.core', fromlist=['told'])"
        table = self.ask(f"{core}.told({given})") or {"wrong": []}
        shown = [format(table["truth"], f".{table['decimals']}f")] if "truth" in table else []
        truths = [table["truth"], float(*shown)] if shown else []  # here a misconception may happen to be the truth
        wrong = [(w, hint) for w, hint in table["wrong"] if min(abs(w - truth) for truth in truths) > 1e-6]
        count = self.more + len(wrong)
        if count < LEAST:
            raise Failed(f"{count} wrong answers, at least {LEAST} needed: put them in its table, or in the TOML file")
        answer = ast.unparse(call.args[0])
        for right in [repr(table["truth"]), *shown] if shown else []:
            found = self.give(f"{answer} = {right}")
            if found["stage"] is not None:
                raise Failed(f"the truth ({answer} = {right}) was refused: {found['message']}")
        for value, hint in wrong:
            self.refuse(f"{answer} = {value!r}", hint, "of its own table")


class WrongAnswer(Answer):
    """A plausible wrong answer that is code must be refused, with the hint that names its misconception."""

    def __init__(self, *, wrong, **rest):
        super().__init__(**rest)
        self.wrong = wrong

    def runtest(self):
        """Try it."""
        missing = [key for key in ("why", "code", "hint") if not str(self.wrong.get(key, "")).strip()]
        if missing:
            raise Failed(f"this wrong answer has no {' and no '.join(missing)} in wrong_answers.toml")
        self.refuse(self.wrong["code"], self.wrong["hint"], self.wrong["why"])


class Controls(Extra):
    """Every control through minimum, middle and maximum, and every option of a choice."""

    def runtest(self):
        """Drive what is new in the kernel since the last time."""
        reports = self.ask("widget_driver.drive()")
        problems = [
            f"{report['control']}, {setting}: {error}\n{trace}"
            for report in reports
            for setting, error, trace in report["problems"]
        ]
        if problems:
            raise Failed("a control failed.\n" + "\n".join(problems))
        self.compare_states()
        seconds = [(report["control"], each) for report in reports for each in report["seconds"]]
        self.user_properties.append(("seconds", json.dumps(seconds)))

    def compare_states(self):
        """What the site has of this cell's widgets is what they tell now: questions, settings, the present picture."""
        shown, cell = getattr(self.cell, "shown", ()), self.cell.cell
        if self.parent.path.parent != NOTEBOOKS or not site_states.models(shown):
            return
        number = self.parent.path.name[:2]
        new = site_states.told(shown, self.ask, everything=False)
        exact = outputs.on_reference(self.parent.nb)
        stored = site_states.read(number).get(cell.id, [])
        if said := site_states.difference(stored, new, exact=exact, live="live" in tags(cell)):
            raise Failed(f"the site shows something else: {said}; run `python -m tlcourse run {number} --states`")
