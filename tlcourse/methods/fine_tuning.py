"""Fine-tuning in stages: a probe becomes the head, the frozen part runs once, and each block learns at its own rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from . import freezing

if TYPE_CHECKING:
    import keras
    from sklearn.linear_model import LogisticRegression


def put_probe(model: keras.Model, rows: ArrayLike, y: ArrayLike, *, strength: float = 0.1) -> LogisticRegression:
    """Train a linear probe on frozen features and make it the model's classifier.

    The probe is a logistic regression with an L2 penalty, a convex problem: its solution does not depend on a seed.

    Args:
        model: a `keras.Model` that ends in a dense layer `logits`; changed in place.
        rows: `(n, features)`, what goes into `logits` for each example.
        y: `(n,)` labels, 0 to the number of logits less 1, each at least once.
        strength: scikit-learn's C, the inverse of the penalty; above 0.

    Returns:
        The fitted `sklearn.linear_model.LogisticRegression`.

    Raises:
        ValueError: a shape, a label or the strength does not fit.
    """
    from sklearn.linear_model import LogisticRegression

    kernel, _ = model.get_layer("logits").weights
    rows, y = np.asarray(rows), np.asarray(y)
    if rows.ndim != 2 or rows.shape[1] != kernel.shape[0] or len(rows) != len(y):
        raise ValueError(
            f"Expected features of shape (n, {kernel.shape[0]}) and n labels, got {rows.shape} and {y.shape}: extract "
            "them with the network that the head stands on."
        )
    if sorted(set(y.tolist())) != list(range(kernel.shape[1])) or kernel.shape[1] < 3:
        raise ValueError(
            f"Expected each label from 0 to {kernel.shape[1] - 1} at least once, and at least three classes, got "
            f"{sorted(set(y.tolist()))}: build the network with as many classes as there are labels."
        )
    if not strength > 0:
        raise ValueError(f"Expected a strength above 0, got {strength}: smaller is smoother, 0.1 is a good start.")
    probe = LogisticRegression(C=strength, max_iter=2000).fit(rows, y)
    model.get_layer("logits").set_weights([probe.coef_.T, probe.intercept_])
    return probe


def cut(model: keras.Model, top: int) -> tuple[keras.Model, keras.Model]:
    """Cut a model in two below its last `top` blocks; both halves share their weights with it.

    While the lower half is frozen, its output for a picture never changes: run it once, and train the upper half on
    what comes out. The weights end where training the whole model would have brought them.

    Args:
        model: a `keras.Model` whose layers are named after their blocks; blocks follow each other in a chain.
        top: number of blocks in the upper half, from 1 to all; then the lower half prepares the pictures alone.

    Returns:
        `(lower, upper)`, with `upper(lower(x)) == model(x)`.

    Raises:
        ValueError: there are not that many blocks.
    """
    import keras

    names = freezing.blocks(model)
    if not 1 <= top <= len(names):
        raise ValueError(f"Expected 1 to {len(names)} blocks above the cut, got {top}: count from the output down.")
    above = set(names[len(names) - top :])
    first = next(layer for layer in model.layers if freezing.block_of(layer.name) in above)
    return keras.Model(model.input, first.input), keras.Model(first.input, model.output)


def by_block(model: keras.Model, rate: float, *, decay: float) -> keras.optimizers.Optimizer:
    """Adam with a learning rate for each block (Howard and Ruder, 2018, "discriminative fine-tuning").

    Args:
        model: a `keras.Model` whose layers are named after their blocks.
        rate: learning rate of the block next to the output, above 0.
        decay: what a block's rate is multiplied with for the block below it, above 0 and at most 1.

    Returns:
        A `keras.optimizers.MultiOptimizer`.

    Raises:
        ValueError: a rate or decay out of range.
    """
    import keras

    if not rate > 0:
        raise ValueError(f"Expected a learning rate above 0, got {rate}: the sign belongs to the optimizer.")
    if not 0 < decay <= 1:
        raise ValueError(f"Expected a decay above 0 and at most 1, got {decay}: blocks below learn more slowly.")
    rates = {block: rate * decay**i for i, block in enumerate(reversed(freezing.blocks(model)))}
    optimizers = {block: keras.optimizers.Adam(each) for block, each in rates.items()}
    return keras.optimizers.MultiOptimizer(lambda weight: optimizers[freezing.block_of(weight.path)])


def refresh_statistics(model: keras.Model, x: np.ndarray, *, batch_size: int = 16) -> None:
    """Measure the moving statistics of every trainable batch norm anew, with the weights as they are now.

    While a network trains from scratch its weights run ahead of the statistics, which are averages over weights that
    are no more; after a short training it can then fail in inference whatever it has learnt. Passing the training
    pictures through once more, with nothing learnt from them, mends that (Wu and Johnson, 2021, "precise" statistics).

    Args:
        model: a `keras.Model`; its batch norms' statistics are changed in place, and nothing else.
        x: `(n, …)` training inputs, at least `batch_size`.
        batch_size: as in training.

    Raises:
        ValueError: there are fewer inputs than one batch has.
    """
    if len(x) < batch_size:
        raise ValueError(f"Expected at least one batch of {batch_size} inputs, got {len(x)}: take a smaller batch.")
    import tensorflow as tf

    step = tf.function(lambda batch: model(batch, training=True))
    starts = range(0, len(x) - batch_size + 1, batch_size)
    # Each block's statistics settle only after those below: with momentum 0.9, fifty steps leave half a percent.
    for i in range(max(50, len(starts))):
        start = starts[i % len(starts)]
        step(tf.convert_to_tensor(x[start : start + batch_size]))
