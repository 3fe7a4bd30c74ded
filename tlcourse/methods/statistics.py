"""Runs over seeds as tidy tables, and what they say: means with intervals, gains, and the power to find them."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd


class Interval(NamedTuple):
    """A mean over `n` runs and its confidence interval, in the unit of the values."""

    mean: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        """As "72.4 [70.1, 74.7] (n = 10)"."""
        return format(self, ".1f")

    def __format__(self, spec: str) -> str:
        """With a format for each number: `f"{interval:+.2f}"`."""
        mean, low, high = (format(value, spec or ".1f") for value in self[:3])
        return f"{mean} [{low}, {high}] (n = {self.n})"


def interval(values: Iterable[float], *, confidence: float = 0.95, overlap: float = 0.0) -> Interval:
    """Mean and Student-t interval (Student, 1908) of runs.

    For a comparison pass the *differences* of runs that share a seed: what they share cancels.

    Args:
        values: one number a run, at least two.
        confidence: share of intervals that would hold the true mean, between 0 and 1.
        overlap: test examples for each training example, where every run splits one data set anew. Such runs are not
            independent, and the variance of their mean is 1/n + overlap times theirs (Nadeau and Bengio, 2003, eq. 9)
            instead of 1/n. With 0 the interval speaks of chance in the runs, on these examples.

    Raises:
        ValueError: fewer than two values, one is not finite, the confidence is no share, or `overlap` is negative.
    """
    from scipy import stats

    values = np.asarray(list(values), float)
    if len(values) < 2 or not np.isfinite(values).all():
        raise ValueError(f"Expected at least two finite values, got {values.tolist()}: run more seeds.")
    if not 0 < confidence < 1:
        raise ValueError(f"Expected a confidence between 0 and 1, got {confidence!r}: 0.95 means 95 %.")
    if overlap < 0:
        raise ValueError(f"Expected an overlap of 0 or more, got {overlap}: divide test by training examples.")
    error = values.std(ddof=1) * np.sqrt(1 / len(values) + overlap)
    half = stats.t.ppf((1 + confidence) / 2, len(values) - 1) * error
    return Interval(float(values.mean()), float(values.mean() - half), float(values.mean() + half), len(values))


def detectable(differences: Iterable[float], *, power: float = 0.8) -> float:
    """The smallest true mean that a two-sided t test at 5 % would find with probability `power`, given this spread.

    What an experiment that found nothing could have missed (Cohen, 1988, chapter 2, with the spread as measured).

    Args:
        differences: one number a run, at least two, not all equal.
        power: between 0.05 and 1.

    Raises:
        ValueError: fewer than two values, no spread, or a power that no test has.
    """
    from scipy import optimize, stats

    values = np.asarray(list(differences), float)
    if len(values) < 2 or not np.isfinite(values).all() or values.std() == 0:
        raise ValueError(f"Expected at least two finite values that differ, got {values.tolist()}: run more seeds.")
    if not 0.05 < power < 1:
        raise ValueError(f"Expected a power between 0.05 and 1, got {power!r}: 0.8 is usual.")
    n, error = len(values), values.std(ddof=1) / np.sqrt(len(values))
    limit = stats.t.ppf(0.975, n - 1)

    def missing(effect: float) -> float:
        wrong_side = np.nan_to_num(stats.nct.cdf(-limit, n - 1, effect))  # far out SciPy gives nan for nothing
        return stats.nct.sf(limit, n - 1, effect) + wrong_side - power

    return float(error * optimize.brentq(missing, 1e-6, 50))


def repeat(trial: Callable[[int], dict | Iterable[dict]], seeds: Iterable[int]) -> pd.DataFrame:
    """Run a trial once a seed and put the rows together.

    Args:
        trial: takes a seed, returns a row as a dict, or several.
        seeds: whole numbers.

    Returns:
        One row for each dict, with the column `seed` first.
    """
    rows = []
    for seed in seeds:
        result = trial(seed)
        rows += [{"seed": seed, **row} for row in ([result] if isinstance(result, dict) else result)]
    return pd.DataFrame(rows)


def summary(runs: pd.DataFrame, by: str | list[str], value: str, *, overlap: float = 0.0) -> pd.DataFrame:
    """Mean and 95 % interval of `value` for each group, in the order in which the groups first appear.

    Returns:
        One row a group: the columns of `by`, then `mean`, `low`, `high`, `n`.
    """
    keys = [by] if isinstance(by, str) else by
    rows = [(*key, *interval(group[value], overlap=overlap)) for key, group in runs.groupby(keys, sort=False)]
    return pd.DataFrame(rows, columns=[*keys, *Interval._fields])


def gain(
    runs: pd.DataFrame,
    value: str,
    *,
    of: str,
    over: str,
    by: str = "method",
    pair: str = "seed",
    overlap: float = 0.0,
) -> Interval:
    """How much one method's `value` exceeds another's, paired by seed.

    Args:
        runs: tidy runs, with the columns `by`, `pair` and `value`.
        value: the column to compare.
        of: the method whose gain is wanted.
        over: the method it is compared with.
        by: the column that names the method.
        pair: the column that says which runs share their data and seed.
        overlap: see `interval`.

    Raises:
        ValueError: a method is not in the table, or the two share fewer than two seeds.
    """
    table = runs.pivot_table(index=pair, columns=by, values=value)
    for name in (of, over):
        if name not in table:
            raise ValueError(f"Expected one of {list(table)}, got {name!r}: compare methods that were run.")
    return interval((table[of] - table[over]).dropna(), overlap=overlap)
