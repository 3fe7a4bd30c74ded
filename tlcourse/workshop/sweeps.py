"""Record and replay: run an experiment's trials over seeds, keep every finished one, write one tidy CSV.

A trial is a pure function of its config, so it does not matter where or when it runs. Each finished trial is kept at
once (see `recordings`), so a sweep that was stopped goes on where it was. Each row has the hash of the code that made
it, and one table never mixes two.
"""

import contextlib
import functools
import importlib
import pkgutil
import platform
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from rich.progress import track

from tlcourse import experiments
from tlcourse.material import assets
from tlcourse.material.data import tables
from tlcourse.workshop import code_hash, executors, recordings

MOST_TRIALS = 100_000


def names() -> list[str]:
    """The experiments that can be run."""
    return sorted(module.name for module in pkgutil.iter_modules(experiments.__path__))


def code_of(name: str) -> str:
    """The hash of an experiment's `trial` as it is now, and of all that it uses of the course."""
    return code_hash.of(_module(name).__file__)


def run(name: str, seeds: Sequence[int], *, jobs: int = 1, scheduler: str | None = None,
        folder: Path | None = None) -> pd.DataFrame:  # fmt: skip
    """Run what is still missing of an experiment and return all of it.

    Args:
        name: one of `names()`.
        seeds: whole numbers; each config is run once with each.
        jobs: processes at the same time, on this machine.
        scheduler: address of a Dask scheduler whose workers run the trials instead; None for this machine.
        folder: where `<name>.csv` goes; `data/recorded` if None.

    Returns:
        One row for each row that a trial gave: its config, its results, the hash of its code, and the versions and
        machine it ran on.

    Raises:
        ValueError: there is no such experiment, no seed or too many; what is there was made by other code; or trials
            failed, after all the others were run and kept.
        RuntimeError: another sweep of it is running, a file is damaged, the workers die, or the cluster cannot be
            used: see `executors`.
    """
    code, columns = _start(name)
    if not 0 < len(seeds) * len(_module(name).CONFIGS) <= MOST_TRIALS:
        raise ValueError(
            f"Expected at least one seed for {name} and at most {MOST_TRIALS:,} trials, got {len(seeds)} seeds: pass "
            "range(10), say."
        )
    configs = [{**config, "seed": int(seed)} for seed in seeds for config in _module(name).CONFIGS]
    path = path_of(name, folder)
    with recordings.alone(path):
        kept = recordings.stored(path, columns)
        if len(codes := {row.get("code", "") for row in kept} | {code}) > 1:
            command = f"python -m tlcourse sweep {name}"
            raise ValueError(
                f"Expected rows of the present code {code} in {path}, got some of {tables.named(codes - {code})}: "
                f"`{command} --verify 3` runs three trials again and stamps the table if they come out equal, "
                f"`{command} --anew` starts over."
            )
        finished = {recordings.key_of(row, columns) for row in kept}
        missing = [config for config in configs if recordings.key_of(config, columns) not in finished]
        failed = []
        for config, rows, error in _results(name, code, missing, jobs=jobs, scheduler=scheduler):
            if error is None:
                recordings.append(path, rows)
                kept += rows
            else:
                failed.append((config, error))
        if failed:
            config, error = failed[0]
            raise ValueError(
                f"{len(failed)} of {len(missing)} trials failed, such as {config}: {error}. The others are kept."
            )
        return recordings.tidied(path, kept, columns)


def verify(name: str, count: int, *, jobs: int = 1, scheduler: str | None = None, folder: Path | None = None) -> int:
    """Run so many recorded trials again and, if they come out equal, stamp the whole table with the present code.

    Which, the present code says, so that it is not chosen until they do. What the experiment calls `CLOCKED` is not
    compared, nor are versions and machine: the row keeps those it was made with.

    Returns:
        How many trials were run; of a table of several codes `count` of each.

    Raises:
        ValueError: nothing is recorded, a trial fails, or one comes out otherwise; the message says which and where.
        RuntimeError: as for `run`.
    """
    code, columns = _start(name)
    path = path_of(name, folder)
    with recordings.alone(path):
        if path.exists() and tables.damaged(tables.rows_of(path)):
            raise RuntimeError(f"Expected {path} as it was recorded, got it changed: `git restore` it.")
        trials: dict[str, list[dict[str, str]]] = {}
        for row in recordings.stored(path, columns):
            trials.setdefault(recordings.key_of(row, columns), []).append(row)
        seeds = {int(tables.by_value(trial[0]["seed"])) for trial in trials.values()}
        configs = [{**config, "seed": seed} for config in _module(name).CONFIGS for seed in sorted(seeds)]
        by_code: dict[str, list[dict]] = {}
        for config in configs:
            if trial := trials.get(recordings.key_of(config, columns)):
                by_code.setdefault(trial[0].get("code", ""), []).append(config)
        if not by_code or count < 1:
            raise ValueError(f"Expected recorded trials in {path}, and at least one to verify, got none: record some.")
        chance = random.Random(code)
        chosen = [
            config for _, some in sorted(by_code.items()) for config in chance.sample(some, min(count, len(some)))
        ]
        for config, again, error in _results(name, code, chosen, jobs=jobs, scheduler=scheduler):
            if error := error or _difference(trials[recordings.key_of(config, columns)], again, _module(name)):
                raise ValueError(
                    f"{name} does not come out as recorded with {config}: {error}. Nothing is changed; `python -m "
                    f"tlcourse sweep {name} --anew` starts over."
                )
        for trial in trials.values():
            for row in trial:
                row.update(code=code, digest=tables.digest(trial))
        recordings.tidied(path, [row for trial in trials.values() for row in trial], columns)
        return len(chosen)


