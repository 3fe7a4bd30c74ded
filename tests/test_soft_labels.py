"""Chapter 13: what its notebook defines and what its experiment uses, against Keras and against each other."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from inline import definition

from tlcourse.experiments import soft_labels
from tlcourse.methods.distillation import soften

RNG = np.random.default_rng(13)
X = RNG.normal(size=(24, 6)).astype("float32")
DOMAIN = np.repeat([0, 1], 12)
Y = np.concatenate([np.arange(12) % 3, np.where(np.arange(12) < 6, np.arange(12) % 3, -1)])
P = soften(RNG.normal(size=(24, 3)), 1).astype("float32")


def inline(name):
    used = {n: definition("13", n) for n in ("cross_entropy", "mean_over")}
    return definition("13", name, **used)


def test_the_cross_entropy_is_keras():
    z = RNG.normal(size=(24, 3)).astype("float32")
    truth = keras.losses.categorical_crossentropy(P, z, from_logits=True)
    for cross_entropy in (definition("13", "cross_entropy"), soft_labels.cross_entropy):
        assert np.allclose(cross_entropy(P, z), truth, atol=1e-5)


def test_the_mean_is_over_the_rows_that_count():
    values, counted = np.arange(5, dtype="float32"), np.array([0, 1, 1, 0, 0], "float32")
    for mean_over in (definition("13", "mean_over"), soft_labels.mean_over):
        assert mean_over(counted, values) == 1.5 and mean_over(0 * counted, values) == 0


@pytest.mark.parametrize("confusion", [0.0, 2.0])
def test_the_steps_of_the_notebook_are_those_of_the_experiment(confusion):
    weights = []
    labels, known = tf.one_hot(Y, 3), tf.cast(Y >= 0, tf.float32)
    lesson = (labels, known, tf.constant(P), known * DOMAIN, 1.5, 2.0, confusion)
    for of in (inline, lambda name: getattr(soft_labels, name)):
        net = soft_labels.Network(6, 3, seed=0)
        for _ in range(3):
            of("domain_step")(net, X, tf.one_hot(DOMAIN, 2))
            of("representation_step")(net, X, *lesson)
        weights.append([np.asarray(weight) for weight in net.state])
    assert all(np.array_equal(a, b) for a, b in zip(*weights, strict=True))
    assert not np.array_equal(net.start[0], weights[0][0])


def test_each_step_leaves_the_other_part_as_it_is():
    net = soft_labels.Network(6, 3, seed=0)
    mine, theirs = net.represent.get_weights() + net.classify.get_weights(), net.tell_domain.get_weights()
    soft_labels.domain_step(net, X, tf.one_hot(DOMAIN, 2))
    unmoved = net.represent.get_weights() + net.classify.get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(mine, unmoved, strict=True))
    judge = net.tell_domain.get_weights()
    assert not np.array_equal(judge[0], theirs[0])
    ones = tf.ones(len(X))
    soft_labels.representation_step(net, X, tf.one_hot(Y, 3), ones, tf.constant(P), ones, 1.0, 2.0, 1.0)
    assert all(np.array_equal(a, b) for a, b in zip(judge, net.tell_domain.get_weights(), strict=True))


def test_fit_takes_the_steps_one_after_the_other(monkeypatch):
    monkeypatch.setattr(soft_labels, "STEPS", 3)
    by_hand, soft = soft_labels.Network(6, 3, seed=0), soften(RNG.normal(size=(3, 3)), 2)
    known = tf.cast(Y >= 0, tf.float32)
    lesson = (tf.one_hot(Y, 3), known, tf.constant(soft[Y], tf.float32), known * DOMAIN, 4.0, 2.0, 1.0)
    for _ in range(3):
        soft_labels.domain_step(by_hand, X, tf.one_hot(DOMAIN, 2))
        soft_labels.representation_step(by_hand, X, *lesson)
    net = soft_labels.Network(6, 3, seed=0)
    for _ in range(2):  # each time from the start
        net.fit(X, Y, DOMAIN, soft=soft, weight=4.0, temperature=2.0, confusion=1.0)
    assert np.allclose(net.logits(X), by_hand.logits(X), atol=1e-4)


@pytest.mark.parametrize("temperature", [1, 4])
def test_soft_labels_are_means_of_softened_answers(temperature):
    logits, y = RNG.normal(size=(30, 5)), np.arange(30) % 5
    truth = [[np.mean([soften(row, temperature)[k] for row in logits[y == c]]) for k in range(5)] for c in range(5)]
    for of in (definition("13", "soft_labels"), soft_labels.soft_labels):
        assert np.allclose(of(logits, y, temperature), truth)


def test_only_labels_that_were_asked_for_reach_a_method(monkeypatch):
    """Every `fit` sees k labels of each labelled class in the target; what the others are changes nothing."""
    monkeypatch.setattr(soft_labels, "STEPS", 2)
    monkeypatch.setattr(soft_labels, "WIDTH", 4)
    rows = RNG.normal(size=(2, 64, 8))
    labels, test = np.arange(64) % 8, (RNG.normal(size=(16, 8)), np.arange(16) % 8)
    order = np.random.default_rng(3).permutation(64)  # as `given` draws
    late = [i for c in range(8) for i in order[labels[order] == c][6:]]
    changed = labels.copy()
    changed[late] = labels[np.roll(late, 3)]
    monkeypatch.setattr(soft_labels, "LABELS", (1, 3))
    given, fit = [], soft_labels.Network.fit

    def spied(self, x, y, domain, **arm):
        given.append(y[domain == 1].copy())
        return fit(self, x, y, domain, **arm)

    monkeypatch.setattr(soft_labels.Network, "fit", spied)
    answers = []
    for y_target in (labels, changed):
        sets = {"photo": (rows[0], labels, *test), "noto": (rows[1], y_target, *test)}
        monkeypatch.setattr(soft_labels, "read", lambda name, seed, sets=sets: sets[name])
        answers.append(soft_labels.trial({"source": "photo", "target": "noto", "seed": 3}))
    assert answers[0] == answers[1]
    assert all(np.array_equal(a, b) for a, b in zip(given[: len(given) // 2], given[len(given) // 2 :], strict=True))
    counts = {tuple(np.bincount(y[y >= 0], minlength=8)) for y in given}
    assert {sum(count) for count in counts} == {0, 8, 24, 4, 12}
    assert all(set(count) <= {0, 1} or set(count) <= {0, 3} for count in counts)
