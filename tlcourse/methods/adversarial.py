"""Domain adaptation while a network trains: gradient reversal (DANN) and Deep CORAL.

Labelled pictures of a source and unlabelled ones of a target pass through the same layers; a penalty on what comes out
draws the two domains together. No function here takes a target's labels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    import keras

NORMS = ("joint", "by domain")
PENALTIES = ("none", "reversal", "coral")


class Parts(NamedTuple):
    """The three parts of a network (Ganin et al., 2016, figure 1), each a `keras.Model`.

    `features` makes `(n, d)` features of pictures, `labels` makes `(n, classes)` logits of features, and `domain` one
    logit of them, `(n, 1)`: above 0 for "from the target".
    """

    features: keras.Model
    labels: keras.Model
    domain: keras.Model


def digit_parts(*, batch_norm: bool = True, seed: int) -> Parts:
    """A network close to the one of Ganin et al. (2016, figure 4a) for digits, with batch norm after its layers.

    Theirs parts after the convolutions; here both classifiers stand on the first dense layer. For `(n, 28, 28, 3)`
    pictures in [0, 255]: 100 features, ten classes. Without `batch_norm` the layers have biases.
    """
    import keras
    from keras import layers

    def normed(x):
        return layers.ReLU()(layers.BatchNormalization()(x) if batch_norm else x)

    keras.utils.set_random_seed(seed)
    weights = {"use_bias": not batch_norm, "kernel_initializer": "he_uniform"}
    inputs = keras.Input((28, 28, 3), name="pictures")
    x = layers.Rescaling(1 / 127.5, offset=-1)(inputs)
    for filters in (32, 48):
        x = layers.MaxPooling2D()(normed(layers.Conv2D(filters, 5, **weights)(x)))
    x = normed(layers.Dense(100, **weights)(layers.Flatten()(x)))
    return Parts(keras.Model(inputs, x, name="features"), *heads(100, 10))


def heads(width: int, classes: int, *, hidden: int = 100) -> tuple[keras.Model, keras.Model]:
    """A linear classifier of labels, and one of domains with a hidden layer, both on `width` features."""
    import keras
    from keras import layers

    labels = keras.Sequential([keras.Input((width,)), layers.Dense(classes)], name="labels")
    first = layers.Dense(hidden, activation="relu", kernel_initializer="he_uniform")
    return labels, keras.Sequential([keras.Input((width,)), first, layers.Dense(1)], name="domain")


def reverse_gradient(x: keras.KerasTensor, scale: float | keras.KerasTensor) -> keras.KerasTensor:
    """Give `x` on as it is, and its gradient back times `-scale` (Ganin et al., 2016, equations 16 and 17)."""
    from keras import ops

    return -scale * x + ops.stop_gradient((1 + scale) * x)


def ramp(progress: float | keras.KerasTensor) -> keras.KerasTensor:
    """How much of its full weight a penalty has (Ganin et al., 2016, equation 14): 0 at 0, 0.9999 at 1."""
    from keras import ops

    return 2 / (1 + ops.exp(-10 * ops.convert_to_tensor(progress, "float32"))) - 1


def coral_loss(source: keras.KerasTensor, target: keras.KerasTensor) -> keras.KerasTensor:
    """The squared distance of the covariances of `(n, d)` and `(m, d)` features, over 4 d² (Sun and Saenko, 2016)."""
    from keras import ops

    if source.shape[1] != target.shape[1]:
        raise ValueError(
            f"Expected as many features on both sides, got {source.shape[1]} and {target.shape[1]}: "
            "let one network make both."
        )

    def covariance(x):
        centred = x - ops.mean(x, axis=0)
        return ops.matmul(ops.transpose(centred), centred) / (ops.shape(x)[0] - 1)

    return ops.sum((covariance(source) - covariance(target)) ** 2) / (4 * source.shape[1] ** 2)


def adapting(
    parts: Parts,
    penalty: str = "reversal",
    *,
    weight: float,
    norm: str = "by domain",
    ramp_over: int | None = None,
    learning_rate: float | keras.optimizers.schedules.LearningRateSchedule = 1e-3,
) -> keras.Model:
    """A compiled model of pairs, a picture of each domain: `fit(pairs(x, x_target), y)` trains the parts in place.

    Its loss is the cross-entropy of the source's labels plus a penalty. "reversal" is the cross-entropy of the domains,
    which the classifier of domains makes small while the features, behind a gradient times `-weight`, make it large
    (Ganin et al., 2016, equation 9). "coral" is `weight` times `coral_loss`. "none" looks at no target picture.

    Args:
        parts: from `digit_parts`, or your own.
        penalty: one of `PENALTIES`.
        weight: of the penalty, λ, at least 0.
        norm: what batch norm normalises by in training: "joint" source and target together, "by domain" each by itself.
        ramp_over: steps over which the weight rises, see `ramp`; None for a constant one.
        learning_rate: of Adam.

    Raises:
        ValueError: a penalty or norm that is not there, or a negative weight.
    """
    import keras
    from keras import ops

    if penalty not in PENALTIES or norm not in NORMS or not weight >= 0:
        raise ValueError(
            f"Expected a penalty of {PENALTIES}, a norm of {NORMS} and a weight of 0 or more, got {penalty!r}, "
            f"{norm!r} and {weight}: the reversal brings its own minus sign."
        )

    class Adapting(keras.Model):
        def __init__(self):
            super().__init__()
            self.features, self.labels = parts.features, parts.labels
            if penalty == "reversal":  # else it has no loss to learn from
                self.domain = parts.domain

        def call(self, pair, training=None):
            source, target = pair[:, 0], pair[:, 1]
            if penalty == "none":
                return self.labels(self.features(source, training=training))
            if norm == "joint":
                together = self.features(ops.concatenate([source, target]), training=training)
                source, target = ops.split(together, 2)
            else:
                source, target = (self.features(x, training=training) for x in (source, target))
            scale = weight * (ramp(ops.cast(self.optimizer.iterations, "float32") / ramp_over) if ramp_over else 1.0)
            if penalty == "coral":
                self.add_loss(scale * coral_loss(source, target))
            else:
                told = [self.domain(reverse_gradient(x, scale)) for x in (source, target)]
                lost = ops.softplus(told[0]) + ops.softplus(-told[1])  # cross-entropy of 0 for source, 1 for target
                self.add_loss(ops.mean(lost) / 2)
            return self.labels(source)

    model = Adapting()
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    return model


def pairs(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Lay each of `(n, …)` inputs of the source beside one of as many of the target: `(n, 2, …)`."""
    if np.shape(source) != np.shape(target):
        raise ValueError(
            f"Expected two sets of one shape, got {np.shape(source)} and {np.shape(target)}: draw as many of each."
        )
    return np.stack([source, target], axis=1)


