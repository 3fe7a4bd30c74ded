"""Checks of chapter 03: the size of a full-network embedding, and columns chosen without the test rows."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait

import numpy as np

from tlcourse.classroom.checks.core import NotYet, Question, exercise, numeric, require

_VGG16 = ((2, 64, 224), (2, 128, 112), (3, 256, 56), (3, 512, 28), (3, 512, 14))  # layers, channels, side of the maps
_COLUMNS = 50
_PATIENCE = 30.0  # seconds


@numeric
def embedding_size() -> Question:
    """How many features the full-network embedding of VGG16 has."""
    convolutions = sum(layers * channels for layers, channels, _ in _VGG16)
    once = sum(channels for _, channels, _ in _VGG16)
    maps = sum(layers * channels * side**2 for layers, channels, side in _VGG16)
    dense = 2 * 4096
    every_place = "That is every position of every map. Global average pooling leaves *one* number for each channel."
    one_a_group = "That is one convolution for each group; count every layer of it."
    return Question(
        convolutions + dense,
        {
            convolutions: "Those are the convolutions. The two dense layers are part of the *full* network.",
            dense: "Those are the dense layers. Each convolution gives a number for each channel as well.",
            convolutions + dense + 1000: "The last 1,000 are ImageNet's own classes. The embedding leaves the "
            "classifier out, as all feature extraction does.",
            maps: every_place,
            maps + dense: every_place,
            once: one_a_group,
            once + dense: one_a_group,
            12_000: "The lecture rounds. What is it exactly?",
        },
        otherwise="Which layers does it take, and how many numbers of each?",
        praise="{}, which the lecture rounds to 12K. Two thirds of it come from two layers.",
    )


@exercise
def honest_selection(estimator, rows, labels) -> str:
    """One estimator that standardises, keeps 50 columns and trains a linear SVM, all inside of `fit`.

    It is tried on tables made for the purpose, as wide as `rows`, in which 50 columns tell two classes apart, and which
    ones is drawn anew: whatever was chosen or fitted before misses them. `labels` are not looked at.
    """
    from sklearn.base import clone

    name = type(estimator).__name__
    no_fit = f"Expected one estimator with `fit` and `predict`, got {name}: cross-validation can only repeat "
    require(hasattr(estimator, "fit"), f"{no_fit}in every fold what happens inside `fit`.")
    require(hasattr(estimator, "predict"), f"Expected one estimator that ends in a classifier: this {name} has none.")
    width = np.shape(rows)[1]
    (table, y, telling), (other, _, telling_there) = (_table(width, seed) for seed in (0, 1))
    units = 10 ** np.random.default_rng(2).uniform(-2, 2, size=width)
    tables = (table, other, (table + 5) * units)
    here, there, scaled = _patiently(lambda: [clone(estimator).fit(x[:40], y) for x in tables])
    for last in _that_predict(here):
        kernel = f" with the kernel {last.kernel!r}" if hasattr(last, "kernel") else ""
        require(_is_linear_svm(last), f"Expected a linear SVM at the end, got {type(last).__name__}{kernel}.")
    used, used_there = _columns_used(here, table[0]), _columns_used(there, other[0])
    count, found = used.sum(), min(used[telling].sum(), used_there[telling_there].sum())
    require(count < width / 2, f"Honest, but it uses {count:,} columns: nothing is selected any more.")
    require(count == _COLUMNS, f"It uses {count:,} columns; keep 50, as in the report.")
    fixed = np.array_equal(used, used_there)
    require(not fixed, "The 50 columns are the same in every fold: chosen once, with the fold's test rows in view.")
    require(
        found > 0.8 * _COLUMNS,
        f"Of the 50 columns that go best with the labels in a fold's own training rows it finds {found}: its choice "
        "does not look at these labels, or it chooses among columns that were chosen before, with all labels in view.",
    )
    agree = here.predict(table[40:]) == scaled.predict((table[40:] + 5) * units)
    other_units = "The selection is honest. But with its columns in other units it says other things: the scaler is "
    require(agree.mean() > 0.9, f"{other_units}missing from `fit`, or was fitted before, on all rows.")
    return "Every fold chooses its own 50 columns from its own training rows, and chance is what is left."


def _table(width: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """240 rows of noise; for the first 40 two classes, whose means lie 2 spreads apart in 50 columns; these columns."""
    rng = np.random.default_rng(seed)
    y, telling = np.tile([0, 1], 20), rng.permutation(width)[:_COLUMNS]
    rows = rng.normal(size=(240, width))
    rows[:40, telling] += 2.0 * y[:, None] - 1
    return rows, y, telling


def _columns_used(fitted, row: np.ndarray) -> np.ndarray:
    """Which columns can turn a linear classifier's answer on a row, each moved far by itself, up or down."""
    usual, used = fitted.predict(row[None])[0], []
    for columns in np.array_split(np.arange(len(row)), 8):
        step = 1e7 * np.eye(len(row))[columns]
        used.append(np.any([fitted.predict(row + sign * step) != usual for sign in (-1, 1)], axis=0))
    return np.concatenate(used)


def _that_predict(part) -> list:
    """What predicts inside of an estimator, at any depth; of one that holds no other, itself."""
    from sklearn.base import BaseEstimator
    from sklearn.pipeline import Pipeline

    if isinstance(part, Pipeline):
        return _that_predict(part[-1])
    inner = part if isinstance(part, (list, tuple)) else getattr(part, "__dict__", {}).values()
    inner = [i for i in inner if isinstance(i, (BaseEstimator, list, tuple))]
    found = [last for i in inner if hasattr(i, "predict") or not hasattr(i, "transform") for last in _that_predict(i)]
    return found or [part] * hasattr(part, "predict")


def _is_linear_svm(fitted) -> bool:
    from sklearn.linear_model import SGDClassifier
    from sklearn.svm import SVC, LinearSVC, NuSVC

    if isinstance(fitted, (SVC, NuSVC)):
        x = np.arange(6.0).reshape(2, 3)
        return fitted.kernel == "linear" or callable(fitted.kernel) and np.allclose(fitted.kernel(x, x), x @ x.T)
    return isinstance(fitted, LinearSVC) or isinstance(fitted, SGDClassifier) and fitted.loss == "hinge"


def _patiently(fit: Callable):
    """What `fit()` returns, or a hint if it takes too long.

    Where there is an alarm, it is ended. On Windows, and outside of the main thread, there is none: it goes on in a
    thread that nobody waits for, until the kernel ends.
    """
    hint = f"It was still fitting after {_PATIENCE:g} seconds: choose the columns by a score for each."
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        return _in_a_thread(fit, hint)

    def ring(*_: object) -> None:
        raise NotYet(hint)

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, _PATIENCE, 1.0)  # again each second: a destructor swallows what it meets
    try:
        return fit()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _in_a_thread(fit: Callable, hint: str):
    future: Future = Future()

    def work() -> None:
        try:
            future.set_result(fit())
        except Exception as error:
            future.set_exception(error)

    threading.Thread(target=work, daemon=True).start()  # a thread of a pool would keep the kernel from ending
    if not wait([future], _PATIENCE).done:
        raise NotYet(hint)
    return future.result()
