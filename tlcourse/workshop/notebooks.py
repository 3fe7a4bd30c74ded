"""Executes notebooks in place, tidily, and holds their time and memory to the budgets."""

from __future__ import annotations

import contextlib
import copy
import re
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tlcourse.material.assets.atomic import replacing
from tlcourse.workshop import NOTEBOOKS, WorkshopError

SECONDS, LONGER, COURSE_SECONDS = 60, {"08": 90, "12": 90}, 10 * 60
MEMORY = 1.5e9
CELL_TIMEOUT = 600
WIDGET_STATE_LIMIT = 300_000


@dataclass
class Run:
    """What one execution cost, and what went wrong in it."""

    path: Path
    cells: int = 0
    seconds: float = 0.0
    memory: int = 0
    errors: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)

    @property
    def budget(self) -> float:
        """Seconds of wall time that the chapter may take on two cores."""
        return LONGER.get(self.path.name[:2], SECONDS)

    @property
    def failed(self) -> bool:
        """An error, or memory over the budget. Time only warns, for it is the machine's as much as the notebook's."""
        return bool(self.errors) or self.memory > MEMORY


def select(numbers: Iterable[str] = (), folder: Path = NOTEBOOKS) -> list[Path]:
    """Return the notebooks with these numbers ("02", "2"), or all of them, in the course's order.

    Raises:
        WorkshopError: there is no such notebook.
    """
    every = sorted(folder.glob("[0-9][0-9]_*.ipynb"))
    if not every:
        raise WorkshopError(f"There is no notebook in {folder}; run this in a checkout of the course.")
    wanted = [number.zfill(2) if number.strip() else repr(number) for number in numbers]
    unknown = sorted(set(wanted) - {path.name[:2] for path in every})
    if unknown:
        have = ", ".join(path.name[:2] for path in every)
        raise WorkshopError(f"There is no notebook {', '.join(unknown)}; choose from {have}.")
    return [path for path in every if not wanted or path.name[:2] in wanted]


def execute(
    path: Path,
    *,
    write: bool = True,
    states: bool = False,
    twice: bool = False,
    progress: Callable[[int, int], None] = lambda done, cells: None,
) -> Run:
    """Run a notebook from its first cell to its last in a new kernel, in its own folder.

    An error that a widget only *shows* (in a cell's output or in an Output widget) counts as an error like any other.

    Args:
        path: the notebook.
        write: put the new outputs in place (atomically, and only if nothing failed), and let the notebook record its
            claims on the scoreboard.
        states: record what the site's controls show (see `site_states`), which takes time and memory of its own.
        twice: run each cell a second time before the next, as students do; what it then shows is compared.
        progress: called with the number of code cells done, and of all.

    Returns:
        The costs, the errors, and a sentence for each cell whose output is no longer what the file says.
    """
    import nbformat
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    from tlcourse.workshop import kernels, outputs, site_states

    notebook = nbformat.read(path, as_version=4)
    before, exact = copy.deepcopy(notebook.cells), outputs.on_reference(notebook)
    code = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code" and cell.source.strip()]
    manager = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=kernels.ThisPython())
    client = NotebookClient(notebook, km=manager, timeout=CELL_TIMEOUT, record_timing=False, coalesce_streams=True)
    notebook.metadata.pop("widgets", None)
    run = Run(path, cells=len(code))
    start, recorded = time.perf_counter(), {}
    with tempfile.TemporaryFile() as log, contextlib.ExitStack() as stack:
        kernel = {"cwd": str(path.parent), "env": kernels.environment(**_recording(write)), "stderr": log}
        stack.enter_context(client.setup_kernel(cleanup_kc=True, **kernel))
        with kernels.watch(manager.provisioner.pid) as memory:
            for done, index in enumerate(code, start=1):
                progress(done - 1, len(code))
                cell, again = notebook.cells[index], False
                try:
                    client.execute_cell(cell, index, execution_count=done)
                    if again := twice:
                        client.execute_cell(cell, index, execution_count=done)
                except (CellExecutionError, CellTimeoutError) as error:
                    run.errors.append(f"cell [{done}]{', run again' * again}: {_last_line(str(error))}")
                    if again:
                        continue  # the names are there, and the other cells want to be tried, too
                    break
                except DeadKernelError:
                    log.seek(0)
                    said = _last_line(log.read().decode(errors="replace"))
                    run.errors.append(f"cell [{done}]: the kernel died (out of memory?); its last words: {said}")
                    break
                run.errors += [f"cell [{done}], in a callback: {e}" for e in _shown(cell.outputs)]
                stale = outputs.difference(before[index], cell.outputs, exact=exact)
                run.changed += [f"cell [{done}]: {stale}"] if stale else []
                if states and site_states.models(cell.outputs):
                    with kernels.beside(manager) as ask:
                        told = site_states.told(cell.outputs, ask)
                    recorded |= {cell.id: told} if told else {}
            progress(len(code), len(code))
        for state in client.widget_state.values():
            run.errors += [f"in an Output widget: {e}" for e in _shown(state.get("outputs", ()))]
        client.set_widgets_metadata()
    run.seconds, run.memory = time.perf_counter() - start, memory.peak
    tidy(notebook, path.stem)
    notebook.metadata["tlcourse"] = {"vectors": outputs.vectors()}
    if write and not run.failed:
        save(notebook, path)
    if states and not run.errors:
        site_states.write(path.name[:2], recorded)
    return run


