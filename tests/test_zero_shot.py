"""Chapter 16: the table of concepts, and what its notebook defines, against other ways to compute it."""

import numpy as np
import pytest
from inline import definition

from tlcourse.material import assets, data
from tlcourse.methods import zero_shot

TABLE = data.concepts()
ATTRIBUTES = TABLE.iloc[:, 4:]


@pytest.mark.parametrize("domain", ["noto", "twemoji", "openmoji"])
def test_a_row_is_a_picture_of_each_emoji_set_in_the_order_of_cut_outs(domain):
    files = sorted(
        assets.files(f"stickers/{domain}"), key=lambda f: (data.STICKER_CLASSES.index(f.parent.name), f.name)
    )
    assert [(f.parent.name, f.stem) for f in files] == list(zip(TABLE["class"], TABLE.picture, strict=True))


def test_pictures_of_one_concept_agree_in_everything_but_their_name():
    assert not TABLE.drop(columns="picture").drop_duplicates().concept.duplicated().any()


def test_attributes_are_zeros_and_ones_and_each_tells_something_apart():
    assert set(np.unique(ATTRIBUTES)) == {0, 1}
    assert ATTRIBUTES.groupby(TABLE.concept).first().sum().between(2, 160).all()


# --- the notebook's functions and the package's ------------------------------------------------------------------

RNG = np.random.default_rng(16)
KIND = np.repeat(np.arange(8), 6)
CONCEPT = RNG.permutation(np.concatenate([np.arange(48), np.arange(12)]))  # twelve of them have two pictures
SETS = {name: RNG.normal(size=(60, 90)) for name in ("one", "two", "three")}
SPACE = RNG.normal(size=(48, 20))


def ridge(x, y, strength):
    """Weights and mean of ridge regression by its normal equations."""
    centred = x - x.mean(axis=0)
    weights = np.linalg.solve(centred.T @ centred + strength * np.eye(x.shape[1]), centred.T @ (y - y.mean(axis=0)))
    return lambda new: (new - x.mean(axis=0)) @ weights


def distance(a, b):
    return -np.linalg.norm(a[:, None] - b, axis=2)


def cosine(a, b):
    return (a / np.linalg.norm(a, axis=1, keepdims=True)) @ (b / np.linalg.norm(b, axis=1, keepdims=True)).T


@pytest.mark.parametrize("strength", [0.5, 20.0])
def test_the_maps_are_ridge_regression_by_its_normal_equations(strength):
    x, taught, new = RNG.normal(size=(30, 7)), RNG.normal(size=(30, 4)), RNG.normal(size=(9, 7))
    named = RNG.normal(size=(5, 4))
    forward = cosine(ridge(x, taught, strength)(new), named - taught.mean(axis=0))
    spread = np.square(taught - taught.mean(axis=0)).sum() / 30
    backward = cosine(new - x.mean(axis=0), ridge(taught, x, strength * spread)(named))
    for to_names in (definition("16", "to_names"), zero_shot.to_names):
        assert np.allclose(to_names(x, taught, new, named, strength), forward)
    assert np.allclose(definition("16", "to_pictures")(x, taught, new, named, strength), backward)


@pytest.mark.parametrize("seed", range(4))
def test_no_concept_is_seen_and_unseen_and_rehearsals_know_nothing_of_the_unseen(seed):
    real, rehearsals = zero_shot.draw(SETS, CONCEPT, KIND, seed=seed)
    assert (real.seen ^ real.unseen).all() and np.bincount(KIND[real.unseen]).tolist() == [2] * 8
    for task in (real, *rehearsals):
        assert not (task.seen & task.unseen).any() and set(task.y) == set(np.flatnonzero(task.seen))
        assert set(task.truth) == set(np.flatnonzero(task.seen | task.unseen))
    assert not any((task.unseen | task.seen)[real.unseen].any() for task in rehearsals)
    assert (sum(task.unseen.astype(int) for task in rehearsals) == real.seen).all()


def test_the_set_that_tests_does_not_teach():
    marked = {name: rows * 0 + i + RNG.normal(size=rows.shape) * 1e-3 for i, (name, rows) in enumerate(SETS.items())}
    changed = {**marked, "three": marked["three"] + 7}
    for before, after in zip(*(zero_shot.draw(sets, CONCEPT, KIND, seed=0) for sets in (marked, changed)), strict=True):
        pairs = [(before, after)] if isinstance(before, zero_shot.Task) else zip(before, after, strict=True)
        for one, other in pairs:
            assert np.array_equal(one.x, other.x)


