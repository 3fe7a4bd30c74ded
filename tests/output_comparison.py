"""What one run of a notebook under nbval tells beside its errors: stale outputs, and what the chapter costs.

Hooked into `notebook_plugin`. Costs are reported, never failed on, for they are the machine's as much as the chapter's.
"""

import functools
import json
import os
import re
import statistics
from collections import defaultdict

import pytest
from nbval.plugin import IPyNbCell

from tlcourse.workshop import kernels, notebooks, outputs

NOTHING = 0.002  # seconds: a move that is quicker draws nothing


def pytest_sessionstart():
    """A notebook's kernel inherits it, so that sets have the order that they had when the outputs were stored."""
    os.environ.setdefault("PYTHONHASHSEED", "0")


def compare(item, new, stored, skip_compare=None):
    """In the place of nbval's own comparison, which takes numbers as text, and pictures inside HTML too."""
    item.shown = new
    stale = outputs.difference(item.cell, new, exact=outputs.on_reference(item.parent.nb))
    if stale:
        number = item.cell.execution_count
        mend = f"run `python -m tlcourse run {item.path.name[:2]}`, or tag the cell `live` and say why"
        item.raise_cell_error(f"{item.path.name}, cell [{number}]: {stale}; {mend}.")
    return True


def pytest_collection_modifyitems(items):
    for item in items:
        if isinstance(item, IPyNbCell):
            item.compare_outputs = functools.partial(compare, item)


@pytest.hookimpl(tryfirst=True)  # before the kernel is stopped
def pytest_runtest_teardown(item):
    """Note the kernel's peak memory: where the system keeps a high-water mark, one look after each cell will do."""
    if isinstance(item, IPyNbCell) and item.parent.kernel.is_alive():
        memory = kernels.Memory(item.parent.kernel.km.provisioner.pid)
        memory.look()
        item.user_properties.append(("memory", memory.peak))


def pytest_terminal_summary(terminalreporter):
    """Print a line a chapter: seconds and gigabytes against the budgets, how fast controls answer, and the slowest.

    A control's first move counts, too.
    """
    costs = defaultdict(lambda: {"seconds": 0.0, "memory": 0, "controls": []})
    for report in (each for kind in terminalreporter.stats.values() for each in kind if hasattr(each, "when")):
        found = re.match(r"(?:.*/)?(\d\d_\w+)\.ipynb::(Cell \d+$)?", report.nodeid)
        if not found:
            continue
        cost = costs[found[1]]
        cost["seconds"] += report.duration if found[2] else 0
        for name, value in report.user_properties if report.when == "teardown" else ():
            if name == "memory":
                cost["memory"] = max(cost["memory"], value)
            elif name == "seconds":
                cost["controls"] += json.loads(value)
    if not costs:
        return
    terminalreporter.section("what the chapters cost (reported, never failed on)")
    terminalreporter.line(f"{'chapter':28}{'seconds':>12}{'GB':>12}{'a control':>12}{'95 %':>9}  slowest control")
    for chapter, cost in sorted(costs.items()):
        budget = notebooks.LONGER.get(chapter[:2], notebooks.SECONDS)
        line = (
            f"{chapter:28}{cost['seconds']:6.0f} of {budget}{cost['memory'] / 1e9:6.2f} of {notebooks.MEMORY / 1e9:g}"
        )
        if cost["controls"]:
            slowest, worst = max(cost["controls"], key=lambda pair: pair[1])
            line += f"{answers([each for _, each in cost['controls']])}  {1000 * worst:.0f} ms, {slowest}"
        terminalreporter.line(line)
    every = [each for cost in costs.values() for _, each in cost["controls"]]
    if every:
        seconds = sum(cost["seconds"] for cost in costs.values())
        line = f"{'together':28}{seconds:6.0f} of {notebooks.COURSE_SECONDS}"
        terminalreporter.line(f"{line:52}{answers(every)}  (budgets: 100 ms and 200 ms)")


def answers(seconds):
    """The median and what 95 % stay below, in milliseconds, of the moves that draw something: a guess does not."""
    seconds = [each for each in seconds if each > NOTHING] or [0.0]
    return f"{1000 * statistics.median(seconds):9.0f} ms{1000 * sorted(seconds)[int(0.95 * len(seconds))]:6.0f} ms"