def _recording(write: bool) -> dict[str, str]:
    from tlcourse.material.assets import DATA

    return {"TLCOURSE_SCOREBOARD": str(DATA / "recorded" / "scoreboard")} if write else {}


def _shown(outputs: Iterable[Any]) -> list[str]:
    return [f"{o['ename']}: {o['evalue']}" for o in outputs if o["output_type"] == "error"]


def _last_line(text: str) -> str:
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    lines = [line.strip() for line in plain.splitlines() if "IPKernelApp] WARNING" not in line]
    return next((line for line in reversed(lines) if line), "nothing")


def tidy(notebook: Any, stem: str) -> None:
    """Take out of a notebook what changes with every run and tells nothing: timestamps, versions, random ids.

    Args:
        notebook: changed in place.
        stem: the file's name without suffix, from which widget ids are made.
    """
    for cell in notebook.cells:
        for key in ("execution", "ExecuteTime", "collapsed", "scrolled"):
            cell.metadata.pop(key, None)
    kernelspec = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    notebook.metadata.update(kernelspec=kernelspec, language_info={"name": "python"})
    _name_widgets(notebook, stem)


def _name_widgets(notebook: Any, stem: str) -> None:
    """Number the widgets' models in the order of their making; keep their state only while it is small."""
    import hashlib
    import json

    import nbformat

    state = notebook.metadata.get("widgets", {}).get("application/vnd.jupyter.widget-state+json", {}).get("state", {})
    text = nbformat.writes(notebook)
    for number, model_id in enumerate(state):
        text = text.replace(model_id, hashlib.md5(f"{stem}/{number}".encode()).hexdigest())
    renamed = nbformat.reads(text, as_version=4)
    if not state or len(json.dumps(renamed.metadata.widgets)) > WIDGET_STATE_LIMIT:
        renamed.metadata.pop("widgets", None)
    notebook.clear()
    notebook.update(renamed)


def save(notebook: Any, path: Path) -> None:
    """Write a notebook in one step: killed at any moment, it leaves the old file or the new one."""
    import nbformat

    with replacing(path, "w", encoding="utf-8", newline="\n") as stream:
        stream.write(nbformat.writes(notebook).rstrip("\n") + "\n")


def run_all(numbers: Iterable[str] = (), *, check: bool = False, twice: bool = False, states: bool = False,
            folder: Path = NOTEBOOKS) -> int:  # fmt: skip
    """Execute notebooks with a progress bar a notebook, and print the table of their costs.

    Args:
        numbers: which ("02"); none is all.
        check: write nothing; what a run shows must be what the file says.
        twice: as `check`, with each cell run twice: a second run must not give another number.
        states: write only what the site's controls show, and leave the notebooks as they are.
        folder: where the notebooks are.

    Returns:
        0, or 1 if a notebook raised, took more memory than the budget, or, where asked to check, showed something else.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    paths, runs, check = select(numbers, folder), [], check or twice
    console = Console()
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console) as bars:
        for path in paths:
            task = bars.add_task(path.stem, total=None)
            show = lambda done, cells, task=task: bars.update(task, completed=done, total=cells)  # noqa: E731
            runs.append(execute(path, write=not (check or states), states=states, twice=twice, progress=show))
    console.print(_table(runs, check or states))
    for run in runs:
        for error in run.errors + (run.changed if check else []):
            console.print(f"{run.path.name}, {error}", style="red", markup=False, highlight=False)
    total = sum(run.seconds for run in runs)
    console.print(f"{total:.0f} s together; the whole course may take {COURSE_SECONDS:.0f} s on two cores.")
    return int(any(run.failed or (check and run.changed) for run in runs))


def _table(runs: list[Run], check: bool) -> Any:
    from rich.table import Table

    table = Table(title="Wall time and peak memory, against the budgets")
    for name in ("notebook", "cells", "seconds", "GB", "outputs", "verdict"):
        left = name in ("notebook", "verdict", "outputs")
        table.add_column(name, justify="left" if left else "right", overflow="fold", no_wrap=name == "verdict")
    for run in runs:
        slow, big = run.seconds > run.budget, run.memory > MEMORY
        verdict = "error" if run.errors else "memory" if big else "slow" if slow else "good"
        outputs = f"{len(run.changed)} differ" if run.changed else "the same"
        outputs += "" if check or run.failed else ", written"
        colour = "red" if run.failed else "yellow" if slow else "green"
        costs = (f"{run.seconds:.0f} of {run.budget:g}", f"{run.memory / 1e9:.2f} of {MEMORY / 1e9:g}")
        table.add_row(run.path.stem, str(run.cells), *costs, outputs, f"[{colour}]{verdict}[/]")
    return table
