"""Record and replay: run an experiment's trials over seeds, keep every finished one, write one tidy CSV.

A trial is a pure function of its config, so it does not matter where or when it runs. Each finished trial is one line
of a journal beside the CSV, so a sweep that was stopped goes on where it was, and no trial is kept by half.
"""

import contextlib
import functools
import importlib
import json
import os
import pkgutil
import platform
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from tlcourse import experiments
from tlcourse.material import assets
from tlcourse.workshop import executors


def names() -> list[str]:
    """The experiments that can be run."""
    return sorted(module.name for module in pkgutil.iter_modules(experiments.__path__))


def run(name: str, seeds: Iterable[int], *, jobs: int = 1, scheduler: str | None = None,
        folder: Path | None = None) -> pd.DataFrame:  # fmt: skip
    """Run what is still missing of an experiment and return all of it.

    Args:
        name: one of `names()`.
        seeds: whole numbers; each config is run once with each.
        jobs: processes at the same time, on this machine.
        scheduler: address of a Dask scheduler whose workers run the trials instead; None for this machine.
        folder: where `<name>.csv` goes; `data/recorded` if None.

    Returns:
        One row for each row that a trial gave: its config, its results, and the versions and machine it ran on.

    Raises:
        ValueError: there is no such experiment, or no seed; or trials failed, after all the others were run and kept.
        RuntimeError: the workers die, or the cluster cannot be used: see `executors`.
    """
    from rich.progress import track

    if name not in names():
        raise ValueError(f"Expected one of {', '.join(names())}, got {name!r}: each is a module in experiments.")
    configs = [{**config, "seed": int(seed)} for seed in seeds for config in _module(name).CONFIGS]
    if not configs:
        raise ValueError(f"Expected at least one seed for {name}, got none: pass range(10), say.")
    path = (folder or assets.DATA / "recorded") / f"{name}.csv"
    columns = list(configs[0])
    finished = {_key(row, columns) for row in _stored(path, columns)}
    missing = [config for config in configs if _key(config, columns) not in finished]
    work = functools.partial(_attempt, name)
    results = (
        executors.locally(work, missing, jobs=jobs)
        if scheduler is None
        else executors.on_cluster(work, missing, scheduler=scheduler)
    )
    failed = []
    for config, rows, error in track(
        results, total=len(missing), description=f"{name}: {len(configs) - len(missing)} kept"
    ):
        if error is None:
            _append(path, rows)
        else:
            failed.append((config, error))
    if failed:
        config, error = failed[0]
        raise ValueError(
            f"{len(failed)} of {len(missing)} trials failed, such as {config}: {error}. The others are kept."
        )
    return _tidied(path, columns)


def _module(name: str):
    return importlib.import_module(f"{experiments.__name__}.{name}")


def _attempt(name: str, config: dict) -> tuple[dict, list[dict[str, str]], str | None]:
    """The config, and one trial's rows or what went wrong, so that one trial's failure does not cost the others."""
    try:
        return config, _trial(name, config), None
    except Exception as error:
        return config, [], f"{type(error).__name__}: {error}"
    finally:
        if keras := sys.modules.get("keras"):
            keras.utils.clear_session(free_memory=False)  # or graphs of finished trials add up


def _trial(name: str, config: dict) -> list[dict[str, str]]:
    """One trial's rows as text; the config's values in full, so that it is known again."""
    where = {**executors.versions(), "machine": f"{platform.machine()} {platform.system()}"}
    known = {column: str(value) for column, value in config.items()}
    rows = _module(name).trial(config)
    return [{**known, **{column: _text(value) for column, value in row.items()}, **where} for row in rows]


def _text(value) -> str:
    """A result as the CSV has it: four decimals are more than any here means."""
    return f"{value:.4f}" if isinstance(value, (float, np.floating)) else str(value)


def _journal(path: Path) -> Path:
    return path.with_suffix(".journal")


def _key(config: dict, columns: list[str]) -> str:
    return json.dumps([str(config[name]) for name in columns])


def _stored(path: Path, columns: list[str]) -> list[dict[str, str]]:
    """The rows of the CSV, then those of the journal's trials that are not in it, as they are written."""
    rows = []
    if path.exists():
        rows = pd.read_csv(path, dtype=str, keep_default_na=False).to_dict("records")
    finished = {_key(row, columns) for row in rows}
    for trial in _lines(_journal(path)):
        key = _key(trial[0], columns)
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
        journal.write_bytes(whole + end)
    return [json.loads(line) for line in whole.splitlines()]


def _append(path: Path, rows: list[dict[str, str]]) -> None:
    """Add one trial to the journal, on disk before the next one is looked at."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(_journal(path), "ab") as file:
        file.write(json.dumps(rows).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _tidied(path: Path, columns: list[str]) -> pd.DataFrame:
    """Everything in the order of its configs, also on disk, so that the file does not depend on who finished first."""
    table = pd.DataFrame(_stored(path, columns))
    part = path.with_suffix(".part")
    table.to_csv(part, index=False, lineterminator="\n")
    order = pd.read_csv(part).sort_values(columns, kind="stable").index  # read again, for numbers to sort as numbers
    table.loc[order].to_csv(part, index=False, lineterminator="\n")
    os.replace(part, path)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(_journal(path))
    return pd.read_csv(path)
