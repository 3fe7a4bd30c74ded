"""Chapter 18: what stands in the notebook is what was recorded, and link prediction against networkx."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from inline import definition
from miniatures import module

from tlcourse.methods import link_prediction as link

CLUB = nx.to_numpy_array(nx.karate_club_graph(), weight=None)


def test_the_losses_and_turns_of_the_notebook_are_those_that_were_recorded():
    rng, recorded = np.random.default_rng(0), module("surrogate_tasks")
    z = rng.normal(size=(12, 5)).astype("float32")
    alike = definition("18", "alike")
    assert float(alike(z, recorded.TEMPERATURE)) == pytest.approx(float(recorded.alike(z)), abs=1e-5)
    x, quarters = rng.random((6, 4, 4, 1)), rng.integers(4, size=6)
    assert np.array_equal(definition("18", "turned")(x, quarters), recorded.turned(x, quarters))
    y = np.arange(12) % 3
    ours, theirs = definition("18", "probe")(z, y), recorded.probe(z, y)
    assert ours.alpha_ == theirs.alpha_ and np.allclose(ours.coef_, theirs.coef_)


def test_each_arm_is_settled_by_other_draws_and_other_pictures():
    """Whatever the judged draws and the test say, the setting stays that of draws 0 and 1 on validation pictures."""
    rng = np.random.default_rng(1)
    rows = [
        {"pictures": "fashion", "task": task, "k": 10, "setting": setting, "steps": 800, "seed": seed}
        for task in "ab" for setting in ("low", "high") for seed in range(5)
    ]  # fmt: skip
    runs = pd.DataFrame(rows).assign(validation=rng.random(20), accuracy=rng.random(20))
    runs.loc[(runs.seed < 2) & (runs.setting == "high") & (runs.task == "a"), "validation"] += 2
    runs.loc[(runs.seed < 2) & (runs.setting == "low") & (runs.task == "b"), "validation"] += 2
    settled = definition("18", "settled")
    found = settled(runs)
    assert set(zip(found.task, found.setting, strict=True)) == {("a", "high"), ("b", "low")}
    assert set(found.seed) == {2, 3, 4} and len(found) == 6
    judged = runs.seed >= 2
    again = settled(runs.assign(accuracy=0.0, validation=runs.validation.where(~judged, 9.0)))
    assert set(zip(again.task, again.setting, strict=True)) == {("a", "high"), ("b", "low")}


@pytest.mark.parametrize("where", ["notebook", "package"])
def test_two_steps_are_networkx_adamic_adar_index(where):
    signs = definition("18", "signs") if where == "notebook" else link.signs
    z, network = signs(CLUB), nx.from_numpy_array(CLUB)
    index = np.zeros_like(CLUB)
    for u, v, value in nx.adamic_adar_index(network, [(u, v) for u in network for v in network if u < v]):
        index[u, v] = np.log1p(value)
    upper = np.triu_indices(len(CLUB), 1)
    assert np.corrcoef(z[..., 0][upper], index[upper])[0, 1] == pytest.approx(1)
    assert np.allclose([z[..., i][upper].std() for i in range(2)], 1)


def test_each_edge_is_hidden_once_and_cannot_be_seen():
    found = []
    for held, rest in link.hidden(CLUB, seed=3):
        assert not rest[tuple(held.T)].any() and np.array_equal(rest, rest.T)
        assert rest.sum() == CLUB.sum() - 2 * len(held)
        found += map(tuple, held.tolist())
    assert sorted(found) == sorted(map(tuple, np.argwhere(np.triu(CLUB)).tolist()))


def test_what_an_edge_beats_is_the_area_under_the_curve():
    from sklearn.metrics import roc_auc_score

    score, far = np.random.default_rng(0).integers(9, size=CLUB.shape), link.strangers(CLUB)
    held = np.argwhere(np.triu(CLUB))
    y = np.repeat([1, 0], [len(held), len(far[0])])
    told = roc_auc_score(y, np.concatenate([score[tuple(held.T)], score[far]]))
    assert link.area(score, held, far).mean() == pytest.approx(100 * told)


def test_weights_of_no_length_but_one_and_a_rewired_network_without_its_triangles():
    assert np.linalg.norm(link.learn(CLUB, times=1)) == pytest.approx(1)
    assert link.degrees(np.array([0.0, 2.0])) == pytest.approx(90)
    shuffled = link.rewired(CLUB, seed=0)
    assert np.array_equal(shuffled.sum(axis=0), CLUB.sum(axis=0)) and not np.array_equal(shuffled, CLUB)
    both = link.beaten(CLUB, [np.array([1.0, 0.0]), lambda rest: np.array([1.0, 0.0])], times=1)
    assert len(both) == 78 and both.equals(link.beaten(CLUB, [np.array([1.0, 0.0])], times=1))
