"""Hard parameter sharing (Caruana, 1997): one trunk, a head for each task, and a loss that adds up what is known."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import tensorflow as tf

FILTERS = (16, 32)  # of the two convolutions, before `width`


class Network:
    """Two convolutions and a dense layer, shared by all tasks, and one dense layer for each task: its head.

    Args:
        heads: how many classes each task has, by name.
        width: by how much filters and hidden numbers are multiplied.
        hidden: numbers that the trunk ends in.
        size: height and width of the pictures in pixels, a multiple of 4.
        rate: of Adam.
        dropout: share of the trunk's numbers that a step leaves out before the heads.
        groups: for a task by name, `(classes,)`, which group each class belongs to: then an answer competes only with
            those of its own group, as if each group had a head of its own. Without: with all of the task's classes.
        seed: for the weights.
    """

    def __init__(
        self,
        heads: Mapping[str, int],
        *,
        width: float = 1.0,
        hidden: int = 64,
        size: int = 28,
        rate: float = 2e-3,
        dropout: float = 0.0,
        groups: Mapping[str, np.ndarray] | None = None,
        seed: int,
    ):
        import keras
        import tensorflow as tf
        from keras import layers

        keras.utils.set_random_seed(seed)
        relu: dict[str, Any] = {"activation": "relu", "kernel_initializer": "he_uniform"}
        first, second, last = (max(1, round(width * n)) for n in (*FILTERS, hidden))
        self.trunk = keras.Sequential([
            keras.Input((size, size, 1)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(first, 5, strides=2, padding="same", **relu),
            layers.Conv2D(second, 3, strides=2, padding="same", **relu),
            layers.Flatten(),
            layers.Dense(last, **relu),
            *([layers.Dropout(dropout, seed=seed)] if dropout else []),
        ])  # fmt: skip
        self.heads = {task: keras.Sequential([keras.Input((last,)), layers.Dense(n)]) for task, n in heads.items()}
        self.groups = {task: tf.constant(of, tf.int32) for task, of in (groups or {}).items()}
        self.trained = [*self.trunk.trainable_weights]
        for head in self.heads.values():
            self.trained += head.trainable_weights
        self.optimizer = keras.optimizers.Adam(rate)
        self.optimizer.build(self.trained)
        self.state = [*self.trained, *self.optimizer.variables]
        self.start = [variable.numpy() for variable in self.state]
        self._steps = tf.function(self._take)

    def fit(
        self,
        x: np.ndarray,
        labels: Mapping[str, np.ndarray],
        order: np.ndarray,
        *,
        weights: Mapping[str, float] | None = None,
        noise: Collection[str] = (),
        go_on: bool = False,
    ) -> Network:
        """Train from the start, a step for each row of `order`.

        Args:
            x: `(n, size, size, 1)` pictures in [0, 255].
            labels: for each task `(n,)` classes; -1 where a picture has none.
            order: `(steps, pictures in a step)`, numbers of the pictures, as `batches` gives them.
            weights: of each task's loss; 1 where none is given.
            noise: tasks whose labels are dealt anew among the pictures of each step, so that there is nothing to learn.
            go_on: from where the last `fit` ended, optimizer included.
        """
        import tensorflow as tf

        if not go_on:
            for variable, value in zip(self.state, self.start, strict=True):
                variable.assign(value)
        lessons = {task: np.asarray(labels[task])[order] for task in self.heads}
        for task in noise:
            lessons[task] = np.random.default_rng(order[0].tolist()).permuted(lessons[task], axis=1)
        weighed = {task: tf.constant(float((weights or {}).get(task, 1.0))) for task in self.heads}
        asked = {task: tf.constant(lesson, tf.int32) for task, lesson in lessons.items()}
        self._steps(tf.constant(x, tf.float32), asked, weighed, tf.constant(order, tf.int32))
        return self

    def _take(
        self, x: tf.Tensor, labels: dict[str, tf.Tensor], weights: dict[str, tf.Tensor], order: tf.Tensor
    ) -> None:
        import tensorflow as tf

        for i in tf.range(tf.shape(order)[0]):
            step(self, tf.gather(x, order[i]), {task: labels[task][i] for task in self.heads}, weights)

    def start_from(self, trunk: Sequence[np.ndarray], head: Sequence[np.ndarray] = ()) -> Network:
        """From now on `fit` starts with these weights of the trunk, and of the first head if they are given."""
        given = [*trunk, *head]
        self.start[: len(given)] = [np.array(weights) for weights in given]
        return self

    def features(self, x: np.ndarray) -> np.ndarray:
        """What the trunk makes of pictures, `(n, hidden)`."""
        return np.concatenate([self.trunk(x[i : i + 2000]).numpy() for i in range(0, len(x), 2000)])

    def logits(self, task: str, x: np.ndarray) -> np.ndarray:
        """`(n, classes)` of one task."""
        return self.heads[task](self.features(x)).numpy()


def step(
    net: Network,
    x: np.ndarray | tf.Tensor,
    labels: Mapping[str, np.ndarray | tf.Tensor],
    weights: Mapping[str, float | tf.Tensor],
) -> None:
    """Trunk and heads take one step down the sum of the losses."""
    import tensorflow as tf

    with tf.GradientTape() as tape:
        loss = shared_loss(net, x, labels, weights)
    net.optimizer.apply(tape.gradient(loss, net.trained), net.trained)


def shared_loss(
    net: Network,
    x: np.ndarray | tf.Tensor,
    labels: Mapping[str, np.ndarray | tf.Tensor],
    weights: Mapping[str, float | tf.Tensor],
) -> tf.Tensor:
    """The weighted sum over tasks of the mean cross-entropy over those pictures that have a label, in nats."""
    import tensorflow as tf

    features = net.trunk(x, training=True)
    loss = tf.constant(0.0)
    for task, head in net.heads.items():
        logits, y = head(features), tf.cast(labels[task], tf.int32)
        known, y = tf.cast(y >= 0, tf.float32), tf.maximum(y, 0)
        if task in net.groups:
            groups = net.groups[task]
            logits = tf.where(groups == tf.gather(groups, y)[:, None], logits, -1e9)
        errors = tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits)
        loss += weights[task] * tf.reduce_sum(known * errors) / tf.maximum(tf.reduce_sum(known), 1.0)
    return loss


def batches(pools: Sequence[np.ndarray], steps: int, *, batch: int = 64, seed: int) -> np.ndarray:
    """Numbers of the pictures of each step, `(steps, batch times pools)`: so many of each pool.

    A pool is gone through in random order, all of it before any of it comes again.

    Args:
        pools: of picture numbers, none of them empty.
        steps: at least 1.
        batch: pictures of each pool in a step.
        seed: chooses the order. What the first pool gives does not depend on the others.

    Raises:
        ValueError: a pool is empty.
    """
    drawn = []
    for number, pool in enumerate(pools):
        if len(pool) == 0:
            raise ValueError(f"Expected pictures in each pool, got none in pool {number}: leave it out.")
        rng, needed = np.random.default_rng([seed, number]), steps * batch
        rounds = [rng.permutation(np.asarray(pool)) for _ in range(-(-needed // len(pool)))]
        drawn.append(np.concatenate(rounds)[:needed].reshape(steps, batch))
    return np.concatenate(drawn, axis=1)
