"""Fine-tuning in stages: a probe that is the head, a cut that costs nothing, and rates that are kept to the block."""

import keras
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from tlcourse.material import backbones
from tlcourse.methods import fine_tuning, freezing, training

X = np.random.default_rng(0).uniform(0, 255, (24, 32, 32, 3)).astype("float32")
Y = np.arange(24) % 4


@pytest.fixture(scope="module")
def network():
    return backbones.efficientnet_lite0(classes=4, input_size=32)


@pytest.fixture(autouse=True)
def as_it_was(network):
    weights = network.get_weights()
    yield
    network.set_weights(weights)
    freezing.thaw(network, 10)


def pooled(network):
    return keras.Model(network.input, network.get_layer("pool").output).predict(X, verbose=0)


def test_with_its_probe_the_network_answers_as_scikit_learn_does(network):
    rows = pooled(network)
    probe = fine_tuning.put_probe(network, rows, Y, strength=0.5)
    independent = LogisticRegression(C=0.5, max_iter=2000).fit(rows, Y)
    assert np.allclose(network.predict(X, verbose=0), independent.decision_function(rows), atol=1e-2)
    assert np.array_equal(network.predict(X, verbose=0).argmax(1), probe.predict(rows))


@pytest.mark.parametrize("top", range(1, 11))
def test_the_halves_are_the_whole(network, top):
    lower, upper = fine_tuning.cut(network, top)
    assert freezing.blocks(lower) + freezing.blocks(upper) == freezing.blocks(network)
    assert len(freezing.blocks(upper)) == top
    assert np.array_equal(upper(lower(X)), network(X))


def test_training_the_upper_half_is_training_the_whole(network):
    """The frozen half gives the same numbers in each epoch, batch norm included; processors round them otherwise."""
    start = network.get_weights()
    freezing.thaw(network, 3)
    whole = training.fit(network, (X, Y), epochs=2, learning_rate=1e-3, batch_size=8, seed=0)
    weights = network.get_weights()
    network.set_weights(start)
    lower, upper = fine_tuning.cut(network, 3)
    half = training.fit(upper, (lower.predict(X, verbose=0), Y), epochs=2, learning_rate=1e-3, batch_size=8, seed=0)
    assert half.loss.to_list() == pytest.approx(whole.loss.to_list(), rel=1e-5)
    assert all(np.allclose(a, b, atol=1e-4) for a, b in zip(weights, network.get_weights(), strict=True))


def test_each_block_steps_at_its_own_rate(network):
    """Adam's first step is its learning rate long, whatever the gradient (Kingma and Ba, 2015, section 2.1)."""
    freezing.thaw(network, 10)
    before = freezing.snapshot(network)
    free = network.trainable_weights
    optimizer = fine_tuning.by_block(network, 1e-3, decay=0.5)
    optimizer.apply([np.ones(w.shape, "float32") for w in free], free)
    blocks = freezing.blocks(network)
    for weight in free:
        rate = 1e-3 * 0.5 ** (len(blocks) - 1 - blocks.index(freezing.block_of(weight.path)))
        assert np.abs(weight.numpy() - before[weight.path]).max() == pytest.approx(rate, rel=1e-2)


def test_with_decay_one_it_is_plain_adam(network):
    freezing.thaw(network, 2)
    before, results = network.get_weights(), []
    for optimizer in (1e-3, fine_tuning.by_block(network, 1e-3, decay=1)):
        network.set_weights(before)
        training.fit(network, (X, Y), epochs=1, learning_rate=optimizer, batch_size=24, seed=0)
        results.append(network.get_weights())
    assert all(np.allclose(a, b, atol=1e-6) for a, b in zip(*results, strict=True))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda n: fine_tuning.cut(n, 0), "Expected 1 to 10 blocks above the cut, got 0"),
        (lambda n: fine_tuning.cut(n, 11), "got 11"),
        (lambda n: fine_tuning.by_block(n, -1e-3, decay=0.5), "learning rate above 0, got -0.001"),
        (lambda n: fine_tuning.by_block(n, 1e-3, decay=0), "above 0 and at most 1, got 0"),
        (lambda n: fine_tuning.by_block(n, 1e-3, decay=1.5), "got 1.5"),
        (lambda n: fine_tuning.put_probe(n, np.zeros((24, 5)), Y), r"\(n, 1280\).*got \(24, 5\)"),
        (lambda n: fine_tuning.put_probe(n, np.zeros((23, 1280)), Y), r"got \(23, 1280\) and \(24,\)"),
        (
            lambda n: fine_tuning.put_probe(n, np.zeros((24, 1280)), Y % 3),
            r"from 0 to 3 at least once.*got \[0, 1, 2\]",
        ),
        (lambda n: fine_tuning.put_probe(n, np.zeros((24, 1280)), Y, strength=0), "strength above 0, got 0"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(network, call, says):
    with pytest.raises(ValueError, match=says) as caught:
        call(network)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("weights", "most_left"), [(None, 0.01), ("imagenet", 0.6)])
def test_a_network_from_scratch_forgets_its_arbitrary_statistics_within_a_short_training(weights, most_left):
    """Momentum 0.99 keeps half of the start for 72 steps; a network from scratch then fails whatever it learnt."""
    norm = backbones.efficientnet_lite0(weights=weights, input_size=32).get_layer("stem_bn")
    batch = np.random.default_rng(0).normal(50, 1, (8, 4, 4, 32)).astype("float32")
    start, goal = norm.moving_mean.numpy(), batch.mean(axis=(0, 1, 2))
    for _ in range(12 * 96 // 16):
        norm(batch, training=True)
    left = np.abs(norm.moving_mean.numpy() - goal) / np.abs(start - goal)
    assert left.max() < most_left
    assert weights is None or left.min() > 0.4  # ImageNet's statistics are worth keeping: they move slowly


def test_statistics_measured_anew_are_those_of_the_training_pictures():
    """From random weights: with one batch the moving averages have to become that batch's own mean and variance."""
    keras.utils.set_random_seed(0)
    model = backbones.efficientnet_lite0(classes=4, input_size=32, weights=None)
    weights = freezing.snapshot(model)
    fine_tuning.refresh_statistics(model, X[:8], batch_size=8)
    changed = freezing.changed(model, weights)
    assert changed and all("moving" in path for path in changed)
    assert len(changed) == sum("moving" in path for path in weights)
    first = keras.Model(model.input, model.get_layer("stem_conv").output)(X[:8]).numpy()
    norm = model.get_layer("stem_bn")
    assert np.allclose(norm.moving_mean, first.mean(axis=(0, 1, 2)), atol=0.02 * np.abs(first).max())
    assert np.allclose(norm.moving_variance, first.var(axis=(0, 1, 2)), rtol=0.03, atol=0.01)


def test_statistics_need_a_batch(network):
    with pytest.raises(ValueError, match="at least one batch of 16 inputs, got 3"):
        fine_tuning.refresh_statistics(network, X[:3])
