"""Distillation against Keras's own Distiller, SciPy, and the limits that Hinton et al. derive."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import special

from tlcourse.methods import distillation

RNG = np.random.default_rng(0)
V, Z = 3 * RNG.normal(size=(2, 40, 5))
X = RNG.normal(size=(40, 6)).astype("float32")
LABELS = V.argmax(axis=1)


def dense(seed):
    keras.utils.set_random_seed(seed)
    return keras.Sequential([keras.Input((6,)), keras.layers.Dense(5)])


def mended(temperature):
    """Keras's loss as it should be; its default is another (`test_keras_faults`)."""
    return keras.distillation.LogitsDistillation(temperature=temperature, loss=keras.losses.KLDivergence())


def slopes(temperature, *, squared):
    logits = tf.Variable(Z)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(distillation.loss(distillation.soften(V, temperature), logits, temperature))
    return tape.gradient(total, logits).numpy() / (1 if squared else temperature**2)


@pytest.mark.parametrize("temperature", [0.5, 1, 4])
def test_soften_is_scipys_softmax_and_keeps_the_order(temperature):
    p = distillation.soften(V, temperature)
    assert np.allclose(p, special.softmax(V / temperature, axis=1))
    assert np.array_equal(p.argsort(axis=1), V.argsort(axis=1))
    assert np.isfinite(distillation.soften([1000.0, 0.0], temperature)).all()


def test_soften_is_the_lectures_power_of_probabilities():
    p = distillation.soften(V, 1) ** (1 / 3)
    assert np.allclose(distillation.soften(V, 3), p / p.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("temperature", [1.0, 2.0, 8.0])
@pytest.mark.parametrize("weight", [0.0, 0.3])
def test_loss_is_that_of_keras_distiller(temperature, weight):
    teacher, student = dense(1), dense(2)
    sparse = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    distiller = keras.distillation.Distiller(teacher, student, mended(temperature), student_loss_weight=weight)
    distiller.compile(loss=sparse)
    kept = teacher.get_weights()
    theirs = distiller.evaluate(X, LABELS, batch_size=40, verbose=0, return_dict=True)["loss"]
    answers, logits = teacher.predict(X, verbose=0), student.predict(X, verbose=0)
    soft = np.mean(distillation.loss(distillation.soften(answers, temperature), logits, temperature))
    assert theirs == pytest.approx(weight * float(sparse(LABELS, logits)) + (1 - weight) * soft, rel=1e-5)
    assert all(np.array_equal(a, b) for a, b in zip(kept, teacher.get_weights(), strict=True))


def test_a_loss_that_is_an_object_takes_the_softmax():
    assert float(mended(2.0).compute_loss(V, V + 7)) == pytest.approx(0, abs=1e-5)


def test_training_ends_where_keras_distiller_ends():
    teacher, ours, theirs = dense(1), dense(2), dense(2)
    answers = teacher.predict(X, verbose=0)
    distillation.fit(ours, X, distillation.soften(answers, 4), temperature=4, labels=LABELS, hard_weight=0.3,
                     steps=7, learning_rate=0.05, batch_size=40, seed=0)  # fmt: skip
    distiller = keras.distillation.Distiller(teacher, theirs, mended(4.0), student_loss_weight=0.3)
    distiller.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.05, 7)),
                      loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))  # fmt: skip
    distiller.fit(X, LABELS, batch_size=40, epochs=7, verbose=0)
    assert all(np.allclose(a, b, atol=1e-4) for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True))


def test_gradient_is_the_difference_of_the_softened_answers():
    expected = 4 * (distillation.soften(Z, 4) - distillation.soften(V, 4))  # T² · 1/T · (q − p)
    assert np.allclose(slopes(4, squared=True), expected)


