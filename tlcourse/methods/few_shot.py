"""Embeddings that compare: a small network and the losses it is trained with.

All losses take one batch as `(classes, drawings, width)`: some drawings of each of some classes, as numbers. How new
classes are told apart is in `episodes`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

FILTERS = (16, 32, 64, 64)
CLASSES, DRAWINGS = 20, 5  # of a batch


def network(*, seed: int) -> keras.Model:
    """Four convolutions, each halved and normalised: from `(n, 28, 28, 1)` in [0, 1] to `(n, 64)`.

    Pictures are halved first and normalised then, which costs a quarter and says the same.
    """
    import keras
    from keras import layers

    keras.utils.set_random_seed(seed)
    inputs = x = keras.Input((28, 28, 1))
    for filters in FILTERS:
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False, kernel_initializer="he_normal")(x)
        x = layers.MaxPooling2D()(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    return keras.Model(inputs, layers.Flatten()(x))


def embed(model: keras.Model, images: np.ndarray, *, size: int = 500) -> np.ndarray:
    """What a network makes of `(…, 28, 28) uint8` pictures: `(…, width)`."""
    x = images.reshape(-1, 28, 28, 1).astype("float32") / 255
    rows = [np.asarray(model(x[i : i + size])) for i in range(0, len(x), size)]
    return np.concatenate(rows).reshape(*images.shape[:-2], -1)


def settle(model: keras.Model, x: np.ndarray, *, seed: int, batches: int = 50) -> None:
    """Make batch normalisation's statistics those of these pictures, `(n, 28, 28) uint8`; no weight is trained.

    They are else those of whatever came last in training, or of nothing at all in an untrained network.
    """
    rng = np.random.default_rng(seed)
    for _ in range(batches):
        rows = rng.integers(len(x), size=CLASSES * DRAWINGS)
        model(x[rows][..., None].astype("float32") / 255, training=True)


def sizes(z: tf.Tensor) -> tuple[int, ...]:
    """The shape of a tensor whose shape is known."""
    shape: Any = z.shape
    return tuple(shape)


def distances(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Squared, of every row of `(n, width)` to every row of `(m, width)`."""
    import tensorflow as tf

    return tf.reduce_sum((a[:, None] - b[None]) ** 2, axis=-1)


