"""Training as tidy tables: a thin `fit`, and the accuracy that the course reports."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    import keras


def accuracy(y: ArrayLike, logits: ArrayLike) -> float:
    """Balanced accuracy in percent: the mean over the classes of the share that is named right.

    Args:
        y: `(n,)` labels.
        logits: `(n, classes)`; the largest names the class.
    """
    from sklearn.metrics import balanced_accuracy_score

    return float(100 * balanced_accuracy_score(y, np.asarray(logits).argmax(axis=1)))


def fit(
    model: keras.Model,
    train: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray] | None = None,
    *,
    epochs: int,
    learning_rate: float | keras.optimizers.Optimizer = 1e-3,
    batch_size: int = 32,
    seed: int,
    callbacks: Iterable[keras.callbacks.Callback] = (),
) -> pd.DataFrame:
    """Compile a classifier that ends in logits with Adam, train it, and return its history as a tidy table.

    Args:
        model: a `keras.Model` that gives `(n, classes)` logits.
        train: `(x, y)` with integer labels.
        validation: `(x, y)` or None.
        epochs: passes over the training set.
        learning_rate: a number for Adam, or a Keras optimizer of your own.
        batch_size: examples a step.
        seed: for the order of the examples and everything else that is random in Keras.
        callbacks: Keras callbacks.

    Returns:
        One row an epoch and split: `epoch` (from 1), `split` ("train" or "validation"), `loss`, `accuracy` in percent.
    """
    import keras

    keras.utils.set_random_seed(seed)
    by_rate = isinstance(learning_rate, (int, float))
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate) if by_rate else learning_rate,
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    history = model.fit(*train, validation_data=validation, epochs=epochs, batch_size=batch_size, verbose=0,
                        callbacks=list(callbacks)).history  # fmt: skip
    rows = []
    for prefix, split in (("", "train"), ("val_", "validation")):
        pairs = zip(history.get(f"{prefix}loss", ()), history.get(f"{prefix}accuracy", ()), strict=True)
        rows += [(epoch, split, loss, 100 * hits) for epoch, (loss, hits) in enumerate(pairs, start=1)]
    return pd.DataFrame(rows, columns=["epoch", "split", "loss", "accuracy"])