def test_what_the_unseen_are_changes_nothing_before_the_reveal():
    """The labels of pictures of unseen concepts are dealt out anew: strength and scores stay as they were."""
    real, _ = zero_shot.draw(SETS, CONCEPT, KIND, seed=1)
    other, hidden = CONCEPT.copy(), real.unseen[CONCEPT]
    other[hidden] = np.roll(other[hidden], 1)
    results = []
    for concept in (CONCEPT, other):
        task, rehearsals = zero_shot.draw(SETS, concept, KIND, seed=1)
        strength, rehearsed = zero_shot.rehearse(rehearsals, SPACE, KIND, zero_shot.to_names)
        results.append([*rehearsed, zero_shot.to_names(task.x, SPACE[task.y], task.new, SPACE, strength)])
    assert all(np.array_equal(a, b) for a, b in zip(*results, strict=True))
    assert not np.array_equal(CONCEPT, other)


@pytest.mark.parametrize("rivals", ["all", "across", "inside"])
def test_the_right_of_two_by_asking_one_pair_after_the_other(rivals):
    task, _ = zero_shot.draw(SETS, CONCEPT, KIND, seed=2)
    scores = RNG.integers(0, 5, size=(len(task.new), 48)).astype(float)  # many are equal
    by_hand = []
    for row, own in zip(scores, task.truth, strict=True):
        if task.unseen[own]:
            others = [c for c in np.flatnonzero(task.unseen) if c != own]
            fair = {"all": others, "across": [c for c in others if KIND[c] != KIND[own]]}
            fair["inside"] = [c for c in others if KIND[c] == KIND[own]]
            by_hand.append(np.mean([1.0 if row[own] > row[c] else 0.5 * (row[own] == row[c]) for c in fair[rivals]]))
    assert np.allclose(zero_shot.beats(scores, task, KIND, rivals), by_hand)


def test_a_word_that_is_none_is_refused():
    task, _ = zero_shot.draw(SETS, CONCEPT, KIND, seed=0)
    with pytest.raises(ValueError, match="Expected one of all, across, inside, got 'outside': say"):
        zero_shot.beats(np.zeros((60, 48)), task, KIND, "outside")


@pytest.mark.parametrize("sets", [{"one": SETS["one"]}, {**SETS, "three": SETS["three"][:50]}])
def test_sets_that_show_other_things_are_refused(sets):
    with pytest.raises(ValueError, match="Expected three sets of 60 pictures each, got .*: give the same things"):
        zero_shot.draw(sets, CONCEPT, KIND, seed=0)


def test_names_are_swapped_among_the_seen_of_a_group_and_nowhere_else():
    seen = RNG.random(48) < 0.7
    swapped = zero_shot.shuffled(SPACE, seen, KIND, seed=0)
    assert np.array_equal(swapped[~seen], SPACE[~seen]) and not np.array_equal(swapped, SPACE)
    for k in range(8):
        rows = [np.sort(table[seen & (KIND == k)], axis=0) for table in (SPACE, swapped)]
        assert np.array_equal(*rows)


def test_calibrated_stacking_by_trying_every_number():
    taken_off = np.round(np.arange(0, 0.81, 0.04), 2)
    task, _ = zero_shot.draw(SETS, CONCEPT, KIND, seed=3)
    scores = np.random.default_rng(3).uniform(-1, 1, size=(len(task.new), 48))
    found = definition("16", "both_sides", TAKEN_OFF=taken_off)(scores, task)
    for number in taken_off:
        right = (scores - number * task.seen).argmax(axis=1) == task.truth
        for side, mask in (("seen", task.seen), ("unseen", task.unseen)):
            each = [right[task.truth == c].mean() for c in np.flatnonzero(mask)]
            assert found.loc[number, side] == pytest.approx(100 * np.mean(each))


def test_evidence_is_the_formula():
    p, usual = RNG.uniform(0.05, 0.95, size=(6, 5)), RNG.uniform(0.1, 0.9, size=5)
    wanted = np.array([1, 0, 1, 1, 0.0])
    found = definition("16", "evidence", usual=usual)(p, wanted)
    formula = np.where(wanted == 1, p / usual, (1 - p) / (1 - usual)).prod(axis=1)
    assert np.allclose(np.exp(found), formula)


def test_by_distance_a_point_pulled_to_the_mean_changes_its_name_and_by_direction_it_does_not():
    x, taught, named = RNG.normal(size=(60, 5)), RNG.normal(size=(60, 3)), RNG.normal(size=(20, 3))
    weak, strong = (
        {alike: zero_shot.to_names(x, taught, x, named, s, alike).argmax(axis=1) for alike in (cosine, distance)}
        for s in (1e6, 1e9)  # so strong that landing places only shrink
    )
    assert np.array_equal(weak[cosine], strong[cosine])
    middle = np.argmin(np.linalg.norm(named - taught.mean(axis=0), axis=1))
    assert set(strong[distance]) == {middle} and len(set(strong[cosine])) > 5


@pytest.mark.parametrize("k", [1, 3])
def test_occurrences_counts_votes(k):
    scores = RNG.normal(size=(30, 12))
    votes = [c for row in scores for c in sorted(range(12), key=lambda c, row=row: -row[c])[:k]]
    assert zero_shot.occurrences(scores, k).tolist() == [votes.count(c) for c in range(12)]
