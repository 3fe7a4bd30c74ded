"""Record and replay: run an experiment's trials over seeds, keep every finished one, write one tidy CSV.

A trial is a pure function of its config, so it does not matter where or when it runs. Finished trials are appended to
the file at once; a sweep that was stopped goes on where it was.
"""

import csv
import importlib
import io
import json
import os
import pkgutil
import platform
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from tlcourse.material import assets
from tlcourse.workshop import trials

PROVENANCE = ("tlcourse", "tensorflow", "keras", "numpy")


def names() -> list[str]:
    """The experiments that can be run."""
    return sorted(module.name for module in pkgutil.iter_modules(trials.__path__))


def run(name: str, seeds: Iterable[int], *, jobs: int = 1, folder: Path | None = None) -> pd.DataFrame:
    """Run what is still missing of an experiment and return all of it.

    Args:
        name: one of `names()`.
        seeds: whole numbers; each config is run once with each.
        jobs: processes at the same time.
        folder: where `<name>.csv` goes; `data/recorded` if None.

    Returns:
        One row for each row that a trial gave: its config, its results, and the versions and machine it ran on.

    Raises:
        ValueError: there is no such experiment.
    """
    from joblib import Parallel, delayed
    from rich.progress import track

    if name not in names():
        raise ValueError(f"Expected one of {', '.join(names())}, got {name!r}: each is a module in workshop/trials.")
    configs = [{**config, "seed": int(seed)} for seed in seeds for config in _module(name).CONFIGS]
    path = (folder or assets.DATA / "recorded") / f"{name}.csv"
    finished = _finished(path, configs[0].keys())
    missing = [config for config in configs if _key(config) not in finished]
    results = Parallel(n_jobs=jobs, return_as="generator_unordered")(delayed(_trial)(name, c) for c in missing)
    for rows in track(results, total=len(missing), description=f"{name}: {len(configs) - len(missing)} kept"):
        _append(path, rows)
    return _tidied(path, list(configs[0]))


def _module(name: str):
    return importlib.import_module(f"{trials.__name__}.{name}")


def _trial(name: str, config: dict) -> list[dict]:
    where = {package: version(package) for package in PROVENANCE} | {"machine": f"{platform.machine()} {platform.system()}"}
    return [{**config, **row, **where} for row in _module(name).trial(config)]


def _key(config: dict) -> str:
    return json.dumps({name: str(value) for name, value in config.items()}, sort_keys=True)


def _finished(path: Path, columns: Iterable[str]) -> set[str]:
    """The configs in the file. A last line without its end was being written when the process died: it is cut off."""
    if not path.exists():
        return set()
    whole, _, torn = path.read_bytes().rpartition(b"\n")
    if torn:
        path.write_bytes(whole + b"\n")
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    return {_key(row) for row in table[list(columns)].to_dict("records")}


def _append(path: Path, rows: list[dict]) -> None:
    """Add one trial's rows in a single write, so that a kill leaves all of them or a torn last line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    if not path.exists():
        writer.writeheader()
    writer.writerows(rows)
    with open(path, "ab", buffering=0) as file:
        file.write(text.getvalue().encode())
        os.fsync(file.fileno())


def _tidied(path: Path, columns: list[str]) -> pd.DataFrame:
    """The table in the order of its configs, also on disk, so that the file does not depend on who finished first."""
    table = pd.read_csv(path)
    table = table.sort_values(columns, kind="stable", ignore_index=True)
    part = path.with_suffix(".part")
    table.to_csv(part, index=False, lineterminator="\n", float_format="%.4f")
    os.replace(part, path)
    return table
