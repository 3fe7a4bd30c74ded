"""Means, intervals and paired gains are those of the textbook; `fit` gives a tidy history and repeats itself."""

import keras
import numpy as np
import pandas as pd
import pytest
from keras import layers
from scipy import stats

from tlcourse.methods import statistics, training

# --- intervals ---------------------------------------------------------------------------------------------------


def test_the_interval_is_students():
    """Mean ± t × s / √n, with t = 2.776 for 95 % and 2.132 for 90 % at four degrees of freedom (any table of t)."""
    values = [2.0, 4.0, 4.0, 5.0, 10.0]
    error = np.sqrt(sum((v - 5) ** 2 for v in values) / 4) / np.sqrt(5)
    for confidence, t in ((0.95, 2.776), (0.9, 2.132)):
        result = statistics.interval(values, confidence=confidence)
        assert (result.mean, result.n) == (5.0, 5)
        assert (result.low, result.high) == (
            pytest.approx(5 - t * error, abs=2e-3),
            pytest.approx(5 + t * error, abs=2e-3),
        )


@pytest.mark.parametrize("n", [2, 3, 10, 50])
def test_the_interval_agrees_with_scipys_test(n):
    values = np.random.default_rng(n).normal(70, 4, n)
    oracle = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    result = statistics.interval(values)
    assert (result.low, result.high) == (pytest.approx(oracle.low), pytest.approx(oracle.high))


@pytest.mark.parametrize("n", [3, 10])
def test_about_95_of_100_intervals_hold_the_truth(n):
    rng = np.random.default_rng(0)
    intervals = [statistics.interval(rng.normal(5, 3, n)) for _ in range(2000)]
    held = np.mean([i.low <= 5 <= i.high for i in intervals])
    assert abs(held - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 2000)


def test_runs_that_share_their_data_get_the_interval_of_nadeau_and_bengio():
    """Their corrected t: the factor 1/n becomes 1/n + (test examples)/(training examples)."""
    values = np.random.default_rng(0).normal(70, 4, 20)
    expected = stats.t.ppf(0.975, 19) * np.sqrt((1 / 20 + 0.25) * values.var(ddof=1))
    result = statistics.interval(values, overlap=0.25)
    assert (result.high - result.mean, result.mean - result.low) == (pytest.approx(expected), pytest.approx(expected))
    with pytest.raises(ValueError, match="got -0.1"):
        statistics.interval(values, overlap=-0.1)


def test_more_splits_of_the_same_data_are_not_more_data():
    """However often one data set is split, its own chance stays in the mean; only the corrected interval says so."""
    rng = np.random.default_rng(0)
    held = {0: [], 1: []}
    for _ in range(300):
        # Twenty examples, half to test on: what is measured is their mean, the truth that of where they are from.
        examples = rng.normal(0, 1, 20)
        runs = [rng.permutation(examples)[:10].mean() for _ in range(50)]
        for overlap in held:
            low, high = statistics.interval(runs, overlap=overlap)[1:3]
            held[overlap].append(low <= 0 <= high)
    assert np.mean(held[0]) < 0.5 and np.mean(held[1]) > 0.88


def test_an_interval_reads_as_a_sentence():
    found = statistics.Interval(72.44, 70.06, 74.71, 10)
    assert str(found) == f"{found}" == "72.4 [70.1, 74.7] (n = 10)"
    assert f"{found:+.2f}" == "+72.44 [+70.06, +74.71] (n = 10)"


def test_runs_that_agree_give_an_interval_without_width():
    assert statistics.interval([3, 3, 3]) == (3, 3, 3, 3)


@pytest.mark.parametrize("values", [[], [1.0], [1.0, np.nan], [1.0, np.inf]])
def test_too_few_or_broken_values_are_refused(values):
    with pytest.raises(ValueError, match="at least two finite values"):
        statistics.interval(values)


@pytest.mark.parametrize("confidence", [0, 1, 95, float("nan")])
def test_a_confidence_that_is_no_share_is_refused(confidence):
    with pytest.raises(ValueError, match="between 0 and 1"):
        statistics.interval([1, 2, 3], confidence=confidence)


# --- tidy runs ---------------------------------------------------------------------------------------------------


def test_repeat_puts_the_seed_into_every_row():
    runs = statistics.repeat(lambda seed: [{"epoch": e, "accuracy": seed + e} for e in (0, 1)], range(3))
    assert list(runs.columns) == ["seed", "epoch", "accuracy"]
    assert runs.accuracy.tolist() == [0, 1, 1, 2, 2, 3] and runs.seed.tolist() == [0, 0, 1, 1, 2, 2]
    assert statistics.repeat(lambda seed: {"x": seed**2}, [3]).to_dict("records") == [{"seed": 3, "x": 9}]


