"""Checks of chapter 03: a depth reported honestly, the embedding's thresholds, choosing without test rows, colour."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait

import numpy as np

from tlcourse.classroom.checks.core import PERCENT, NotYet, Question, exercise, numeric, require

_COLUMNS = 50
_PATIENCE = 30.0  # seconds


@numeric
def held_out_depth(by_quarter) -> Question:
    """Accuracy, in percent, on draws 15 to 19 of the photographs' block that is best on draws 10 to 14."""
    part = by_quarter[by_quarter.target == "photographs"]
    wide = part.pivot(index="seed", columns="block", values="accuracy")
    choosing, others = wide.loc[10:14], wide.loc[15:19]
    block = choosing.mean().idxmax()
    fell = (choosing.mean() - others.mean()).drop(block).mean()
    chosen_by_it = "That block was chosen because it was lucky there: these draws cannot report it as well."
    return Question(
        others[block].mean(),
        {
            choosing[block].mean(): chosen_by_it,
            wide[block].mean(): "Half of these draws chose the block. Report the others alone.",
            others.mean().max(): "That is the best block of the draws that report: chosen and reported on the same.",
            wide.mean().max(): "That is chosen and reported on the same ten draws.",
            wide.max(axis=1).mean(): "That takes the best block of each draw, after the fact.",
            others[block].mean() / 100: PERCENT,
        },
        otherwise="Choose on draws 10 to 14, then look that block up in draws 15 to 19, on the photographs.",
        praise=f"{{}} %. In those that chose it, {block} had {choosing[block].mean():.1f}. The other blocks fell by "
        f"{fell:.1f} in the mean: so much is other draws. What is left is the luck of having been chosen.",
        decimals=1,
    )


@numeric
def becomes_one() -> Question:
    """From which value on a feature with mean 20 and spread 8 in training becomes a 1 in the embedding."""
    return Question(
        20 + 0.15 * 8,
        {
            30 + 0.15 * 10: "That uses the mean and spread of the test pictures. Which does the embedding know?",
            20 + 0.15: "0.15 is in standard deviations: how many units of the feature is that?",
            0.15: "That is in standard deviations from the mean. Which value of the feature is it?",
            20 - 0.25 * 8: "Below that it becomes −1.",
            20 + 8: "That is one whole spread above the mean: look at `discretise`.",
            20 + 0.25 * 8: "0.25 is the threshold of −1, below the mean.",
            20: "At the mean itself it is 0: look at `discretise`.",
        },
        otherwise="Mean and spread of the training, and the upper threshold in `discretise`.",
        praise="{}. So the test mean would be a 1: the embedding says how a picture differs from the *training* set.",
        decimals=1,
    )


@exercise
def mean_colours(flat, masks, fillings) -> str:
    """Outlines on white, each filled with the mean colour of its square."""
    require(hasattr(flat, "__len__") and not isinstance(flat, (str, dict)), "Expected pictures, an array or a list.")
    pictures, masks, fillings = np.asarray(flat), np.asarray(masks), np.asarray(fillings)
    require(
        pictures.shape == fillings.shape,
        f"Expected {len(fillings)} pictures, shape {fillings.shape}, got {pictures.shape}: one for each of `conflict`.",
    )
    require(pictures.max() > 1.5, "Expected colours from 0 to 255; these are from 0 to 1.")
    got, means = [], []
    for picture, mask, filling in zip(pictures, masks, fillings, strict=True):
        white = np.abs(picture[mask == 0].astype(float) - 255).max(initial=0) <= 2
        require(white, "The background is not white everywhere: then its difference from the inside fades as well.")
        inside = picture[mask == 255].astype(float)
        spread = np.ptp(inside, axis=0).max() if len(inside) else 0
        require(spread <= 3, "Inside an outline there is more than one colour: some of the pattern is left.")
        got.append(inside.mean(axis=0) if len(inside) else filling.mean(axis=(0, 1)))
        means.append(filling.mean(axis=(0, 1)))
    got, means = np.array(got), np.array(means)
    grey = np.ptp(got, axis=1).max() <= 2 < np.ptp(means, axis=1).max()
    require(not grey, "That is the mean over the colours as well, a grey: keep red, green and blue apart.")
    require(np.ptp(got, axis=0).max() > 3, "All have the same colour: take each picture's own mean.")
    right = np.abs(got - means).max() <= 3
    require(right, "One colour each, but not the mean of the square that filled this outline in `conflict`.")
    return "The pattern is gone, outline and mean colour are what they were. Now ask the probes."


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
