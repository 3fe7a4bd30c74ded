"""Starts that are made to be fine-tuned: Reptile (Nichol, Achiam and Schulman, 2018), and fine-tuning on an episode."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

WAYS, INNER = 5, 4  # classes of a task, and steps on it


def with_head(model: keras.Model, ways: int = WAYS) -> keras.Model:
    """The network and a new dense layer on it that says nothing yet: all its weights are 0."""
    import keras

    return keras.Model(model.input, keras.layers.Dense(ways, kernel_initializer="zeros")(model.output))


def descend(model: keras.Model, x: tf.Tensor, y: tf.Tensor, rate: float | tf.Tensor, *, training: bool) -> None:
    """One step of plain gradient descent on cross-entropy, in place; `training` is for batch normalisation."""
    import tensorflow as tf

    weights = model.trainable_weights
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, model(x, training=training)))
    for weight, slope in zip(weights, tape.gradient(loss, weights), strict=True):
        weight.assign_sub(rate * slope)


class Reptile:
    """A network that is led towards where fine-tuning on one small task after the other would take it.

    In the steps on a task batch normalisation keeps the statistics that it has, as in fine-tuning afterwards, or it
    takes each batch's own. Those of the last tasks belong to weights that the start has not: `few_shot.settle` them.

    Args:
        model: ends in `WAYS` logits; it is changed in place.
        inner: rate of the steps on a task.
        outer: which part of the way to where they led the start follows, at first; it falls to 0 in a line.
        kept: whether batch normalisation keeps its statistics.
        seed: for the tasks.
    """

    def __init__(self, model: keras.Model, *, inner: float = 0.05, outer: float = 0.5, kept: bool = False, seed: int):
        self.model, self.inner, self.outer, self.kept = model, inner, outer, kept
        self.rng = np.random.default_rng(seed)

    @property
    def state(self) -> list:
        """The start's weights."""
        return self.model.weights

    def fit(self, x: np.ndarray, y: np.ndarray, *, steps: int) -> Reptile:
        """Learn a start.

        Args:
            x: `(n, 28, 28) uint8`, as many of each class, at least 20.
            y: `(n,)` their classes, 0, 1, …, in this order.
            steps: tasks, each of 20 drawings of `WAYS` classes.
        """
        import tensorflow as tf

        classes = int(y[-1]) + 1
        each = len(x) // classes
        chosen = np.stack([self.rng.choice(classes, WAYS, replace=False) for _ in range(steps)])
        drawings = self.rng.random((steps, WAYS, each)).argsort(axis=-1)[:, :, : 5 * INNER]
        rows = (each * chosen[:, :, None] + drawings).reshape(steps, WAYS, INNER, 5).swapaxes(1, 2)
        run: Any = tf.function(self._run)
        run(tf.constant(x), tf.constant(rows.reshape(steps, INNER, -1)))
        return self

    def _run(self, x: tf.Tensor, tasks: tf.Tensor) -> None:
        import tensorflow as tf

        y, weights = tf.repeat(tf.range(WAYS), 5), self.model.trainable_weights
        for number in tf.range(len(tasks)):
            start = [tf.identity(weight) for weight in weights]
            for rows in tf.unstack(tasks[number]):
                descend(
                    self.model,
                    tf.cast(tf.gather(x, rows), tf.float32)[..., None] / 255,
                    y,
                    self.inner,
                    training=not self.kept,
                )
            part = self.outer * (1 - tf.cast(number / len(tasks), tf.float32))
            for weight, before in zip(weights, start, strict=True):
                weight.assign(before + part * (weight - before))


class FineTuner:
    """Fine-tunes a network on one episode after the other, each time from the same start.

    Args:
        model: ends in logits; it is left as it was.
    """

    def __init__(self, model: keras.Model):
        import tensorflow as tf

        self.model = model
        self.start = [weight.numpy() for weight in model.weights]
        self.descend: Any = tf.function(self._descend, reduce_retracing=True)

    def _descend(self, x: tf.Tensor, y: tf.Tensor, rate: tf.Tensor, steps: tf.Tensor) -> None:
        import tensorflow as tf

        for _ in tf.range(steps):
            descend(self.model, x, y, rate, training=False)

    def answers(self, x: np.ndarray, y: np.ndarray, queries: np.ndarray, *, rate: float, steps: Sequence[int]) -> list:
        """Logits of the queries after each of so many steps on the examples.

        Args:
            x: `(n, 28, 28, 1)` in [0, 1].
            y: `(n,)`.
            queries: `(m, 28, 28, 1)`.
            rate: of gradient descent.
            steps: rising.
        """
        import tensorflow as tf

        for weight, value in zip(self.model.weights, self.start, strict=True):
            weight.assign(value)
        found, done = [], 0
        for mark in steps:
            self.descend(tf.constant(x), tf.constant(y), tf.constant(rate, tf.float32), tf.constant(mark - done))
            found.append(np.asarray(self.model(queries)))
            done = mark
        for weight, value in zip(self.model.weights, self.start, strict=True):
            weight.assign(value)
        return found
