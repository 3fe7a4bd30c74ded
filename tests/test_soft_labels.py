"""Chapter 13: what its notebook defines and what its experiment uses, against Keras and against each other."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from inline import definition

from tlcourse.experiments import soft_labels
from tlcourse.material import data
from tlcourse.methods import confusion
from tlcourse.methods.distillation import soften, spread_evenly

RNG = np.random.default_rng(13)
X = RNG.normal(size=(24, 6)).astype("float32")
DOMAIN = np.repeat([0, 1], 12)
Y = np.concatenate([np.arange(12) % 3, np.where(np.arange(12) < 6, np.arange(12) % 3, -1)])
P = soften(RNG.normal(size=(24, 3)), 1).astype("float32")


def small(**changes):
    return confusion.Network(6, 3, **{"hidden": 8, "steps": 3, "seed": 0, **changes})


def inline(name):
    used = {n: definition("13", n) for n in ("cross_entropy", "mean_over")}
    return definition("13", name, **used)


def test_the_cross_entropy_is_keras():
    z = RNG.normal(size=(24, 3)).astype("float32")
    truth = keras.losses.categorical_crossentropy(P, z, from_logits=True)
    for cross_entropy in (definition("13", "cross_entropy"), confusion.cross_entropy):
        assert np.allclose(cross_entropy(P, z), truth, atol=1e-5)


def test_the_mean_is_over_the_rows_that_count():
    values, counted = np.arange(5, dtype="float32"), np.array([0, 1, 2, 0, 0], "float32")
    for mean_over in (definition("13", "mean_over"), confusion.mean_over):
        assert float(mean_over(counted, values)) == pytest.approx(5 / 3) and mean_over(0 * counted, values) == 0


@pytest.mark.parametrize("strength", [0.0, 2.0])
def test_the_steps_of_the_notebook_are_those_of_the_package(strength):
    weights = []
    labels, known = tf.one_hot(Y, 3), tf.cast(Y >= 0, tf.float32)
    lesson = (labels, known, tf.constant(P), known * DOMAIN, 1.5, 2.0, strength)
    for of in (inline, lambda name: getattr(confusion, name)):
        net = small()
        for _ in range(3):
            of("domain_step")(net, X, tf.one_hot(DOMAIN, 2))
            of("representation_step")(net, X, *lesson)
        weights.append([np.asarray(weight) for weight in net.state])
    assert all(np.array_equal(a, b) for a, b in zip(*weights, strict=True))
    assert not np.array_equal(net.start[0], weights[0][0])


def test_each_step_leaves_the_other_part_as_it_is():
    net = small()
    mine, theirs = net.represent.get_weights() + net.classify.get_weights(), net.tell_domain.get_weights()
    confusion.domain_step(net, X, tf.one_hot(DOMAIN, 2))
    unmoved = net.represent.get_weights() + net.classify.get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(mine, unmoved, strict=True))
    judge = net.tell_domain.get_weights()
    assert not np.array_equal(judge[0], theirs[0])
    ones = tf.ones(len(X))
    confusion.representation_step(net, X, tf.one_hot(Y, 3), ones, tf.constant(P), ones, 1.0, 2.0, 1.0)
    assert all(np.array_equal(a, b) for a, b in zip(judge, net.tell_domain.get_weights(), strict=True))


def test_fit_takes_the_steps_one_after_the_other():
    by_hand, soft = small(), soften(RNG.normal(size=(3, 3)), 2)
    known = tf.cast(Y >= 0, tf.float32)
    lesson = (tf.one_hot(Y, 3), known, tf.constant(soft[Y], tf.float32), known * DOMAIN, 4.0, 2.0, 1.0)
    for _ in range(3):
        confusion.domain_step(by_hand, X, tf.one_hot(DOMAIN, 2))
        confusion.representation_step(by_hand, X, *lesson)
    net = small()
    for _ in range(2):  # each time from the start
        net.fit(X, Y, DOMAIN, soft=soft, weight=4.0, temperature=2.0, confusion=1.0)
    assert np.allclose(net.logits(X), by_hand.logits(X), atol=1e-4)


def test_a_row_that_counts_twice_is_a_row_that_comes_twice():
    twice = np.array([0, 2])
    longer = [np.concatenate([part, part[twice]]) for part in (X, Y, DOMAIN)]
    counted = small().fit(X, Y, DOMAIN, counts=1 + np.isin(np.arange(24), twice)).logits(X)
    assert np.allclose(counted, small().fit(*longer).logits(X), atol=1e-4)
    assert not np.allclose(counted, small().fit(X, Y, DOMAIN).logits(X), atol=1e-3)


@pytest.mark.parametrize("temperature", [1, 4])
def test_soft_labels_are_means_of_softened_answers(temperature):
    logits, y = RNG.normal(size=(30, 5)), np.arange(30) % 5
    truth = [[np.mean([soften(row, temperature)[k] for row in logits[y == c]]) for k in range(5)] for c in range(5)]
    assert np.allclose(confusion.soft_labels(logits, y, temperature), truth)


def test_evened_soft_labels_keep_the_share_of_their_own_class():
    sure = soften(5 * np.eye(4) + RNG.normal(size=(4, 4)), 1)
    assert np.allclose(confusion.evened(sure), spread_evenly(sure))  # chapter 07's, where each is surest of its own
    unsure = np.array([[0.2, 0.7, 0.1], [0.3, 0.4, 0.3], [0.0, 0.0, 1.0]])
    assert np.allclose(confusion.evened(unsure), [[0.2, 0.4, 0.4], [0.3, 0.4, 0.3], [0, 0, 1]])


@pytest.mark.parametrize("of", ["notebook", "package"])
def test_rebalanced_answers_have_the_shares_that_were_asked_for(of):
    rebalanced = confusion.rebalanced if of == "package" else definition("13", "rebalanced", np=np, soften=soften)
    logits, unlabelled = RNG.normal(size=(40, 4)), 2 * RNG.normal(size=(300, 4)) + [3, 0, -2, 1]
    shares = np.array([0.4, 0.3, 0.2, 0.1])
    assert np.allclose(soften(rebalanced(unlabelled, unlabelled, shares), 1).mean(axis=0), shares, atol=1e-3)
    added = rebalanced(logits, unlabelled, shares) - logits
    assert np.allclose(added, added[0])  # one number a class
    own = soften(unlabelled, 1).mean(axis=0)
    assert np.allclose(rebalanced(logits, unlabelled, own), logits)


@pytest.mark.parametrize("shares", [[0.5, 0.5], [0.5, 0.6, 0.1], [1, 0, 0], [0.5, np.nan, 0.5]])
def test_shares_that_are_none_are_refused(shares):
    with pytest.raises(ValueError, match="Expected a share above 0 for each of 3 classes"):
        confusion.rebalanced(np.zeros((2, 3)), np.zeros((5, 3)), shares)


def test_only_labels_that_were_asked_for_reach_a_method(monkeypatch):
    """Every `fit` sees k labels of each labelled class in the target; what the others are changes nothing."""
    for name, value in {"STEPS": 2, "WIDTH": 4, "LABELS": (1, 3)}.items():
        monkeypatch.setattr(soft_labels, name, value)
    rows, number = RNG.normal(size=(2, 64, 8)), 1
    labels, test = np.arange(64) % 8, (RNG.normal(size=(16, 8)), np.arange(16) % 8)
    order = np.random.default_rng([3, 0, number]).permutation(64)  # as `given` draws
    late = order[max(np.flatnonzero(labels[order] == c)[2] for c in range(8)) + 1 :]
    changed = labels.copy()
    changed[late] = labels[np.roll(late, 3)]
    given, fit = [], confusion.Network.fit

    def spied(self, x, y, domain, **arm):
        given.append(y[domain == 1].copy())
        return fit(self, x, y, domain, **arm)

    monkeypatch.setattr(confusion.Network, "fit", spied)
    answers = []
    for y_target in (labels, changed):
        sets = {"photo": (rows[0], labels, *test), "noto": (rows[1], y_target, *test)}
        monkeypatch.setattr(soft_labels, "read", lambda kind, seed, sets=sets: sets)
        answers.append(soft_labels.trial({"kind": "stickers", "source": "photo", "seed": 3}))
    assert answers[0] == answers[1]
    assert all(np.array_equal(a, b) for a, b in zip(given[: len(given) // 2], given[len(given) // 2 :], strict=True))
    counts = {tuple(np.bincount(y[y >= 0], minlength=8)) for y in given}
    assert {sum(count) for count in counts} == {0, 8, 24, 4, 12}
    assert all(set(count) <= {0, 1} or set(count) <= {0, 3} for count in counts)


def test_each_weight_is_what_did_best_on_the_other_kind():
    tried = data.recorded("term_weights").query("term != 'joint'").groupby(["kind", "term", "weight"]).accuracy.mean()
    for kind, other in (("digits", "stickers"), ("stickers", "digits")):
        best = {term: tried[other, term].idxmax() for term in ("confusion", "soft", "labels")}
        assert best == soft_labels.CHOSEN[kind]


def test_shuffled_names_go_to_the_same_pictures_of_the_target():
    y = np.where(DOMAIN == 1, np.where(np.arange(24) % 2, np.arange(24) % 3, -1), np.arange(24) % 3)
    mixed = soft_labels.shuffled(y, DOMAIN, np.random.default_rng(1))
    assert np.array_equal(mixed[DOMAIN == 0], y[DOMAIN == 0]) and np.array_equal(mixed < 0, y < 0)
    assert np.array_equal(np.sort(mixed), np.sort(y)) and not np.array_equal(mixed, y)


def test_the_same_heap_has_as_many_labels_of_each_class_as_the_source_alone():
    kept = soft_labels.same_heap(Y, DOMAIN, np.random.default_rng(1))
    assert np.array_equal(kept[DOMAIN == 1], Y[DOMAIN == 1])
    assert np.array_equal(np.bincount(kept[kept >= 0]), np.bincount(Y[DOMAIN == 0]))
    crowded = np.where(DOMAIN == 1, 2, np.minimum(np.arange(24), 1))  # no 2 in the source to hide
    assert np.array_equal(soft_labels.same_heap(crowded, DOMAIN, np.random.default_rng(1)), crowded)


def test_among_some_names_only_these_are_given():
    logits = np.array([[3.0, 2, 0], [3, 0, 1], [0, 3, 1], [9, 1, 2]])
    y = np.array([1, 2, 1, 0])
    assert soft_labels.right(y, logits, [1, 2]) == 25.0  # one of two 1s, no 2
    assert soft_labels.right(y, logits, [1, 2], among=[2, 1]) == 100.0
    assert soft_labels.right(y, logits, [0, 1, 2]) == 50.0
