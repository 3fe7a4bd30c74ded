"""Alignment of two domains' features, without a label of either: each function returns two maps, one for each domain.

A domain is a table, `(n, d)`: rows are examples, columns features, the same columns in both. What is learnt from the
tables is applied to new rows of the same domain, such as those that test, by the maps: nothing of these is looked at.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


class Alignment(NamedTuple):
    """Two maps of rows `(n, d)` into one common space: `source` for rows of the source, `target` for the target's."""

    source: Callable[[ArrayLike], np.ndarray]
    target: Callable[[ArrayLike], np.ndarray]


def standardise(source: ArrayLike, target: ArrayLike, *, floor: float = 0.1) -> Alignment:
    """Each domain by its own mean and standard deviation, feature by feature.

    What batch normalisation does where each domain keeps statistics of its own (Li et al., 2017, "Revisiting batch
    normalization for practical domain adaptation", section 3.3).

    Args:
        source: `(n, d)`.
        target: `(m, d)`.
        floor: so many times a domain's mean standard deviation is added to each of its features', so that one that
            hardly varies is not blown up.

    Raises:
        ValueError: a table is none or holds what is not finite; the two have not the same columns; the floor is
            negative; a domain does not vary, or, without a floor, one of its columns.
    """
    source, target = _pair(source, target)
    if not (np.isfinite(floor) and floor >= 0):
        raise ValueError(f"Expected a floor of 0 or more, got {floor}: 0.1 is a tenth of the mean deviation.")
    mean, spread = _moments(source, "source", floor)
    mean_t, spread_t = _moments(target, "target", floor)
    width = source.shape[1]
    return Alignment(lambda new: (_new(new, width) - mean) / spread, lambda new: (_new(new, width) - mean_t) / spread_t)


def coral(source: ArrayLike, target: ArrayLike, *, ridge: float | None = None) -> Alignment:
    """Correlation alignment (Sun, Feng and Saenko, 2016, algorithm 1), both domains about their own means.

    The source is whitened, then coloured as the target is: A = (C_S + r I)^(-1/2) (C_T + r I)^(1/2).

    Args:
        source: `(n, d)`.
        target: `(m, d)`.
        ridge: r, added to each feature's variance. None is the mean variance of a feature over both domains: what the
            paper's identity is for its standardised features. With 0 there have to be more source rows than features.

    Raises:
        ValueError: a table is none or holds what is not finite; the two have not the same columns; the ridge is
            negative, or 0 where the source does not vary in every direction.
    """
    source, target = _pair(source, target)
    if ridge is None:
        ridge = float((source.var(axis=0, ddof=1).mean() + target.var(axis=0, ddof=1).mean()) / 2)
    if not (np.isfinite(ridge) and ridge >= 0):
        raise ValueError(f"Expected a ridge of 0 or more, got {ridge}: leave it out for the mean variance.")
    if ridge == 0 and np.linalg.matrix_rank(source - source.mean(axis=0)) < source.shape[1]:
        raise ValueError(
            f"Expected a source that varies in all {source.shape[1]} directions, got {len(source)} rows that do not: "
            "give a ridge above 0."
        )
    whiten, colour = _power(source, -0.5, ridge), _power(target, 0.5, ridge)
    mean, mean_t, width = source.mean(axis=0), target.mean(axis=0), source.shape[1]
    return Alignment(lambda new: (_new(new, width) - mean) @ whiten @ colour, lambda new: _new(new, width) - mean_t)


def align_subspaces(source: ArrayLike, target: ArrayLike, dimensions: int) -> Alignment:
    """Subspace alignment (Fernando et al., 2013, algorithm 1): the source's principal axes turned to the target's.

    With the axes as columns, X_S and X_T: source rows go by X_S X_Sᵀ X_T, target rows by X_T alone.

    Args:
        source: `(n, d)`.
        target: `(m, d)`.
        dimensions: how many axes of each, at most d and less than the rows of the smaller domain.

    Raises:
        ValueError: a table is none or holds what is not finite; the two have not the same columns; or there are not
            so many axes.
    """
    source, target = _pair(source, target)
    most = min(source.shape[1], len(source) - 1, len(target) - 1)
    if not 1 <= dimensions <= most:
        raise ValueError(f"Expected 1 to {most} dimensions, got {dimensions}: each has to exist in both domains.")
    axes, axes_t = (np.linalg.svd(x - x.mean(axis=0), full_matrices=False)[2][:dimensions].T for x in (source, target))
    mean, mean_t, width = source.mean(axis=0), target.mean(axis=0), source.shape[1]
    turn = axes @ (axes.T @ axes_t)
    return Alignment(lambda new: (_new(new, width) - mean) @ turn, lambda new: (_new(new, width) - mean_t) @ axes_t)


