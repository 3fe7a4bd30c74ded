"""What chapter 10 writes out in the notebook: weights against a library and closed forms, hidden labels."""

from pathlib import Path

import numpy as np
import pytest
from inline import definition
from sklearn.linear_model import LinearRegression

FIXTURE = Path(__file__).parent / "fixtures" / "density_ratio.npz"


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    return rng.normal(size=(1500, 2)), rng.normal([0.6, 0], 1, size=(500, 2))


def true_ratio(x):
    return np.exp(0.6 * x[:, 0] - 0.18)  # of N(0.6, 1) to N(0, 1)


def test_the_ratio_is_that_of_the_library():
    with np.load(FIXTURE) as known:
        settings = known["centres"], known["width"], known["ridge"]
        ratio = definition("10", "ulsif")(known["source"], known["target"], *settings)
        assert np.allclose(ratio(known["source"]), known["ratio"])


@pytest.mark.parametrize("way", ["by_densities", "by_classifier", "by_ratio"])
def test_estimated_weights_find_a_known_ratio(way, rows):
    ulsif = definition("10", "ulsif")
    weights = definition("10", way, ulsif=ulsif)(*rows)
    truth = true_ratio(rows[0])
    assert weights.min() >= 0 and np.corrcoef(weights, truth)[0, 1] > 0.7
    assert weights.mean() == pytest.approx(
        1, abs=0.15
    )  # the prior n_S / n_T is in it, though there are three times as many


def test_effective_size_at_its_ends():
    ess = definition("10", "ess")
    assert ess(np.full(7, 3.0)) == pytest.approx(1)
    assert ess(np.array([0, 0, 5.0, 0])) == pytest.approx(1 / 4)


def test_the_look_before_training_knows_flat_weights_and_lonely_ones(rows):
    look = definition("10", "look_first", ess=definition("10", "ess"))
    flat, lonely = np.ones(len(rows[0])), np.eye(len(rows[0]))[0] + 1e-9
    assert look(true_ratio(rows[0]), *rows)["verdict"] == "go on"
    assert look(flat, *rows)["verdict"] == look(lonely, *rows)["verdict"] == "do not weight"


def test_hidden_labels_change_no_answer():
    rng = np.random.default_rng(1)
    tone, strength = rng.normal(size=(3000, 1)), rng.normal(size=3000)
    drawn = definition("10", "drawn", tone=tone, strength=strength, forwarded=definition("10", "forwarded"))
    kept, target, labels = drawn(3)
    assert not set(kept) & set(target) and np.isnan(labels[target]).all() and np.isfinite(labels[kept]).all()
    answered = definition("10", "answered", views={"line": tone}, LinearRegression=LinearRegression)
    changed = np.where(np.isnan(labels), 99, labels)
    answers = [answered(kept, target, y, np.ones(len(kept)))["line"] for y in (labels, changed)]
    assert np.array_equal(*answers)


def test_answers_across_sources_are_given_before_the_reveal():
    """No target label reaches them: the cells from round 5 to the reveal name none."""
    import ast

    import nbformat

    from tlcourse.workshop import NOTEBOOKS

    (path,) = NOTEBOOKS.glob("10_*.ipynb")
    cells = [c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
    start = next(i for i, c in enumerate(cells) if "films = data.reviews" in c)
    end = next(i for i, c in enumerate(cells) if c.startswith("# The reveal"))
    read = {
        ast.unparse(node)
        for c in cells[start:end]
        for node in ast.walk(ast.parse(c))
        if isinstance(node, ast.Attribute) and node.attr in ("y_train", "y_test", "rating")
    }
    assert read == {"films.y_train", "tweets.rating"}  # the ratings choose the clear ones, by size, as the loader does


class Sign:
    """A classifier that is sure of the sign of the first number, whatever it is taught."""

    def fit(self, rows, labels, weights):
        return self

    def predict_proba(self, rows):
        positive = (rows[:, 0] > 0).astype(float)
        return np.stack([1 - positive, positive], axis=1)


def test_tradaboost_by_hand():
    """Two rounds on data that a constant answers: weights follow from the paper's figure 1."""
    boost = definition("10", "tradaboost", LogisticRegression=Sign)
    x, y = np.array([[-2.0], [-1], [1], [2]] * 10), np.array([0, 0, 1, 1] * 10)
    wrong = y.copy()
    wrong[0] = 1  # one source row against the rule
    few, few_y = np.array([[-1.5], [-0.5], [0.5], [1.5], [-2.5]]), np.array([0, 0, 1, 1, 1])  # and one target row
    members, weights = boost(x, wrong, few, few_y, rounds=2)
    shrink = 1 / (1 + np.sqrt(2 * np.log(40) / 2))
    assert len(members) == 1
    assert weights[1:] == pytest.approx(1) and weights[0] == pytest.approx(shrink**2)
    # Round 1: a fifth of the target is missed, which then weighs four times as much, half of all in round 2.
    assert members[0][0] == pytest.approx(np.log((1 - 0.499) / 0.499), abs=1e-3)
