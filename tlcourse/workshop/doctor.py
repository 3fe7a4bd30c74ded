"""Looks at everything that the course needs, and gives for each thing that is wrong the command that mends it.

It needs no network, and imports what may be missing only where it can do without.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata

INSTALL = "python -m pip install --require-hashes -r requirements.txt"
KERNEL_MEMORY, MACHINE_MEMORY, DISK_STOP, DISK_NOTE = 1.5e9, 2e9, 0.2e9, 1e9
GOOD, NOTE, STOP = "good", "note", "stop"


@dataclass(frozen=True)
class Finding:
    """One thing looked at: `good`, a `note` (the course runs, perhaps slowly or otherwise), or a `stop`."""

    name: str
    level: str
    found: str
    mend: str = ""


def examine() -> list[Finding]:
    """Look at everything; never raises for what it finds."""
    findings: list[Finding] = []
    for look in (_python, _packages, _assets, _recorded, _memory, _cores, _disk, _kernel):
        try:
            findings += look()
        except Exception as error:  # a doctor who falls over tells less than one who says where
            findings.append(Finding(look.__name__.strip("_"), STOP, f"{type(error).__name__}: {error}", INSTALL))
    return [*findings, Finding("network", GOOD, "not needed once `python -m tlcourse fetch` is done")]


def _python() -> Iterator[Finding]:
    found = ".".join(map(str, sys.version_info[:3]))
    good = (3, 11) <= sys.version_info < (3, 14)
    yield Finding("Python", GOOD if good else STOP, found, "" if good else "make lab PYTHON=python3.11 (or 3.12, 3.13)")
    if sys.prefix == sys.base_prefix and not os.environ.get("CONDA_PREFIX"):
        yield Finding("environment", NOTE, "no virtual environment", "make lab, or .venv/bin/python -m tlcourse doctor")


def _packages() -> Iterator[Finding]:
    from packaging.requirements import Requirement

    from tlcourse.workshop import lockfile

    try:
        needed = [Requirement(text) for text in metadata.requires("tlcourse") or ()]
    except metadata.PackageNotFoundError:
        yield Finding("tlcourse", STOP, "not installed", "python -m pip install --no-deps -e .")
        needed = []
    core = {r.name.lower(): r.specifier for r in needed if "extra ==" not in str(r.marker or "")}
    good, others, tools = 0, [], []
    for pin in lockfile.pins():
        if pin.marker is not None and not pin.marker.evaluate():
            continue
        (locked,) = (spec.version for spec in pin.specifier)
        try:
            found = metadata.version(pin.name)
        except metadata.PackageNotFoundError:
            found = None
        name = pin.name.lower()
        if name in core and (found is None or not core[name].contains(found, prereleases=True)):
            yield Finding(pin.name, STOP, f"{found or 'missing'}, needs {core[name]}", INSTALL)
        elif found == locked:
            good += 1
        else:
            (tools if found is None else others).append(f"{pin.name} {found or 'missing'} (lock: {locked})")
    yield Finding("packages", GOOD, f"{good} as locked")
    if others:
        yield Finding("packages", NOTE, _few(others), INSTALL)
    if tools:
        yield Finding("packages", NOTE, _few(tools), INSTALL)


def _few(names: list[str], most: int = 5) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _assets() -> Iterator[Finding]:
    from tlcourse.material import assets

    for name, problem in assets.status().items():
        mend = problem.split("`")[1] if problem and "`" in problem else assets.FETCH_COMMAND if problem else ""
        yield Finding(
            f"asset {name}",
            (NOTE if assets.ASSETS[name].optional else STOP) if problem else GOOD,
            problem.split("; run")[0] if problem else "there and verified",
            mend,
        )


def _recorded() -> Iterator[Finding]:
    from tlcourse.material import assets
    from tlcourse.material.data import tables

    paths, bad = sorted((assets.DATA / "recorded").glob("*.csv")), []
    for path in paths:
        try:
            bad += [path.name] if tables.damaged(tables.rows_of(path)) else []
        except assets.AssetError:
            bad.append(path.name)
    if bad:
        yield Finding("recorded tables", STOP, f"changed: {_few(bad)}", "git restore data/recorded")
    else:
        yield Finding("recorded tables", GOOD, f"{len(paths)} as they were recorded")


def _memory() -> Iterator[Finding]:
    import psutil

    memory = psutil.virtual_memory()
    total, free = _limited(memory.total), min(memory.available, _limited(memory.total))
    level = STOP if total < MACHINE_MEMORY else NOTE if free < KERNEL_MEMORY else GOOD
    mend = {
        STOP: "run the course where 2 GB are",
        NOTE: "shut other kernels down (in JupyterLab: Kernel menu)",
        GOOD: "",
    }
    yield Finding("memory", level, f"{free / 1e9:.1f} GB free of {total / 1e9:.1f}", mend[level])


def _limited(total: int) -> int:
    """The container's limit where there is one: a kernel is killed at that, whatever the machine has."""
    for name in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            with open(name) as stream:
                return min(total, int(stream.read()))
        except (OSError, ValueError):
            continue
    return total


def _cores() -> Iterator[Finding]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    mend = "" if cores > 1 else "nothing to do: every chapter runs, at about half the speed"
    yield Finding("cores", GOOD if cores > 1 else NOTE, str(cores), mend)


def _disk() -> Iterator[Finding]:
    from tlcourse.material.assets import DATA

    free = shutil.disk_usage(DATA if DATA.exists() else ".").free
    level = STOP if free < DISK_STOP else NOTE if free < DISK_NOTE else GOOD
    yield Finding("disk", level, f"{free / 1e9:.1f} GB free", "" if level == GOOD else "make room on the course's disk")


def _kernel() -> Iterator[Finding]:
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    mend = "python -m ipykernel install --sys-prefix"
    try:
        command = KernelSpecManager().get_kernel_spec("python3").argv[0]
    except NoSuchKernel:
        yield Finding("Jupyter kernel", STOP, "no kernel `python3`", mend)
        return
    # A bare "python" is found on PATH, which is what an activated environment wants.
    elsewhere = os.path.isabs(command) and os.path.normcase(command) != os.path.normcase(sys.executable)
    found = f"`python3` is {command}, not this Python" if elsewhere else "`python3` is this Python"
    yield Finding("Jupyter kernel", NOTE if elsewhere else GOOD, found, mend if elsewhere else "")


def report(findings: list[Finding]) -> int:
    """Print a table and, for each problem, its command.

    Returns:
        1 when something would stop the course, else 0.
    """
    try:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text
    except ImportError:
        for each in findings:
            print(f"{each.level:5} {each.name}: {each.found}" + (f" -> {each.mend}" if each.mend else ""))
    else:
        table = Table(title="What the course needs")
        for name in ("", "what", "found", "command that mends it"):
            table.add_column(name, overflow="fold")
        colours = {GOOD: "green", NOTE: "yellow", STOP: "red"}
        for each in findings:
            table.add_row(Text(each.level, colours[each.level]), each.name, Text(each.found), Text(each.mend))
        with (console := Console()).capture() as shown:
            console.print(table)
        print(shown.get(), end="")  # rich itself would end the program where nobody reads on, as in `doctor | head -1`
    stops = sum(each.level == STOP for each in findings)
    print(f"{stops} of these would stop the course." if stops else "Everything that the course needs is here.")
    return int(stops > 0)