def test_summary_is_the_interval_of_each_group_in_order():
    runs = pd.DataFrame({"method": list("bbbaaa"), "k": [1, 1, 1, 2, 2, 2], "score": [1, 2, 3, 10, 20, 60]})
    table = statistics.summary(runs, "method", "score")
    assert table.columns.tolist() == ["method", "mean", "low", "high", "n"] and table.method.tolist() == ["b", "a"]
    assert tuple(table.iloc[1, 1:]) == pytest.approx(tuple(statistics.interval([10, 20, 60])))
    assert statistics.summary(runs, ["method", "k"], "score").columns.tolist()[:2] == ["method", "k"]


# --- paired gains ------------------------------------------------------------------------------------------------


def paired(rng, n=10, luck=20.0):
    """Two methods, one always about 2 better, on draws that differ far more than the methods do."""
    shared = rng.normal(50, luck, n)
    return pd.DataFrame({
        "method": ["new"] * n + ["old"] * n,
        "seed": [*range(n), *range(n)],
        "accuracy": [*(shared + 2 + rng.normal(0, 0.5, n)), *shared],
    })  # fmt: skip


def test_a_gain_is_paired_so_that_shared_luck_cancels():
    runs = paired(np.random.default_rng(0))
    gain = statistics.gain(runs, "accuracy", of="new", over="old")
    oracle = stats.ttest_rel(runs.accuracy[:10], runs.accuracy[10:]).confidence_interval(0.95)
    assert (gain.low, gain.high) == (pytest.approx(oracle.low), pytest.approx(oracle.high))
    assert 1 < gain.low < 2 < gain.high < 3  # unpaired it would be some ±20


def test_the_order_of_the_rows_does_not_matter():
    runs = paired(np.random.default_rng(0))
    shuffled = runs.sample(frac=1, random_state=1)
    assert statistics.gain(shuffled, "accuracy", of="new", over="old") == pytest.approx(
        statistics.gain(runs, "accuracy", of="new", over="old")
    )


def test_the_other_way_round_the_gain_is_the_loss():
    runs = paired(np.random.default_rng(0))
    gain = statistics.gain(runs, "accuracy", of="new", over="old")
    loss = statistics.gain(runs, "accuracy", of="old", over="new")
    assert (loss.mean, loss.low, loss.high) == pytest.approx((-gain.mean, -gain.high, -gain.low))


def test_only_seeds_that_both_ran_count():
    runs = paired(np.random.default_rng(0)).drop([3, 14])
    assert statistics.gain(runs, "accuracy", of="new", over="old").n == 8


def test_a_method_that_was_not_run_is_refused():
    with pytest.raises(ValueError, match="got 'newer'"):
        statistics.gain(paired(np.random.default_rng(0)), "accuracy", of="newer", over="old")


# --- fit ---------------------------------------------------------------------------------------------------------

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


def test_what_is_detectable_is_found_as_often_as_said():
    rng = np.random.default_rng(0)
    sample = rng.normal(size=6)
    effect = statistics.detectable(sample)
    runs = rng.normal(effect, sample.std(ddof=1), size=(20_000, 6))
    found = np.abs(runs.mean(axis=1)) > stats.t.ppf(0.975, 5) * runs.std(axis=1, ddof=1) / np.sqrt(6)
    assert found.mean() == pytest.approx(0.8, abs=0.01)


def test_detectable_grows_with_spread_and_shrinks_with_runs():
    sample = np.array([-1.0, 0, 1, 2])
    assert statistics.detectable(3 * sample) == pytest.approx(3 * statistics.detectable(sample))
    assert (
        statistics.detectable(np.tile(sample, 4))
        < statistics.detectable(sample)
        < statistics.detectable(sample, power=0.95)
    )


@pytest.mark.parametrize(
    ("values", "power"), [([1.0], 0.8), ([1.0, 1.0], 0.8), ([1.0, float("nan")], 0.8), ([1.0, 2], 1)]
)
def test_what_has_no_detectable_effect_is_refused(values, power):
    with pytest.raises(ValueError, match="Expected"):
        statistics.detectable(values, power=power)


def test_accuracy_counts_each_class_alike():
    logits = np.eye(3)[[0, 0, 0, 0, 1, 0, 2]]  # 4 of 4, 1 of 2, 1 of 1
    assert training.accuracy([0, 0, 0, 0, 1, 1, 2], logits) == pytest.approx(100 * (1 + 0.5 + 1) / 3)
