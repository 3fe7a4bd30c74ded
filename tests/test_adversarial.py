"""Gradient reversal, Deep CORAL and the model of pairs, held to their formulas and to what they must not see."""

import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import softmax

from tlcourse.methods import adversarial

SIZE, CLASSES = 6, 3


def parts(seed=0):
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((SIZE,))
    x = keras.layers.BatchNormalization()(keras.layers.Dense(5)(inputs))
    return adversarial.Parts(keras.Model(inputs, keras.layers.ReLU()(x)), *adversarial.heads(5, CLASSES, hidden=4))


def rows(n=32, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, SIZE)).astype("float32"), rng.integers(CLASSES, size=n)


def trained(penalty="reversal", *, target_seed=1, epochs=3, shift=2.0, **settings):
    """Weights of features, labels and domain after some steps on made-up pairs."""
    made, (x, y) = parts(), rows()
    model = adversarial.adapting(made, penalty, **{"weight": 0.5, **settings})
    pairs = adversarial.pairs(x, rows(seed=target_seed)[0] + np.float32(shift))
    model.fit(pairs, y, batch_size=8, epochs=epochs, shuffle=False, verbose=0)
    return [values(part) for part in made]


def values(model):
    return [v.numpy() for v in model.trainable_variables]


def same(a, b):
    return all(map(np.array_equal, a, b))


