"""Domain confusion and soft labels (Tzeng et al., 2015): a small network, trained in alternate steps.

A representation and its classifier learn from labelled rows, and a domain classifier learns to tell the two domains
apart by that representation, which in turn learns to leave it without an idea.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import softmax

if TYPE_CHECKING:
    import tensorflow as tf


class Network:
    """A representation and its classifier, and the domain classifier that they are trained against.

    Args:
        width: numbers an input.
        classes: of the classifier.
        hidden: numbers that the representation has.
        steps: of either kind, on all inputs at once.
        rate: of Adam, for both.
        seed: for the weights.
    """

    def __init__(self, width: int, classes: int, *, hidden: int = 64, steps: int = 200, rate: float = 3e-3, seed: int):
        import keras
        import tensorflow as tf

        keras.utils.set_random_seed(seed)
        self.classes, self.steps = classes, steps
        self.represent = keras.Sequential([keras.Input((width,)), keras.layers.Dense(hidden, activation="relu")])
        self.classify = keras.Sequential([keras.Input((hidden,)), keras.layers.Dense(classes)])
        self.tell_domain = keras.Sequential([keras.Input((hidden,)), keras.layers.Dense(2)])
        self.trained = self.represent.trainable_weights + self.classify.trainable_weights
        self.optimizer, self.domain_optimizer = keras.optimizers.Adam(rate), keras.optimizers.Adam(rate)
        self.optimizer.build(self.trained)
        self.domain_optimizer.build(self.tell_domain.trainable_weights)
        self.state = [*self.trained, *self.tell_domain.weights]
        self.state += [*self.optimizer.variables, *self.domain_optimizer.variables]
        self.start = [variable.numpy() for variable in self.state]
        self.alternate = tf.function(functools.partial(alternate, self))

    def fit(
        self,
        x: np.ndarray,
        y: np.ndarray,
        domain: np.ndarray,
        *,
        soft: np.ndarray | None = None,
        weight: float = 0.0,
        temperature: float = 1.0,
        confusion: float = 0.0,
        counts: ArrayLike | None = None,
    ) -> Network:
        """Train from the start.

        Args:
            x: `(n, width)`, source and target.
            y: `(n,)` labels; -1 where there is none.
            domain: `(n,)`, 0 for the source and 1 for the target.
            soft: `(classes, classes)`, what an example of each class is to answer in the target; its label if None.
            weight: of that term.
            temperature: that the logits are divided by in that term.
            confusion: weight of the confusion term.
            counts: `(n,)`, how often each row with a label counts; None: once.
        """
        import tensorflow as tf

        known, labels = y >= 0, np.eye(self.classes)[y]
        counted = known * (1 if counts is None else np.asarray(counts))
        soft = labels if soft is None else soft[y]
        rows = (x, np.eye(2)[domain], labels, counted, soft, known & (domain == 1))
        for variable, value in zip(self.state, self.start, strict=True):
            variable.assign(value)
        lesson = [tf.constant(part, tf.float32) for part in (*rows, weight, temperature, confusion)]
        self.alternate(*lesson, steps=self.steps, adversary=confusion > 0)
        return self

    def logits(self, x: np.ndarray | tf.Tensor) -> np.ndarray:
        """`(n, classes)`."""
        return self.classify(self.represent(x)).numpy()


def alternate(
    net: Network,
    x: np.ndarray | tf.Tensor,
    domain: np.ndarray | tf.Tensor,
    *lesson: Any,
    steps: int,
    adversary: bool,
) -> None:
    """One step of either kind after the other; without an adversary there is only one kind."""
    import tensorflow as tf

    for _ in tf.range(steps):
        if adversary:
            domain_step(net, x, domain)
        representation_step(net, x, *lesson)


def domain_step(net: Network, x: np.ndarray | tf.Tensor, domain: np.ndarray | tf.Tensor) -> None:
    """The domain classifier learns; the representation is fixed (Tzeng et al., 2015, section 3.1).

    Args:
        net: a `Network`, whose domain classifier moves in place.
        x: `(n, width)`.
        domain: `(n, 2)`, one-hot.
    """
    import tensorflow as tf

    features = net.represent(x)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(cross_entropy(domain, net.tell_domain(features)))
    own = net.tell_domain.trainable_weights
    net.domain_optimizer.apply(tape.gradient(loss, own), own)


def representation_step(
    net: Network,
    x: np.ndarray | tf.Tensor,
    labels: np.ndarray | tf.Tensor,
    counted: np.ndarray | tf.Tensor,
    soft: np.ndarray | tf.Tensor,
    taught: np.ndarray | tf.Tensor,
    weight: float,
    temperature: float,
    confusion: float,
) -> None:
    """Representation and classifier learn; the domain classifier is fixed (Tzeng et al., 2015, section 3).

    Args:
        net: a `Network`, whose representation and classifier move in place.
        x: `(n, width)`.
        labels: `(n, classes)`, one-hot; anything where there is none.
        counted: `(n,)`, how often each row counts in the first term; 0 without a label.
        soft: `(n, classes)`, what each row is to answer in the second.
        taught: `(n,)`, 1 for the rows that have such an answer, else 0.
        weight: of the second term, nu.
        temperature: that the logits are divided by in it.
        confusion: weight of the third term, lambda.
    """
    import tensorflow as tf

    with tf.GradientTape() as tape:
        features = net.represent(x)
        logits = net.classify(features)
        loss = mean_over(counted, cross_entropy(labels, logits))
        loss += confusion * tf.reduce_mean(cross_entropy([0.5, 0.5], net.tell_domain(features)))
        loss += weight * mean_over(taught, cross_entropy(soft, logits / temperature))
    net.optimizer.apply(tape.gradient(loss, net.trained), net.trained)


def cross_entropy(p: np.ndarray | tf.Tensor | list[float], z: np.ndarray | tf.Tensor) -> tf.Tensor:
    """Of probabilities `(n, classes)` and logits `(n, classes)`, row by row: `(n,)`, in nats."""
    import tensorflow as tf

    return -tf.reduce_sum(p * tf.nn.log_softmax(z), axis=-1)


def mean_over(counted: np.ndarray | tf.Tensor, values: np.ndarray | tf.Tensor) -> tf.Tensor:
    """Weighted mean of `(n,)` values; 0 if no row counts."""
    import tensorflow as tf

    return tf.reduce_sum(counted * values) / tf.maximum(tf.reduce_sum(counted), 1)


def soft_labels(logits: np.ndarray, y: np.ndarray, temperature: float) -> np.ndarray:
    """A row a class, `(classes, classes)`: the mean softened answer to its examples (Tzeng et al., 2015, section 3.2).

    Args:
        logits: `(n, classes)`, a teacher's, of the source.
        y: `(n,)`, their labels; each class has to come.
        temperature: above 0.
    """
    return np.stack([softmax(logits[y == c] / temperature, axis=1).mean(axis=0) for c in range(logits.shape[1])])


def evened(soft: np.ndarray) -> np.ndarray:
    """Soft labels `(classes, classes)` of the same confidence, the rest divided evenly: what is like what is gone."""
    own = np.diag(soft)[:, None]
    return np.where(np.eye(len(soft), dtype=bool), own, (1 - own) / (len(soft) - 1))


def rebalanced(logits: np.ndarray, unlabelled: np.ndarray, shares: ArrayLike) -> np.ndarray:
    """The logits plus a bias for each class, with which the mean answer to other inputs has given shares.

    Those shares should be the ones of `unlabelled`: of *all* of a domain's inputs, if some of them have a label. (After
    Saerens, Latinne and Decaestecker, 2002, who estimate the shares that are given here.)

    Args:
        logits: `(n, classes)`.
        unlabelled: `(m, classes)`, logits of the inputs that the biases are found on; no label of them is used.
        shares: `(classes,)`, each above 0, in all 1: how often each class comes.

    Raises:
        ValueError: shares that are none.
    """
    shares = np.asarray(shares, float)
    if shares.shape != (np.shape(logits)[1],) or not (shares > 0).all() or not np.isclose(shares.sum(), 1):
        raise ValueError(
            f"Expected a share above 0 for each of {np.shape(logits)[1]} classes, in all 1, got {shares.tolist()}: "
            "divide counts by their sum, and leave no class out."
        )
    bias = np.zeros(len(shares))
    for _ in range(200):
        bias += np.log(shares) - np.log(softmax(unlabelled + bias, axis=1).mean(axis=0))
    return logits + bias
