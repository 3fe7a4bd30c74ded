"""Checks of chapter 03: the size of a full-network embedding, and columns chosen without the test rows."""

import numpy as np

from tlcourse.classroom.checks.core import a_number, exercise, require

_VGG16 = ((2, 64, 224), (2, 128, 112), (3, 256, 56), (3, 512, 28), (3, 512, 14))  # layers, channels, side of the maps
_COLUMNS = 50


@exercise
def embedding_size(answer) -> str:
    """How many features the full-network embedding of VGG16 has."""
    answer = a_number(answer, low=1, high=1e9)
    convolutions = sum(layers * channels for layers, channels, _ in _VGG16)
    truth = convolutions + 2 * 4096
    maps = sum(layers * channels * side**2 for layers, channels, side in _VGG16)
    require(answer != convolutions, "Those are the convolutions. The two dense layers are part of the *full* network.")
    require(answer != 2 * 4096, "Those are the dense layers. Each convolution gives a number for each channel as well.")
    require(
        answer != truth + 1000,
        "The last 1,000 are ImageNet's own classes. The embedding leaves the classifier out, as all feature extraction "
        "does.",
    )
    require(
        answer not in (maps, maps + 2 * 4096),
        "That is every position of every map. Global average pooling leaves *one* number for each channel.",
    )
    require(
        answer not in (64 + 128 + 256 + 512 + 512 + 2 * 4096, 64 + 128 + 256 + 512 + 512),
        "That is one convolution for each group; count every layer of it.",
    )
    require(answer != 12_000, "The lecture rounds. What is it exactly?")
    require(answer == truth, f"Not {answer:,.0f}: add up the channels of all 13 convolutions, and the dense layers.")
    return f"{truth:,}, which the lecture rounds to 12K. Two thirds of it come from two layers."


@exercise
def honest_selection(estimator, rows, labels) -> str:
    """One estimator that standardises, keeps 50 columns and trains a linear SVM, so that each fold chooses its own."""
    from sklearn.base import clone
    from sklearn.model_selection import StratifiedKFold, cross_val_score

    require(
        hasattr(estimator, "fit") and hasattr(estimator, "predict"),
        f"Expected one estimator with `fit` and `predict`, such as a pipeline, got {type(estimator).__name__}: "
        "cross-validation can only repeat in every fold what happens inside `fit`.",
    )
    rows, labels = np.asarray(rows, float), np.asarray(labels)
    folds = StratifiedKFold(5, shuffle=True, random_state=1)
    score = 100 * cross_val_score(clone(estimator), rows, labels, cv=folds).mean()
    require(
        score < 32,
        f"It still names {score:.0f} % of labels that are pure chance. The 50 columns are the same in every fold, "
        "chosen once with all labels in view, those of the fold's test rows too.",
    )
    used = _columns_used(clone(estimator).fit(rows, labels), rows)
    require(used.sum() >= _COLUMNS, f"Honest, but it uses {used.sum()} columns; keep 50, as in the report.")
    require(
        used.sum() == _COLUMNS,
        f"Honest, but it uses {used.sum():,} columns: nothing is selected any more. The 50 best should still be "
        "chosen, only by the fold's own training rows.",
    )
    others = _columns_used(clone(estimator).fit(rows, labels[::-1]), rows)
    require(
        not np.array_equal(used, others),
        "Honest, but the choice does not look at the labels at all. The report's does: let it, on training rows only.",
    )
    return "Every fold chooses its own 50 columns from its own training rows, and chance is what is left."


def _columns_used(fitted, rows: np.ndarray) -> np.ndarray:
    """Which columns change what a fitted classifier says about the first row, each tried by itself."""
    ask = getattr(fitted, "decision_function", fitted.predict)
    usual = ask(rows[:1])
    step = 3 * rows.std(axis=0) + 1
    used = np.zeros(rows.shape[1], bool)
    for start in range(0, rows.shape[1], 256):
        columns = np.arange(start, min(start + 256, rows.shape[1]))
        tried = np.repeat(rows[:1], len(columns), axis=0)
        tried[np.arange(len(columns)), columns] += step[columns]
        used[columns] = np.abs(ask(tried) - usual).reshape(len(columns), -1).max(axis=1) > 1e-9
    return used