def path_of(name: str, folder: Path | None = None) -> Path:
    """Where an experiment's table is, or would be."""
    _check(name)
    return (folder or assets.DATA / "recorded") / f"{name}.csv"


def _start(name: str) -> tuple[str, list[str]]:
    """The present code of an experiment, and the columns that say which trial a row is of."""
    _check(name)
    return code_of(name), [*_module(name).CONFIGS[0], "seed"]


def _check(name: str) -> None:
    if name not in names():
        raise ValueError(f"Expected one of {', '.join(names())}, got {name!r}: each is a module in experiments.")


def _module(name: str):
    return importlib.import_module(f"{experiments.__name__}.{name}")


def _results(name: str, code: str, configs: list[dict], *, jobs: int, scheduler: str | None) -> Iterator[tuple]:
    """For each config, as they are finished: `(config, rows, error)`."""
    work = functools.partial(_attempt, name, code)
    if scheduler is None:
        results = executors.locally(work, configs, jobs=jobs)
    else:
        results = executors.on_cluster(work, configs, scheduler=scheduler)
    with contextlib.closing(results):
        yield from track(results, total=len(configs), description=name)


def _attempt(name: str, code: str, config: dict) -> tuple[dict, list[dict[str, str]], str | None]:
    """The config, and one trial's rows or what went wrong, so that one trial's failure does not cost the others."""
    try:
        return config, _trial(name, code, config), None
    except Exception as error:
        return config, [], f"{type(error).__name__}: {error}"
    finally:
        if keras := sys.modules.get("keras"):
            keras.utils.clear_session(free_memory=False)  # or graphs of finished trials add up


def _trial(name: str, code: str, config: dict) -> list[dict[str, str]]:
    """One trial's rows as text; the config's values in full, so that it is known again."""
    if (here := _loaded_code(name)) != code:
        raise RuntimeError(f"expected the code {code}, got {here}: bring the worker to the same commit")
    rows = _module(name).trial(config)
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"expected a list of one or more rows, each a dict, got {rows!r:.80}")
    known = {column: str(value) for column, value in config.items()}
    where = {"code": code, **executors.versions(), "machine": f"{platform.machine()} {platform.system()}"}
    texts = [{**known, **{column: _text(value) for column, value in row.items()}, **where} for row in rows]
    return [{**row, "digest": tables.digest(texts)} for row in texts]


@functools.cache
def _loaded_code(name: str) -> str:
    """The code when this process began with it: it does not see a file that is edited later."""
    return code_of(name)


def _text(value) -> str:
    """A result as the CSV has it: four decimals are more than any here means."""
    return f"{value:.4f}" if isinstance(value, (float, np.floating)) else str(value)


def _difference(stored: list[dict[str, str]], again: list[dict[str, str]], module) -> str | None:
    """Where two runs of a trial differ, in words, or None."""
    if len(stored) != len(again):
        return f"{len(stored)} rows are recorded, {len(again)} came out"
    passed_over = {*getattr(module, "CLOCKED", ()), *tables.STAMPS, *executors.versions(), "machine"}
    for number, (old, new) in enumerate(zip(stored, again, strict=True), start=1):
        for column in [name for name in {**new, **old} if name not in passed_over]:
            had, came = old.get(column, ""), new.get(column, "")
            if had != came and tables.by_value(had) != tables.by_value(came):
                return f"in its row {number} {column} is recorded as {had or 'nothing'}, and came out as {came}"
    return None
