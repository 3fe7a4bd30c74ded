"""Runs over seeds as tidy tables, and what they say: intervals, gains, and how many runs would settle a question."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd


class Interval(NamedTuple):
    """A mean over `n` runs (or units) and its confidence interval, in the unit of the values.

    `overlap` is that of `interval`: with 0 the runs were taken as independent.
    """

    mean: float
    low: float
    high: float
    n: int
    overlap: float = 0.0

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
    mean, half = float(values.mean()), float(stats.t.ppf((1 + confidence) / 2, len(values) - 1) * error)
    return Interval(mean, mean - half, mean + half, len(values), overlap)


def by_unit(runs: pd.DataFrame, value: str, units: str | list[str], *, seed: int = 0) -> Interval:
    """Mean over units and its 95 % interval, from a bootstrap that draws whole units (Efron, 1979).

    For what nests in few units: episodes in writing systems, or pairs in domains (Snijders and Borgatti, 1999). More
    episodes do not narrow it. The percentiles are "expanded" (Hesterberg, 2015): plain ones are too narrow for so few.

    Args:
        runs: a row for each result.
        value: the column to average: first within each unit (or pair of units), then over them.
        units: the column that names the unit, or the columns, where a row belongs to several of one kind, such as
            source and target domain: then domains are drawn, and a pair counts as often as both its domains.
        seed: of the 5,000 resamples.

    Raises:
        ValueError: fewer than five units, from which no resampling makes an interval, or a value is not finite.
    """
    from scipy import stats

    keys = [units] if isinstance(units, str) else units
    names = pd.Index(np.unique(runs[keys].to_numpy()))
    n = len(names)
    if n < 5 or not np.isfinite(runs[value]).all():
        raise ValueError(f"Expected finite values of at least five units, got {n} units: measure more of them.")
    cells = runs.groupby(keys)[value].mean()
    counts = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=5000)
    weights = np.prod([counts[:, names.get_indexer(cells.index.get_level_values(key))] for key in keys], axis=0)
    weights = weights[weights.sum(axis=1) > 0]  # of one domain drawn n times there is no pair
    means = weights @ cells.to_numpy() / weights.sum(axis=1)
    tail = stats.norm.cdf(np.sqrt(n / (n - 1)) * stats.t.ppf(0.025, n - 1))
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(float(cells.mean()), float(low), float(high), n)


def bound(measured: Interval, *, null: float = 0.0) -> float:
    """The size of effect, either way, that the interval leaves possible: whatever is larger is excluded.

    It bounds the effect by a smallest one of interest if it is smaller (equivalence test: Lakens, 2017, here with the
    same interval of 95 % as everywhere).
    """
    return max(abs(measured.low - null), abs(measured.high - null))


def draws_needed(
    measured: Interval, interest: float, *, null: float = 0.0, equal: bool = False, power: float = 0.8
) -> int | None:
    """How many draws settle a question with probability `power`, if mean and spread are as measured.

    Settled is: the 95 % interval lies inside `null` ± `interest`, or wholly off `null`. With an interest of 0 it is the
    inverse of `detectable`. Draws from one pool (`measured.overlap`) narrow the interval to a floor, not further.

    Args:
        measured: mean, interval and number of draws so far.
        interest: smallest effect that matters, in the unit of `measured`.
        null: the value that means "no effect".
        equal: the question is whether there is none: settled is inside ± `interest`, or wholly beyond it.
        power: between 0 and 1.

    Returns:
        The number in all, at least one more than so far, or None if 100,000 are too few.
    """
    from scipy import stats

    if measured.low == measured.high:
        return None  # without a spread more draws change nothing
    effect, far = abs(measured.mean - null), interest if equal else 0.0
    error = stats.t.ppf(0.975, measured.n - 1) * np.sqrt(1 / measured.n + measured.overlap)
    spread = (measured.high - measured.low) / 2 / error
    n = np.unique(np.geomspace(measured.n + 1, 1e5, 2000).round())
    half = stats.t.ppf(0.975, n - 1) * spread * np.sqrt(1 / n + measured.overlap)
    scale = spread / np.sqrt(n)

    def beyond(limit, sign: int):
        return stats.norm.sf((limit - sign * effect) / scale)

    inside = np.maximum(1 - beyond(interest - half, 1) - beyond(interest - half, -1), 0)
    off = beyond(far + half, 1) + beyond(far + half, -1)
    enough = inside + off >= power
    return int(n[enough.argmax()]) if enough.any() else None


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
    rows = [(*key, *interval(group[value], overlap=overlap)[:4]) for key, group in runs.groupby(keys, sort=False)]
    return pd.DataFrame(rows, columns=[*keys, "mean", "low", "high", "n"])


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
