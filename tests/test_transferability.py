"""The scores agree with computations that share nothing with them but the definition."""

import itertools

import numpy as np
import pytest
from scipy import optimize, stats
from sklearn.cross_decomposition import CCA

from tlcourse.methods import transferability

RNG = np.random.default_rng(0)
Y = RNG.permutation(np.arange(60) % 3)
FEATURES = RNG.normal(size=(60, 5)) + np.eye(3, 5)[Y]
ONE_HOT = np.eye(3)[Y]


def test_leep_by_its_definition_example_by_example():
    p = RNG.dirichlet(np.ones(4), size=60)
    total = 0.0
    for x, label in zip(p, Y, strict=True):
        meant = 0.0
        for z in range(4):
            given_z = sum(p[i, z] for i in range(60) if Y[i] == label) / sum(p[i, z] for i in range(60))
            meant += given_z * x[z]
        total += np.log(meant) / 60
    assert transferability.leep(p, Y) == pytest.approx(total)


def test_leep_of_a_perfect_source_is_zero_and_of_a_constant_one_the_labels_entropy():
    assert transferability.leep(np.eye(5)[Y + 2], Y) == pytest.approx(0)
    assert transferability.leep(np.full((60, 4), 0.25), Y) == pytest.approx(np.log(1 / 3))


@pytest.mark.parametrize("width", [5, 90])
def test_logme_is_the_largest_evidence_of_the_gaussian_model(width):
    features = RNG.normal(size=(60, width)) + np.eye(3, width)[Y]

    def evidence(t):
        def lack(logs):
            prior, noise = np.exp(logs)
            return -stats.multivariate_normal(cov=prior * features @ features.T + noise * np.eye(60)).logpdf(t) / 60

        starts = [(0, 0), (-3, -1), (-6, -2)]
        return -min(optimize.minimize(lack, start, method="Nelder-Mead").fun for start in starts)

    assert transferability.logme(features, Y) == pytest.approx(np.mean([evidence(t) for t in ONE_HOT.T]), abs=1e-4)


@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_logme_knows_no_unit(scale):
    assert transferability.logme(scale * FEATURES, Y) == pytest.approx(transferability.logme(FEATURES, Y), abs=1e-5)


def test_plain_h_score_is_the_sum_of_the_squared_canonical_correlations():
    a, b = CCA(n_components=2, max_iter=5000, tol=1e-12).fit_transform(FEATURES, ONE_HOT[:, :2])
    squared = sum(np.corrcoef(a[:, i], b[:, i])[0, 1] ** 2 for i in range(2))
    assert transferability.h_score(FEATURES, Y, shrink=False) == pytest.approx(squared, rel=1e-5)


@pytest.mark.parametrize("shrink", [True, False])
def test_h_score_of_one_feature_is_the_share_of_its_variance_between_the_classes(shrink):
    one = FEATURES[:, :1]
    between = sum((Y == c).mean() * (one[Y == c].mean() - one.mean()) ** 2 for c in range(3)) / one.var()
    assert transferability.h_score(one, Y, shrink=shrink) == pytest.approx(between, rel=0.1 if shrink else 1e-9)


def test_plain_h_score_says_nothing_with_fewer_examples_than_features():
    noise = RNG.normal(size=(60, 200))
    assert transferability.h_score(noise, Y, shrink=False) == pytest.approx(2)
    signal = noise + 3 * np.eye(3, 200)[Y]
    assert transferability.h_score(signal, Y) > transferability.h_score(noise, Y)


def test_shrunk_h_score_comes_to_the_plain_one_with_many_examples():
    y = np.arange(60_000) % 3
    features = RNG.normal(size=(60_000, 5)) @ np.diag([1, 2, 3, 1, 1]) + np.eye(3, 5)[y]
    plain = transferability.h_score(features, y, shrink=False)
    assert transferability.h_score(features, y) == pytest.approx(plain, rel=0.01)


def test_cka_is_the_normalised_criterion_of_independence_on_the_grams():
    other = RNG.normal(size=(60, 7)) + FEATURES[:, :1]
    centre = np.eye(60) - 1 / 60

    def hsic(a, b):
        return np.trace(a @ a.T @ centre @ b @ b.T @ centre)

    expected = hsic(FEATURES, other) / np.sqrt(hsic(FEATURES, FEATURES) * hsic(other, other))
    assert transferability.cka(FEATURES, other, debias=False) == pytest.approx(expected)


def test_debiased_cka_averages_over_every_four_different_examples():
    """The U-statistic of Song et al. (2012), theorem 3: no example is ever compared with itself."""
    a = RNG.gamma(2, size=(9, 3))
    b = RNG.normal(size=(9, 2)) + a[:, :1]

    def hsic(a, b):
        a, b = a @ a.T, b @ b.T
        fours = itertools.permutations(range(9), 4)
        return np.mean([a[i, j] * (b[i, j] + b[q, r] - 2 * b[i, q]) for i, j, q, r in fours])

    expected = hsic(a, b) / np.sqrt(hsic(a, a) * hsic(b, b))
    assert transferability.cka(a, b) == pytest.approx(expected)


def test_noise_scores_nothing_once_cka_is_debiased():
    labels = np.eye(31)[np.tile(np.arange(31), 2)]
    noise = [RNG.normal(size=(62, 576)) for _ in range(50)]
    debiased = [transferability.cka(features, labels) for features in noise]
    assert abs(np.mean(debiased)) < 4 * np.std(debiased) / np.sqrt(50) < 0.05
    assert min(transferability.cka(features, labels, debias=False) for features in noise) > 0.6


def test_debiasing_makes_no_difference_with_many_examples():
    y = np.arange(3000) % 3
    features = RNG.normal(size=(3000, 5)) + np.eye(3, 5)[y]
    biased = transferability.cka(features, np.eye(3)[y], debias=False)
    assert transferability.cka(features, np.eye(3)[y]) == pytest.approx(biased, abs=1e-3)


@pytest.mark.parametrize("debias", [True, False])
def test_cka_ignores_rotation_scale_and_shift_and_nothing_else(debias):
    rotation = np.linalg.qr(RNG.normal(size=(5, 5)))[0]
    assert transferability.cka(FEATURES, 3 * FEATURES @ rotation + 7, debias=debias) == pytest.approx(1)
    assert transferability.cka(FEATURES, FEATURES @ np.diag([9, 1, 1, 1, 1]), debias=debias) < 0.99


@pytest.mark.parametrize(
    ("score", "rows", "y", "message"),
    [
        (transferability.leep, FEATURES, Y, "softmax"),
        (transferability.leep, ONE_HOT[:5], Y, "n labels"),
        (transferability.logme, FEATURES, Y + 1, "without gaps"),
        (transferability.logme, FEATURES, Y * 1.0, "numbered from 0"),
        (transferability.h_score, FEATURES, np.zeros(60, int), "at least two classes"),
        (transferability.h_score, FEATURES[:, 0], Y, r"shape \(n, d\)"),
        (transferability.cka, FEATURES, ONE_HOT[:9], "as many rows"),
        (transferability.cka, FEATURES[:3], ONE_HOT[:3], "at least 4"),
    ],
)
def test_bad_input_is_refused(score, rows, y, message):
    with pytest.raises(ValueError, match=message):
        score(rows, y)