def pairs(z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Distances of all drawings of a batch; which of them are of one class (and not one drawing); which of two."""
    import tensorflow as tf

    classes, drawings, width = sizes(z)
    y, rows = np.repeat(np.arange(classes), drawings), tf.reshape(z, (-1, width))
    same = y[:, None] == y
    return distances(rows, rows), tf.constant(same & ~np.eye(len(y), dtype=bool)), tf.constant(~same)


def contrastive(z: tf.Tensor, margin: float) -> tf.Tensor:
    """Pairs of one class together, all others at least a margin apart (Hadsell, Chopra and LeCun, 2006, eq. 4).

    Distances are between embeddings of length 1, which theirs are not. Of the pairs that are pushed only those inside
    the margin count in the mean: most of the others are satisfied, and would leave the push next to nothing.
    """
    import tensorflow as tf

    d2, same, other = pairs(tf.math.l2_normalize(z, axis=-1))
    push = tf.nn.relu(margin - tf.sqrt(d2 + 1e-8))[other]
    inside = tf.maximum(tf.reduce_sum(tf.cast(push > 0, tf.float32)), 1.0)
    return tf.reduce_mean(d2[same]) + tf.reduce_sum(push**2) / inside


def triplet(z: tf.Tensor, margin: float, *, mined: bool = True) -> tf.Tensor:
    """An anchor is nearer to its class than to the nearest other that is not nearer yet (Schroff et al., 2015).

    Distances are between embeddings of length 1. Where every other class is nearer, the farthest of them is taken, as
    TensorFlow Addons does. If not `mined`, the mean is over all triplets, with every drawing of another class.
    """
    import tensorflow as tf

    d2, same, other = pairs(tf.math.l2_normalize(z, axis=-1))
    if not mined:
        every = tf.nn.relu(d2[:, :, None] - d2[:, None, :] + margin)
        return tf.reduce_mean(every[same[:, :, None] & other[:, None, :]])
    semi_hard = other[:, None, :] & (d2[:, None, :] > d2[:, :, None])  # anchor, positive, negative
    nearest = tf.reduce_min(tf.where(semi_hard, d2[:, None, :], 4.0), axis=-1)
    farthest = tf.reduce_max(tf.where(other, d2, 0.0), axis=-1, keepdims=True)
    negative = tf.where(tf.reduce_any(semi_hard, axis=-1), nearest, farthest)
    return tf.reduce_mean(tf.nn.relu(d2 - negative + margin)[same])


def matching(z: tf.Tensor, scale: float) -> tf.Tensor:
    """Queries attend to one example of each class by cosine, the rest of the batch asks (Vinyals et al., 2016, eq. 1).

    The cosine is multiplied by `scale` before the softmax, which theirs is not.
    """
    import tensorflow as tf

    z = tf.math.l2_normalize(z, axis=-1)
    logits = scale * tf.reshape(z[:, 1:], (-1, z.shape[-1])) @ tf.transpose(z[:, 0])
    return cross_entropy(logits, sizes(z)[1] - 1)


def prototypical(z: tf.Tensor, examples: int = 1, *, scale: float = 1.0) -> tf.Tensor:
    """Queries are named by the nearest mean of a class's examples (Snell, Swersky and Zemel, 2017, eq. 2).

    The squared distance is multiplied by `scale` before the softmax, theirs by 1.
    """
    import tensorflow as tf

    prototypes = tf.reduce_mean(z[:, :examples], axis=1)
    queries = tf.reshape(z[:, examples:], (-1, z.shape[-1]))
    return cross_entropy(-scale * distances(queries, prototypes), sizes(z)[1] - examples)


def cross_entropy(logits: tf.Tensor, each: int) -> tf.Tensor:
    """Mean over queries `(classes * each, classes)` that stand class after class."""
    import tensorflow as tf

    y = np.repeat(np.arange(sizes(logits)[1]), each)
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits))


class Trainer:
    """A network and its optimizer, that go on from where they are.

    Args:
        loss: of a batch `(classes, drawings, width)`, or None for a classifier of all classes: then a batch is as many
            pictures, drawn one by one, and a dense layer is trained along.
        rate: of Adam.
        scale: to which length the classifier brings every embedding before its dense layer; 0 for as it is.
        seed: for the weights and the batches.
    """

    def __init__(
        self, loss: Callable[[tf.Tensor], tf.Tensor] | None, *, rate: float = 3e-3, scale: float = 0, seed: int
    ):
        import keras

        self.loss, self.scale, self.rng = loss, scale, np.random.default_rng(seed)
        self.model = network(seed=seed)
        self.optimizer = keras.optimizers.Adam(rate)
        self.head: Any = None
        self.run: Any = None

    @property
    def state(self) -> list:
        """The embedding's weights."""
        return self.model.weights

    def fit(self, x: np.ndarray, y: np.ndarray, *, steps: int) -> Trainer:
        """Train on, always on the same pictures.

        Args:
            x: `(n, 28, 28) uint8`, as many of each class.
            y: `(n,)` their classes, 0, 1, …, in this order.
            steps: of `CLASSES * DRAWINGS` pictures each.
        """
        import keras
        import tensorflow as tf

        classes = int(y[-1]) + 1
        if self.run is None:
            trained = self.model.trainable_weights
            if self.loss is None:
                self.head = keras.layers.Dense(classes)
                self.head.build((None, self.model.output_shape[-1]))
                trained = trained + self.head.trainable_weights
            self.optimizer.build(trained)
            self.run = tf.function(self._run, reduce_retracing=True)
        self.run(tf.constant(x), tf.constant(y), tf.constant(self._batches(classes, len(x) // classes, steps)))
        return self

    def _batches(self, classes: int, each: int, steps: int) -> np.ndarray:
        """Which rows come in each step, `(steps, CLASSES * DRAWINGS)`, class after class."""
        if self.loss is None:
            return self.rng.integers(classes * each, size=(steps, CLASSES * DRAWINGS))
        chosen = [self.rng.choice(classes, CLASSES, replace=False) for _ in range(steps)]
        drawings = self.rng.random((steps, CLASSES, each)).argsort(axis=-1)[:, :, :DRAWINGS]
        return (each * np.stack(chosen)[:, :, None] + drawings).reshape(steps, -1)

    def _run(self, x: tf.Tensor, y: tf.Tensor, batches: tf.Tensor) -> None:
        import tensorflow as tf

        for number in tf.range(tf.shape(batches)[0]):
            rows = batches[number]
            pictures = tf.cast(tf.gather(x, rows), tf.float32)[..., None] / 255
            self._step(pictures, tf.gather(y, rows))

    def _step(self, pictures: tf.Tensor, y: tf.Tensor) -> None:
        import tensorflow as tf

        trained = self.model.trainable_weights + (self.head.trainable_weights if self.head else [])
        with tf.GradientTape() as tape:
            z = self.model(pictures, training=True)
            if self.loss is None:
                z = self.scale * tf.math.l2_normalize(z, axis=-1) if self.scale else z
                loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, self.head(z)))
            else:
                loss = self.loss(tf.reshape(z, (CLASSES, DRAWINGS, z.shape[-1])))
        self.optimizer.apply(tape.gradient(loss, trained), trained)
