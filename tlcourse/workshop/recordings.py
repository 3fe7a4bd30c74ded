"""Where a sweep keeps what it has: a table, and beside it a journal of the trials that are not in it yet.

At any moment the machine may stop. A trial is in the journal when its line is whole and on disk, and the journal goes
only when the table that has it all is there.
"""

import contextlib
import io
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from filelock import FileLock, Timeout

from tlcourse.material.assets.atomic import replacing
from tlcourse.material.data import tables


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Two sweeps of one experiment would write one file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path.with_suffix(".lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise RuntimeError(f"Another sweep of {path.stem} is running: let it end, or stop it.") from None
    try:
        yield
    finally:
        lock.release()


def set_aside(path: Path) -> None:
    """Rename a table and its journal, so that the next run starts over.

    Raises:
        RuntimeError: something was set aside before, and would be lost; or a sweep of it is running.
    """
    with alone(path):
        there = [file for file in (path, _journal(path)) if file.exists()]
        for file in there:
            if (old := file.with_name(f"{file.name}.old")).exists():
                raise RuntimeError(f"Expected nothing at {old}, which an earlier --anew left: move or delete it.")
        for file in there:
            os.replace(file, file.with_name(f"{file.name}.old"))


def key_of(config: dict, columns: list[str]) -> str:
    """Which trial a config, or a row as it is written, is of: by value, for a spreadsheet writes 1e-05 as 1.00E-05."""
    return json.dumps([tables.by_value(str(config[name])) for name in columns])


def stored(path: Path, columns: list[str]) -> list[dict[str, str]]:
    """The rows of the CSV, then those of the journal's trials that are not in it, as they are written.

    Of a trial whose rows are not all as they were recorded there are none, so that it is run again.

    Raises:
        RuntimeError: a file holds something else, or trials of other columns.
    """
    rows, trials = tables.rows_of(path) if path.exists() else [], _lines(_journal(path))
    if broken := tables.damaged(rows):
        print(f"{len(broken)} trials in {path} are not as they were recorded: they are left out.", file=sys.stderr)
        rows = [row for row in rows if row["digest"] not in broken]
    for place, row in [(path, row) for row in rows[:1]] + [(_journal(path), trial[0]) for trial in trials]:
        if lacks := [name for name in columns if name not in row]:
            raise RuntimeError(
                f"Expected {place} to say {', '.join(lacks)} of each trial, as {path.stem} does now: start over with "
                f"`python -m tlcourse sweep {path.stem} --anew`."
            )
    finished = {key_of(row, columns) for row in rows}
    for trial in trials:
        key = key_of(trial[0], columns)
        if key not in finished:
            finished.add(key)
            rows += trial
    return rows


def _lines(journal: Path) -> list[list[dict[str, str]]]:
    """The journal's trials; a line without its end was being written when the process died, and is cut off."""
    if not journal.exists():
        return []
    whole, end, torn = journal.read_bytes().rpartition(b"\n")
    if torn:
        os.truncate(journal, len(whole + end))  # in place: the rest is not written again, so it cannot be lost
    trials = []
    for number, line in enumerate(whole.splitlines(), start=1):
        try:
            trial = json.loads(line)
        except ValueError:
            trial = None
        is_rows = isinstance(trial, list) and trial and all(isinstance(row, dict) for row in trial)
        if not is_rows or not all(isinstance(text, str) for row in trial for text in row.values()):
            raise RuntimeError(f"Expected a trial's rows in line {number} of {journal}, got something else: delete it.")
        trials.append(trial)
    return trials


def append(path: Path, rows: list[dict[str, str]]) -> None:
    """Add one trial to the journal, on disk before the next one is looked at."""
    with open(_journal(path), "ab") as file:
        file.write(json.dumps(rows).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def tidied(path: Path, rows: list[dict[str, str]], columns: list[str]) -> pd.DataFrame:
    """Everything in the order of its configs, also on disk, so that the file does not depend on who finished first."""
    table = pd.DataFrame(rows)
    numbers = pd.read_csv(io.StringIO(table.to_csv(index=False)))  # read again, for numbers to sort as numbers
    order = numbers.sort_values(columns, kind="stable").index
    with replacing(path, "w", encoding="utf-8", newline="") as file:  # on disk before the journal goes
        table.loc[order].to_csv(file, index=False, lineterminator="\n")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(_journal(path))
    return pd.read_csv(path)


def _journal(path: Path) -> Path:
    return path.with_suffix(".journal")
