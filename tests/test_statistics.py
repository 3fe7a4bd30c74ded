"""Means, intervals and paired gains are those of the textbook, and hold the truth as often as they say."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tlcourse.methods import statistics

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
    assert result.overlap == 0.25
    with pytest.raises(ValueError, match="got -0.1"):
        statistics.interval(values, overlap=-0.1)


def by_interval(runs, overlap):
    return statistics.interval(runs.query("method == 'new'").score, overlap=overlap)


def by_gain(runs, overlap):
    return statistics.gain(runs, "score", of="new", over="old", overlap=overlap)


def by_summary(runs, overlap):
    row = statistics.summary(runs, "method", "score", overlap=overlap).set_index("method").loc["new"]
    return statistics.Interval(row["mean"], row.low, row.high, int(row.n), overlap)


@pytest.mark.parametrize("route", [by_interval, by_gain, by_summary])
def test_more_splits_of_the_same_data_are_not_more_data(route):
    """However often one data set is split, its own chance stays in the mean; only the corrected interval says so."""
    rng = np.random.default_rng(0)
    held = {0: [], 1: []}
    for _ in range(100):
        # Twenty examples, half to test on: what is measured is their mean, the truth that of where they are from.
        examples = rng.normal(0, 1, 20)
        score = [rng.permutation(examples)[:10].mean() for _ in range(50)]
        new = pd.DataFrame({"method": "new", "seed": range(50), "score": score})
        runs = pd.concat([new, new.assign(method="old", score=0.0)])
        for overlap in held:
            found = route(runs, overlap)
            held[overlap].append(found.low <= 0 <= found.high)
    assert np.mean(held[0]) < 0.5 and np.mean(held[1]) > 0.88


def test_an_interval_reads_as_a_sentence():
    found = statistics.Interval(72.44, 70.06, 74.71, 10)
    assert str(found) == f"{found}" == "72.4 [70.1, 74.7] (n = 10)"
    assert f"{found:+.2f}" == "+72.44 [+70.06, +74.71] (n = 10)"


def test_runs_that_agree_give_an_interval_without_width():
    assert statistics.interval([3, 3, 3])[:4] == (3, 3, 3, 3)


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
    assert tuple(table.iloc[1, 1:]) == pytest.approx(statistics.interval([10, 20, 60])[:4])
    assert statistics.summary(runs, ["method", "k"], "score").columns.tolist()[:2] == ["method", "k"]


# --- paired gains ------------------------------------------------------------------------------------------------


def paired(rng, n=10, luck=20.0):
    """Two methods, one always about 2 better, on draws that differ far more than the methods do."""
    shared = rng.normal(50, luck, n)
    better = shared + 2 + rng.normal(0, 0.5, n)
    runs = [
        pd.DataFrame({"method": name, "seed": range(n), "accuracy": a})
        for name, a in [("new", better), ("old", shared)]
    ]
    return pd.concat(runs, ignore_index=True)


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


# --- units -------------------------------------------------------------------------------------------------------


def episodes(rng, units=8, each=30):
    """Episodes that nest in units: a unit's own height is shared by all of its episodes. The truth is 0."""
    heights = np.repeat(rng.normal(size=units), each)
    return pd.DataFrame({"unit": np.repeat(np.arange(units), each), "score": heights + rng.normal(size=units * each)})


def pairs(rng, units=8):
    """A score for every ordered pair, to which the source and the target give their share. The truth is 0."""
    source, target = rng.normal(size=(2, units))
    both = [(s, t, source[s] + target[t] + rng.normal(0, 0.3)) for s in range(units) for t in range(units) if s != t]
    return pd.DataFrame(both, columns=["source", "target", "score"])


@pytest.mark.parametrize(("made", "units"), [(episodes, "unit"), (pairs, ["source", "target"])])
def test_the_unit_of_chance_is_the_unit_and_not_the_row(made, units):
    """Over rows the interval is far too narrow; over units it holds the truth about as often as it says."""
    rng = np.random.default_rng(0)
    rows, by_unit = [], []
    for _ in range(100):
        runs = made(rng)
        for held, found in (
            (rows, statistics.interval(runs.score)),
            (by_unit, statistics.by_unit(runs, "score", units)),
        ):
            held.append(found.low <= 0 <= found.high)
    assert np.mean(rows) < 0.7 and np.mean(by_unit) > 0.87


def test_units_are_drawn_as_scipys_bootstrap_draws_them():
    runs = episodes(np.random.default_rng(0), units=12)
    found = statistics.by_unit(runs, "score", "unit")
    means = runs.groupby("unit").score.mean().to_numpy()
    wider = 2 * stats.norm.cdf(np.sqrt(12 / 11) * stats.t.ppf(0.975, 11)) - 1
    oracle = stats.bootstrap([means], np.mean, confidence_level=wider, method="percentile", rng=0).confidence_interval
    assert (found.mean, found.n) == (pytest.approx(means.mean()), 12)
    assert (found.low, found.high) == (pytest.approx(oracle.low, abs=0.03), pytest.approx(oracle.high, abs=0.03))