def test_at_high_temperature_distilling_is_matching_centred_logits():
    """Hinton et al. (2015), eq. 4: (z − v) / (N T²) once both are centred; T² keeps its size."""
    centred = (Z - Z.mean(axis=1, keepdims=True) - V + V.mean(axis=1, keepdims=True)) / 5
    assert np.allclose(slopes(1000, squared=True), centred, atol=0.02)
    falling = [np.abs(slopes(t, squared=False)).mean() * t**2 for t in (50, 100, 200)]
    assert np.ptp(falling) / falling[0] < 0.05


def test_loss_is_nothing_only_where_the_answers_agree():
    assert np.allclose(distillation.loss(distillation.soften(V, 3), V + 7, 3), 0, atol=1e-6)
    assert (np.asarray(distillation.loss(distillation.soften(V, 3), Z, 3)) > 0).all()


def test_labels_without_weight_change_nothing():
    ends = []
    for labels in (None, LABELS, np.roll(LABELS, 1)):
        model = distillation.fit(dense(3), X, distillation.soften(V, 2), temperature=2, labels=labels, steps=5,
                                 learning_rate=0.1, seed=1)  # fmt: skip
        ends.append(model.get_weights())
    assert all(np.array_equal(a, b) for end in ends[1:] for a, b in zip(ends[0], end, strict=True))


def test_spreading_evenly_keeps_the_first_choice_and_no_other_opinion():
    even = distillation.spread_evenly(distillation.soften(V, 2))
    assert np.allclose(even.sum(axis=1), 1)
    assert np.allclose(even.max(axis=1), distillation.soften(V, 2).max(axis=1))
    assert all(len(np.unique(row.round(12))) == 2 for row in even)


@pytest.mark.parametrize("share", [0.1, 0.4])
def test_the_bias_names_the_class_as_often_as_it_is_told_to(share):
    logits = RNG.normal(size=(2000, 5)) - 6 * np.eye(5)[2]
    bias = distillation.bias_for_share(logits, 2, share)
    named = (logits + bias * np.eye(5)[2]).argmax(axis=1)
    assert (named == 2).mean() == pytest.approx(share, abs=1e-3)


def test_best_temperature_finds_what_was_done():
    p = distillation.soften(V[0], 1)
    temperature, reached = distillation.best_temperature(p, distillation.soften(V[0], 2.7))
    assert temperature == pytest.approx(2.7, rel=1e-4)
    assert np.allclose(reached, distillation.soften(V[0], 2.7), atol=1e-5)


def test_no_temperature_makes_the_lectures_second_distribution_of_its_first():
    before, after = np.array([0.09, 0.05, 0.85, 0.01]), np.array([0.15, 0.10, 0.70, 0.05])
    temperature, reached = distillation.best_temperature(before, after)
    assert 1 < temperature < 3 and np.abs(reached - after).max() > 0.01
    others = (distillation.soften(np.log(before), other) for other in np.linspace(0.5, 10, 400))
    assert special.rel_entr(after, reached).sum() < min(special.rel_entr(after, q).sum() for q in others) + 1e-9


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: distillation.soften(V, 0), "above 0"),
        (lambda: distillation.loss(V, Z, -1), "above 0"),
        (lambda: distillation.bias_for_share(V, 7, 0.1), "below 5"),
        (lambda: distillation.bias_for_share(V, 1, 0), "share between"),
        (lambda: distillation.best_temperature([0.5, 0.5], [1.0, 0.0]), "above 0"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"targets": V}, "not logits"),
        ({"targets": distillation.soften(V, 2)[:9]}, "one row for an example"),
        ({"hard_weight": 0.5}, "without labels use 0"),
        ({"hard_weight": 1.5, "labels": LABELS}, "from 0 to 1"),
        ({"temperature": 0}, "above 0"),
    ],
)
def test_fit_refuses_what_does_not_fit(change, message):
    good = {"targets": distillation.soften(V, 2), "temperature": 2, "steps": 1, "learning_rate": 0.1, "seed": 0}
    with pytest.raises(ValueError, match=message):
        distillation.fit(dense(0), X, **{**good, **change})
