"""`fit` gives a tidy history and repeats itself; accuracy is balanced."""

import keras
import numpy as np
import pytest
from keras import layers

from tlcourse.methods import training

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4)).astype("float32")
Y = (X[:, 0] > 0).astype("int64")


def network():
    keras.utils.set_random_seed(3)
    return keras.Sequential(
        [keras.Input((4,)), layers.Dense(8, activation="relu"), layers.Dropout(0.5), layers.Dense(2)]
    )


def test_the_history_is_tidy_and_in_percent():
    model = network()
    history = training.fit(model, (X, Y), (X[:20], Y[:20]), epochs=3, learning_rate=0.05, seed=0)
    assert history.epoch.tolist() == [1, 2, 3, 1, 2, 3]
    assert history.split.tolist() == ["train"] * 3 + ["validation"] * 3
    logits = model.predict(X[:20], verbose=0)
    assert history.accuracy.iloc[-1] == pytest.approx(100 * (logits.argmax(axis=1) == Y[:20]).mean(), abs=1e-3)
    chosen = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(20), Y[:20]]  # cross-entropy, from its definition
    assert history.loss.iloc[-1] == pytest.approx(chosen.mean(), abs=1e-4)


def test_it_learns():
    history = training.fit(network(), (X, Y), epochs=30, learning_rate=0.05, batch_size=8, seed=0)
    assert history.split.unique().tolist() == ["train"]
    assert history.accuracy.iloc[-5:].mean() > 80 > history.accuracy.iloc[0]


def test_a_seed_repeats_a_run_and_another_does_not():
    runs = [training.fit(network(), (X, Y), epochs=2, batch_size=8, seed=seed).loss.tolist() for seed in (1, 1, 2)]
    assert runs[0] == pytest.approx(runs[1], rel=1e-5) and runs[0] != pytest.approx(runs[2], rel=1e-5)


def test_an_optimizer_of_your_own_and_callbacks_are_used():
    seen = []
    note = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(epoch))
    optimizer = keras.optimizers.SGD(0.0)
    model = network()
    before = [w.copy() for w in model.get_weights()]
    training.fit(model, (X, Y), epochs=2, learning_rate=optimizer, seed=0, callbacks=[note])
    assert model.optimizer is optimizer and seen == [0, 1]
    for ours, theirs in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_accuracy_counts_each_class_alike():
    logits = np.eye(3)[[0, 0, 0, 0, 1, 0, 2]]  # 4 of 4, 1 of 2, 1 of 1
    assert training.accuracy([0, 0, 0, 0, 1, 1, 2], logits) == pytest.approx(100 * (1 + 0.5 + 1) / 3)