def answers(source: ArrayLike, y: ArrayLike, new: ArrayLike, alignment: Alignment | None = None) -> np.ndarray:
    """What a linear support-vector machine of the source says of new rows of the target.

    The rows of the source are scaled by one number, to a mean squared length of 1, and those of the target by the same:
    so one and the same C is as strict whatever an alignment has made of the scale.

    Args:
        source: `(n, d)`.
        y: `(n,)`, the source's labels, of at least two classes.
        new: `(m, d)`, rows of the target.
        alignment: of the two domains; None leaves both as they are.

    Returns:
        `(m,)`, a label for each new row.

    Raises:
        ValueError: not a label for each row of the source, only one class, or tables that do not fit.
    """
    from sklearn.metrics.pairwise import linear_kernel
    from sklearn.svm import SVC

    source, new = _pair(source, new, least=1)
    y = np.asarray(y)
    if y.shape != (len(source),) or len(np.unique(y)) < 2:
        raise ValueError(
            f"Expected {len(source)} labels of at least two classes, got shape {y.shape} with {len(np.unique(y))}: "
            "pass the source's labels, one a row."
        )
    rows, rows_t = (source, new) if alignment is None else (alignment.source(source), alignment.target(new))
    length = np.sqrt((rows**2).sum(axis=1).mean())
    return SVC(kernel=linear_kernel, C=10).fit(rows / length, y).predict(rows_t / length)


def _moments(rows: np.ndarray, name: str, floor: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean and, with the floor, standard deviation of each feature."""
    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    constant = np.flatnonzero(spread <= 1e-12 * np.maximum(1.0, np.abs(mean)))
    if len(constant) == len(mean):
        raise ValueError(f"Expected a {name} that varies, got {len(rows)} equal rows: look at what you have loaded.")
    if floor == 0 and len(constant):
        raise ValueError(
            f"Expected features that vary, got column {constant[0]} of the {name} constant: drop it in both, or give "
            "a floor."
        )
    return mean, spread + floor * spread.mean()


def _power(rows: np.ndarray, p: float, ridge: float) -> np.ndarray:
    """`(d, d)`, a power of the covariance plus ridge: off the rows' own directions it is the ridge's alone."""
    _, s, axes = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    values = np.maximum(s**2 / (len(rows) - 1) + ridge, np.finfo(float).tiny)
    if ridge == 0:
        return axes.T * values**p @ axes
    return ridge**p * np.eye(rows.shape[1]) + axes.T * (values**p - ridge**p) @ axes


def _pair(source: ArrayLike, target: ArrayLike, *, least: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Both tables as floats, if they are ones and fit."""
    tables = []
    for name, given in (("source", source), ("target", target)):
        rows = np.asarray(given)
        if rows.ndim != 2:
            raise ValueError(
                f"Expected the {name} as a table (rows, features), got shape {rows.shape}: labels have no place here."
            )
        if len(rows) < least:
            raise ValueError(f"Expected at least {least} rows of the {name}, got {len(rows)}: a domain is empty.")
        tables.append(_finite(rows, name))
    source_rows, target_rows = tables
    if source_rows.shape[1] != target_rows.shape[1]:
        raise ValueError(
            f"Expected the same features in both domains, got {source_rows.shape[1]} and {target_rows.shape[1]}: "
            "extract both with one backbone."
        )
    return source_rows, target_rows


def _new(rows: ArrayLike, width: int) -> np.ndarray:
    table = np.asarray(rows)
    if table.ndim != 2 or table.shape[1] != width:
        raise ValueError(f"Expected rows of {width} features, got shape {table.shape}: take them from the same domain.")
    return _finite(table, "new rows")


def _finite(rows: np.ndarray, name: str) -> np.ndarray:
    try:
        rows = rows.astype(float)
    except (TypeError, ValueError):
        raise ValueError(f"Expected numbers in the {name}, got {rows.dtype}: extract features first.") from None
    if not np.isfinite(rows).all():
        count = int((~np.isfinite(rows)).sum())
        raise ValueError(f"Expected finite numbers in the {name}, got {count} that are not: drop or fill those rows.")
    return rows