@pytest.mark.parametrize("scale", [0.0, 0.3, 1.0, 7.5])
def test_a_gradient_comes_back_times_minus_the_scale_and_the_value_as_it_was(scale):
    x, slope = tf.constant(rows()[0]), tf.constant(rows(seed=5)[0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        given_on = adversarial.reverse_gradient(x, scale)
        out = tf.reduce_sum(slope * given_on)
    assert np.array_equal(tape.gradient(out, x), np.float32(-scale) * slope.numpy())
    assert np.allclose(given_on, x, atol=1e-5)


def test_features_rise_where_the_domain_classifier_falls():
    """The penalty's gradient is that of plain training for the classifier, and -λ times it for the features."""
    made, (x, _), weight = parts(), rows(), 0.7
    pair = adversarial.pairs(x, rows(seed=1)[0] + 1)
    model = adversarial.adapting(made, weight=weight, norm="joint")
    with tf.GradientTape(persistent=True) as tape:
        model(pair, training=True)
        (lost,) = model.losses
        told = made.domain(made.features(np.concatenate([pair[:, 0], pair[:, 1]]), training=True))
        truth = np.repeat([[0.0], [1.0]], len(x), axis=0)
        plain = tf.reduce_mean(keras.losses.binary_crossentropy(truth, told, from_logits=True))
    assert np.isclose(lost, plain, atol=1e-5)
    for part, factor in ((made.domain, 1), (made.features, -weight)):
        for got, expected in zip(
            *(tape.gradient(loss, part.trainable_variables) for loss in (lost, plain)), strict=True
        ):
            assert np.allclose(got, factor * expected, atol=1e-5)


def test_without_weight_the_classifier_is_that_of_source_only_training_bit_by_bit():
    features, labels, _ = trained(weight=0.0)
    plain_features, plain_labels, untouched = trained("none", weight=0.0)
    assert same(features, plain_features) and same(labels, plain_labels)
    assert same(untouched, values(parts().domain))
    assert not same(features, trained(weight=0.5)[0])


def test_source_only_training_never_looks_at_the_target():
    assert same(sum(trained("none", target_seed=1), []), sum(trained("none", target_seed=2), []))


def test_nothing_that_trains_takes_labels_of_the_target():
    """What is not passed is not read: `fit` gets pairs of pictures and the source's labels."""
    for function in (adversarial.adapting, adversarial.pairs, adversarial.use_statistics, adversarial.coral_loss):
        assert not {"y", "target_labels", "y_target"} & set(inspect.signature(function).parameters)
    assert adversarial.pairs(*(rows(seed=s)[0] for s in (0, 1))).shape == (32, 2, SIZE)


def test_a_ramp_starts_at_nothing_and_ends_at_all():
    p = np.linspace(0, 1, 11)
    assert np.allclose(adversarial.ramp(p), np.tanh(5 * p), atol=1e-6)
    assert float(adversarial.ramp(0.0)) == 0 and float(adversarial.ramp(1.0)) > 0.9999


def test_a_ramped_weight_follows_the_optimizers_steps():
    once = trained(weight=0.5, ramp_over=10_000_000, epochs=2)
    assert all(np.allclose(a, b, atol=1e-4) for a, b in zip(once[0], trained(weight=0.0, epochs=2)[0], strict=True))
    assert not same(trained(weight=0.5, ramp_over=12)[0], trained(weight=0.5)[0])


def test_the_norm_by_domain_takes_each_domain_by_itself():
    """A target that is the source moved as a whole is the source again, so that there is nothing to align."""
    made, (x, _) = parts(), rows()
    for norm, alike in (("by domain", True), ("joint", False)):
        model = adversarial.adapting(made, "coral", weight=1.0, norm=norm)
        model(adversarial.pairs(x, 3 * x + 5), training=True)
        assert (float(model.losses[0]) < 1e-5) == alike


def test_coral_is_the_distance_of_covariances():
    a, b = rows(40)[0], 2 * rows(30, seed=1)[0]
    expected = np.linalg.norm(np.cov(a.T) - np.cov(b.T)) ** 2 / (4 * SIZE**2)
    assert np.isclose(adversarial.coral_loss(a, b), expected, rtol=1e-5)
    assert float(adversarial.coral_loss(a, a + 3)) < 1e-10  # equal covariances, other means
    assert float(adversarial.coral_loss(a, -a)) < 1e-10


def test_coral_draws_covariances_together():
    far = trained("coral", weight=0.0, epochs=20, norm="joint")
    near = trained("coral", weight=50.0, epochs=20, norm="joint")
    assert not same(far[0], near[0])


def test_statistics_are_those_of_the_inputs_and_weights_stay():
    made, (x, _) = parts(), rows(200)
    before = values(made.features)
    adversarial.use_statistics(made.features, x)
    norm = made.features.layers[2]
    dense = x @ before[0] + before[1]
    assert np.allclose(norm.moving_mean, dense.mean(axis=0), atol=1e-5)
    assert np.allclose(norm.moving_variance, dense.var(axis=0), atol=1e-4)
    assert same(before, values(made.features)) and norm.momentum == 0.99
    assert np.allclose(made.features(x, training=False), made.features(x, training=True), atol=1e-4)


def test_who_is_sure_and_always_says_the_same_has_no_information():
    sure = np.full((30, 3), -50.0)
    sure[:, 1] = 50
    spread = 100 * np.eye(3)[np.arange(30) % 3]
    unsure = np.zeros((30, 3))
    assert np.allclose(adversarial.doubt(sure), (0, 0)) and np.allclose(adversarial.doubt(spread), (0, np.log(3)))
    assert np.allclose(adversarial.doubt(unsure), (np.log(3), 0))
    logits = np.random.default_rng(0).normal(size=(20, 3))
    p = softmax(logits, axis=1)
    entropy = -(p * np.log(p)).sum(axis=1).mean()
    assert np.allclose(adversarial.doubt(logits), (entropy, -(p.mean(0) * np.log(p.mean(0))).sum() - entropy))


def test_the_digit_network_is_the_papers_with_batch_norm():
    made = adversarial.digit_parts(seed=3)
    assert made.features.output_shape == (None, 100) and made.labels.output_shape == (None, 10)
    assert made.domain.output_shape == (None, 1)
    kernels = [v.shape for v in made.features.trainable_variables if len(v.shape) > 1]
    assert kernels == [(5, 5, 3, 32), (5, 5, 32, 48), (768, 100)]
    again, other = (adversarial.digit_parts(seed=seed).features.get_weights()[0] for seed in (3, 4))
    assert np.array_equal(made.features.get_weights()[0], again) and not np.array_equal(again, other)


def test_each_colour_of_each_picture_is_inverted_or_left():
    pictures = np.random.default_rng(0).integers(256, size=(400, 4, 4, 3)).astype("uint8")
    seen = adversarial.invert_channels(pictures, np.random.default_rng(1))
    left, turned = ((seen == side).all(axis=(1, 2)) for side in (pictures, 255 - pictures))
    assert seen.dtype == np.uint8 and (left ^ turned).all() and abs(left.mean() - 0.5) < 0.05
    assert len({tuple(row) for row in left}) == 8


def test_each_side_passes_whole_before_any_of_it_comes_again():
    seen, marked = [], np.arange(40.0).repeat(SIZE).reshape(40, SIZE)

    def note(x, rng):
        seen.append(x[:, 0].astype(int).tolist())
        return x

    model = adversarial.adapting(parts(), "none", weight=0)
    stages = adversarial.in_stages(model, (marked, np.zeros(40, int)), marked[:20] + 100, steps=10, every=5,
                                   batch_size=8, augment=note, seed=0)  # fmt: skip
    assert list(stages) == [5, 10] and seen[0] != seen[2]
    assert sorted(seen[0]) == sorted(seen[2]) == list(range(40))
    assert sorted(seen[1]) == sorted(2 * list(range(100, 120)))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: adversarial.adapting(parts(), "reverse", weight=1),
        lambda: adversarial.adapting(parts(), weight=-1),
        lambda: adversarial.adapting(parts(), weight=1, norm="each"),
        lambda: adversarial.coral_loss(np.zeros((3, 2)), np.zeros((3, 4))),
        lambda: adversarial.pairs(np.zeros((3, 2)), np.zeros((4, 2))),
        lambda: next(adversarial.in_stages(None, rows(), rows()[0], steps=10, every=4, seed=0)),
        lambda: adversarial.use_statistics(parts().features, rows(1)[0]),
    ],
)
def test_bad_input_gets_one_sentence_with_what_to_do(wrong):
    with pytest.raises(ValueError, match=r"^Expected .*, got .*: .*\.$"):
        wrong()
