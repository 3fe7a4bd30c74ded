"""Distillation (Hinton, Vinyals and Dean, 2015): a student learns a teacher's softened answers instead of labels.

Logits are `(n, classes)`; a temperature is above 0, and 1 leaves the softmax as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    import keras


def soften(logits: ArrayLike, temperature: float) -> np.ndarray:
    """Softmax of the logits divided by a temperature (Hinton et al., 2015, eq. 1).

    Args:
        logits: `(…, classes)`.
        temperature: above 0. High ones bring the probabilities together, low ones towards 0 and 1.

    Returns:
        `(…, classes)` probabilities that sum to 1 over the last axis.

    Raises:
        ValueError: the temperature is not above 0.
    """
    from scipy import special

    _check(temperature)
    return special.softmax(np.asarray(logits, float) / temperature, axis=-1)


def loss(teacher: Any, student: Any, temperature: float) -> Any:
    """How far a student's softened answers are from given ones: T² times the Kullback-Leibler divergence.

    The gradient by the logits falls as 1/T², hence the factor (Hinton et al., 2015, section 2).

    Args:
        teacher: `(n, classes)` probabilities, already softened; an array, or a tensor of the backend in use.
        student: `(n, classes)` logits, likewise.
        temperature: above 0, the one that the teacher's were softened with.

    Returns:
        `(n,)`, a Keras tensor.

    Raises:
        ValueError: the temperature is not above 0.
    """
    from keras import ops

    _check(temperature)
    student = ops.convert_to_tensor(student)
    teacher = ops.cast(teacher, student.dtype)
    logs = ops.log_softmax(student / temperature, axis=-1)
    surprise = ops.sum(teacher * (ops.log(ops.maximum(teacher, 1e-30)) - logs), axis=-1)
    return temperature**2 * surprise


def fit(
    student: keras.Model,
    x: np.ndarray,
    targets: ArrayLike,
    *,
    temperature: float,
    labels: ArrayLike | None = None,
    hard_weight: float = 0.0,
    steps: int,
    learning_rate: float,
    batch_size: int = 32,
    seed: int,
) -> keras.Model:
    """Train a student on softened answers, on labels, or on both; the rate falls to 0 along half a cosine.

    Args:
        student: a `keras.Model` that ends in logits; changed in place.
        x: its inputs, n of them.
        targets: `(n, classes)` probabilities, softened with the same temperature.
        temperature: above 0; the student's own logits are divided by it, too.
        labels: `(n,)` whole numbers; None if they are not known.
        hard_weight: share of the labels' cross-entropy in the loss, 0 to 1; the rest is `loss`.
        steps: about how many batches to train on; whole passes over the examples are made.
        learning_rate: Adam's, at the start.
        batch_size: examples a step.
        seed: for the order of the examples.

    Returns:
        The student.

    Raises:
        ValueError: a shape or a number does not fit, or labels have weight and are not given.
    """
    import keras

    _check(temperature)
    targets = np.asarray(targets, "float32")
    classes = student.output_shape[-1]
    if targets.shape != (len(x), classes):
        raise ValueError(f"Expected targets of shape {(len(x), classes)}, got {targets.shape}: one row for an example.")
    if not np.allclose(targets.sum(axis=1), 1, atol=1e-3):
        raise ValueError("Expected targets that sum to 1 in each row, got others: pass probabilities, not logits.")
    if not 0 <= hard_weight <= 1 or (hard_weight > 0 and labels is None):
        raise ValueError(
            f"Expected a hard_weight from 0 to 1, and labels if it is above 0, got {hard_weight}: without labels use 0."
        )
    answers = np.zeros_like(targets) if labels is None else np.eye(classes, dtype="float32")[np.asarray(labels)]

    def mixed(both, logits):
        hard = keras.losses.categorical_crossentropy(both[:, 0], logits, from_logits=True)
        return hard_weight * hard + (1 - hard_weight) * loss(both[:, 1], logits, temperature)

    keras.utils.set_random_seed(seed)
    epochs, rate = passes(len(x), steps=steps, learning_rate=learning_rate, batch_size=batch_size)
    student.compile(keras.optimizers.Adam(rate), loss=mixed)
    student.fit(x, np.stack([answers, targets], axis=1), epochs=epochs, batch_size=batch_size, verbose=0)
    return student


def passes(
    examples: int, *, steps: int, learning_rate: float, batch_size: int = 32
) -> tuple[int, keras.optimizers.schedules.LearningRateSchedule]:
    """How many whole passes come nearest to so many steps, and a rate that falls to 0 over them along half a cosine.

    Args:
        examples: how many there are.
        steps: batches to train on, about.
        learning_rate: at the start.
        batch_size: examples a step.

    Returns:
        `(epochs, schedule)`, at least one epoch and a Keras learning-rate schedule.
    """
    import keras

    batches = -(-examples // batch_size)
    epochs = max(1, round(steps / batches))
    return epochs, keras.optimizers.schedules.CosineDecay(learning_rate, epochs * batches)


def spread_evenly(probabilities: ArrayLike) -> np.ndarray:
    """The same confidence in the first choice, and no opinion on the others: a control without dark knowledge.

    Args:
        probabilities: `(n, classes)`, at least two classes.

    Returns:
        `(n, classes)`: the largest of each row kept, what it leaves divided equally.
    """
    p = np.asarray(probabilities, float)
    top = p.argmax(axis=1)[:, None]
    best = np.take_along_axis(p, top, axis=1)
    even = np.repeat((1 - best) / (p.shape[1] - 1), p.shape[1], axis=1)
    np.put_along_axis(even, top, best, axis=1)
    return even


def bias_for_share(logits: ArrayLike, missing: int, share: float) -> float:
    """What to add to one class' logit so that it is named for a given share of the examples; no label is used.

    Args:
        logits: `(n, classes)` of examples that come as they will come in use.
        missing: the class that the student has not seen.
        share: how often that class occurs there, between 0 and 1.

    Raises:
        ValueError: the share is no share, or there is no such class.
    """
    logits = np.asarray(logits, float)
    if not 0 < share < 1 or not 0 <= missing < logits.shape[1]:
        raise ValueError(
            f"Expected a share between 0 and 1 and a class below {logits.shape[1]}, got {share} and {missing}: "
            "ten equally frequent classes have a share of 0.1."
        )
    behind = np.delete(logits, missing, axis=1).max(axis=1) - logits[:, missing]
    return float(np.quantile(behind, share))


def best_temperature(before: ArrayLike, after: ArrayLike) -> tuple[float, np.ndarray]:
    """The temperature that brings one distribution nearest to another, in Kullback-Leibler divergence.

    Args:
        before: `(classes,)` probabilities above 0, at temperature 1.
        after: `(classes,)` probabilities above 0.

    Returns:
        The temperature, from 0.01 to 100, and what `before` becomes at it, `(classes,)`.

    Raises:
        ValueError: the two do not have as many classes, or a probability is 0.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import rel_entr

    before, after = np.asarray(before, float), np.asarray(after, float)
    if before.shape != after.shape or before.ndim != 1 or min(before.min(), after.min()) <= 0:
        raise ValueError(f"Expected two rows of probabilities above 0, got {before} and {after}: leave out zeros.")

    def distance(log_t: float) -> float:
        return rel_entr(after, soften(np.log(before), np.exp(log_t))).sum()

    bounds = (np.log(0.01), np.log(100))
    found = minimize_scalar(distance, bounds=bounds, method="bounded", options={"xatol": 1e-9})
    temperature = float(np.exp(found.x))
    return temperature, soften(np.log(before), temperature)


def _check(temperature: float) -> None:
    if not temperature > 0:
        raise ValueError(f"Expected a temperature above 0, got {temperature}: 1 changes nothing, 2 to 8 are usual.")