def in_stages(
    model: keras.Model,
    source: tuple[np.ndarray, np.ndarray],
    target: np.ndarray,
    *,
    steps: int,
    every: int,
    batch_size: int = 64,
    augment: Callable[[np.ndarray, np.random.Generator], np.ndarray] | None = None,
    seed: int,
) -> Iterator[int]:
    """Train a model of `adapting`, and stop every now and then, yielding the number of steps done.

    Args:
        model: from `adapting`.
        source: `(x, y)`, inputs `(n, …)` and labels.
        target: `(m, …)` inputs alone. Each side passes whole, in random order, before any of it comes again.
        steps: in all, a multiple of `every`.
        every: steps between two stops.
        batch_size: pairs a step.
        augment: changes the inputs of each domain whenever they come; None leaves them as they are.
        seed: for the orders, and whatever else is random.
    """
    import keras

    if every < 1 or steps < every or steps % every:
        raise ValueError(f"Expected steps that are a multiple of every, got {steps} and {every}: change one of them.")
    rng = np.random.default_rng(seed)
    keras.utils.set_random_seed(seed)
    rows = [
        np.concatenate([rng.permutation(len(side)) for _ in range(-(-steps * batch_size // len(side)))])
        for side in (source[1], target)
    ]
    for done in range(0, steps, every):
        a, b = (order[done * batch_size : (done + every) * batch_size] for order in rows)
        both = pairs(*(augment(x, rng) if augment else x for x in (source[0][a], target[b])))
        model.fit(both, source[1][a], batch_size=batch_size, shuffle=False, verbose=0)
        yield done + every


def invert_channels(pictures: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Turn light into dark in each colour of each picture, `(n, height, width, channels)` in [0, 255], or leave it."""
    heads = rng.integers(2, size=(len(pictures), 1, 1, pictures.shape[-1]), dtype=np.uint8)
    return np.where(heads, 255 - pictures, pictures)


def use_statistics(features: keras.Model, x: np.ndarray) -> None:
    """Set the statistics that batch norm uses in inference to those of `x`, in place; no weight changes.

    `x` are at least two inputs, `(n, …)`, which pass in one batch. Those of the target's unlabelled pictures make the
    "by domain" of a target, and for a network that was trained on the source alone, AdaBN (Li et al., 2017).
    """
    import keras

    if len(x) < 2:
        raise ValueError(f"Expected at least two inputs, got {len(x)}: one alone has no variance.")
    norms = [layer for layer in features.layers if isinstance(layer, keras.layers.BatchNormalization)]
    momenta = [layer.momentum for layer in norms]
    for layer in norms:
        layer.momentum = 0.0  # the next batch alone counts
    features(keras.ops.convert_to_tensor(x, "float32"), training=True)
    for layer, momentum in zip(norms, momenta, strict=True):
        layer.momentum = momentum


def doubt(logits: ArrayLike) -> tuple[float, float]:
    """How a classifier answers unlabelled inputs, by its `(n, classes)` logits: `(entropy, information)`, in nats.

    The mean entropy of its answers is small where it is sure. The information (Shi and Sha, 2012, equation 5) is the
    entropy of the mean answer minus that: small, too, for who is sure and always says the same.
    """
    from scipy.special import entr, softmax

    answers = softmax(np.asarray(logits, float), axis=1)
    entropy = float(entr(answers).sum(axis=1).mean())
    return entropy, float(entr(answers.mean(axis=0)).sum()) - entropy