def test_more_episodes_of_the_same_units_change_nothing():
    runs = episodes(np.random.default_rng(0))
    tenfold = pd.concat([runs] * 10).sample(frac=1, random_state=0)
    assert statistics.by_unit(tenfold, "score", "unit") == pytest.approx(statistics.by_unit(runs, "score", "unit"))


def test_a_unit_counts_once_however_many_episodes_it_has():
    runs = pd.DataFrame({"unit": [*"abcde", *"e" * 95], "score": [0.0] * 4 + [10.0] * 96})
    assert statistics.by_unit(runs, "score", "unit").mean == 2


@pytest.mark.parametrize("runs", [episodes(np.random.default_rng(0), units=4), pairs(np.random.default_rng(0)) / 0.0])
def test_too_few_units_or_broken_values_are_no_units(runs):
    with pytest.raises(ValueError, match="at least five units"):
        statistics.by_unit(runs.rename(columns={"source": "unit"}), "score", "unit")


# --- power and bounds --------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize(("mean", "interest", "equal"), [(0.8, 0.2, False), (0.1, 1.0, False), (0.4, 1.0, True)])
def test_so_many_draws_settle_it_as_often_as_said(mean, interest, equal):
    """Draw anew what was measured: with so many draws four in five are settled, with half as many they are not."""
    rng = np.random.default_rng(0)
    measured = statistics.Interval(mean, mean - 1.5, mean + 1.5, 5)
    spread = 1.5 / stats.t.ppf(0.975, 4) * np.sqrt(5)
    needed = statistics.draws_needed(measured, interest, equal=equal)

    def settled(n):
        runs = rng.normal(mean, spread, (4000, n))
        half = stats.t.ppf(0.975, n - 1) * runs.std(axis=1, ddof=1) / np.sqrt(n)
        far = interest if equal else 0
        return ((abs(runs.mean(axis=1)) + half < interest) | (abs(runs.mean(axis=1)) - half > far)).mean()

    assert settled(needed) == pytest.approx(0.8, abs=0.03)
    assert settled(needed // 2) < 0.7


def test_without_an_interest_the_draws_are_those_that_detect_the_effect():
    sample = np.random.default_rng(0).normal(0.5, 1, 10)
    needed = statistics.draws_needed(statistics.interval(sample), 0)

    def detected(n):
        """What so many values of the same spread detect."""
        values = np.resize(sample - sample.mean(), n)
        return statistics.detectable(values * sample.std(ddof=1) / values.std(ddof=1))

    assert detected(needed) < 1.005 * sample.mean() and detected(needed - 1) > 0.995 * sample.mean()


def test_draws_depend_on_neither_unit_nor_null_nor_side():
    needed = statistics.draws_needed(statistics.Interval(0.7, -0.5, 1.9, 6, 0.1), 0.5)
    assert needed == statistics.draws_needed(statistics.Interval(7, -5, 19, 6, 0.1), 5)
    assert needed == statistics.draws_needed(statistics.Interval(-0.7, -1.9, 0.5, 6, 0.1), 0.5)
    assert needed == statistics.draws_needed(statistics.Interval(3.7, 2.5, 4.9, 6, 0.1), 0.5, null=3)
    assert needed > statistics.draws_needed(statistics.Interval(0.7, -0.5, 1.9, 6, 0.1), 0.5, power=0.5)


def test_one_pool_can_be_split_for_ever_and_settle_nothing():
    """However many splits, the interval stays as wide as t × spread × √overlap; a mean beyond that can be told."""
    floor = stats.norm.ppf(0.975) * 2 * np.sqrt(0.5)
    half = stats.t.ppf(0.975, 9) * 2 * np.sqrt(1 / 10 + 0.5)
    below, above = (statistics.Interval(m, m - half, m + half, 10, 0.5) for m in (0.9 * floor, 1.2 * floor))
    assert statistics.draws_needed(below, 1.0) is None and statistics.draws_needed(above, 1.0) > 10
    assert statistics.draws_needed(below._replace(overlap=0.0), 1.0) is not None
    assert statistics.draws_needed(statistics.Interval(1, 1, 1, 5), 1.0, equal=True) is None


def test_the_bound_is_the_farthest_that_the_interval_reaches():
    assert statistics.bound(statistics.Interval(0.2, -0.3, 0.7, 5)) == 0.7
    assert statistics.bound(statistics.Interval(-0.2, -0.7, 0.3, 5)) == 0.7
    assert statistics.bound(statistics.Interval(50.2, 49.7, 50.7, 5), null=50) == pytest.approx(0.7)
