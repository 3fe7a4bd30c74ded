"""Chapter 14: what its notebook defines and what its experiments use, against Keras and against each other."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from inline import definition

from tlcourse.experiments import shared_tasks, shared_trunk, task_weights, trunk_variety
from tlcourse.material import data
from tlcourse.methods import multitask

RNG = np.random.default_rng(14)
X = RNG.integers(0, 256, size=(24, 8, 8, 1)).astype("uint8")
LABELS = {
    "letter": np.where(np.arange(24) < 12, np.arange(24) % 4, -1),
    "kind": np.arange(24) % 2,
    "nobody's": np.full(24, -1),
}


def small(**changes):
    heads = {"letter": 4, "kind": 2, "nobody's": 3}
    return multitask.Network(heads, **{"width": 0.25, "hidden": 16, "size": 8, "seed": 0, **changes})


@pytest.mark.parametrize("of", ["notebook", "package"])
def test_each_task_counts_the_pictures_that_have_its_label(of):
    net, weights = small(), {"letter": 2.0, "kind": 0.5, "nobody's": 7.0}
    shared_loss = multitask.shared_loss if of == "package" else definition("14", "shared_loss")
    asked = {task: tf.constant(y, tf.int32) for task, y in LABELS.items()}
    truth = 0.0
    for task in ("letter", "kind"):
        known = LABELS[task] >= 0
        logits = net.heads[task](net.trunk(X[known].astype("float32")))
        one = keras.losses.sparse_categorical_crossentropy(LABELS[task][known], logits, from_logits=True)
        truth += weights[task] * float(np.mean(one))
    assert float(shared_loss(net, X.astype("float32"), asked, weights)) == pytest.approx(truth, rel=1e-5)


def test_a_step_of_the_notebook_is_one_of_the_package():
    asked, weights = {task: tf.constant(y, tf.int32) for task, y in LABELS.items()}, dict.fromkeys(LABELS, 1.0)
    inline = definition("14", "step", shared_loss=definition("14", "shared_loss"))
    moved = []
    for step in (inline, multitask.step):
        net = small()
        for _ in range(2):
            step(net, X.astype("float32"), asked, weights)
        moved.append([np.asarray(weights) for weights in net.trained])
    assert all(np.array_equal(a, b) for a, b in zip(*moved, strict=True))
    assert np.array_equal(moved[0][-1], net.start[len(moved[0]) - 1]), "a head that no picture asks stays as it was"


def test_fit_takes_the_steps_of_its_order_and_can_go_on():
    order = multitask.batches([np.arange(12), np.arange(12, 24)], 4, batch=6, seed=1)
    by_hand = small()
    for rows in order:
        asked = {task: tf.constant(y[rows], tf.int32) for task, y in LABELS.items()}
        multitask.step(by_hand, X[rows].astype("float32"), asked, dict.fromkeys(LABELS, 1.0))
    net = small()
    net.fit(X, LABELS, order)
    net.fit(X, LABELS, order[:3]).fit(X, LABELS, order[3:], go_on=True)
    assert np.allclose(net.logits("letter", X), by_hand.logits("letter", X), atol=1e-3)


def test_noise_leaves_the_other_task_its_labels_and_is_dealt_anew():
    net, given, order = small(), [], multitask.batches([np.arange(24)], 5, batch=24, seed=1)
    net._steps = lambda x, asked, weights, order: given.append(asked)
    net.fit(X, LABELS, order, noise=["kind"])
    assert np.array_equal(given[0]["letter"], LABELS["letter"][order])
    kinds = np.asarray(given[0]["kind"])
    assert np.array_equal(np.sort(kinds), np.sort(LABELS["kind"][order]))
    by_picture = np.stack([row[np.argsort(rows)] for row, rows in zip(kinds, order, strict=True)])
    assert (by_picture != by_picture[0]).any()


def test_dropout_is_there_in_training_alone():
    net, order = small(dropout=0.5), multitask.batches([np.arange(24)], 3, batch=24, seed=1)
    x, asked = X.astype("float32"), {task: tf.constant(y, tf.int32) for task, y in LABELS.items()}
    weights = dict.fromkeys(LABELS, 1.0)
    assert float(multitask.shared_loss(net, x, asked, weights)) != float(multitask.shared_loss(net, x, asked, weights))
    assert np.array_equal(net.fit(X, LABELS, order).features(x), net.features(x))


@pytest.mark.parametrize("own", [True, False])
def test_an_answer_competes_with_its_own_group_alone(own):
    groups = {"letter": np.array([0, 0, 1, 1])} if own else None
    net = small(groups=groups)
    y = np.arange(24) % 4
    asked = {task: tf.constant(y if task == "letter" else np.full(24, -1), tf.int32) for task in LABELS}
    logits = net.logits("letter", X.astype("float32"))
    pairs = logits.reshape(24, 2, 2)[np.arange(24), y // 2] if own else logits
    right = pairs[np.arange(24), y % 2 if own else y]
    truth = np.mean(np.log(np.exp(pairs).sum(axis=1)) - right)
    weights = dict.fromkeys(LABELS, 1.0)
    assert float(multitask.shared_loss(net, X.astype("float32"), asked, weights)) == pytest.approx(truth, rel=1e-4)


def test_the_notebooks_own_names_are_those_of_the_group():
    z, groups = tf.constant(RNG.normal(size=(3, 6)), tf.float32), tf.constant([0, 0, 1, 1, 2, 2])
    own = definition("14", "own_names")(z, tf.constant([1, 2, 5]), groups).numpy()
    assert np.array_equal(own > -1e8, [[1, 1, 0, 0, 0, 0], [0, 0, 1, 1, 0, 0], [0, 0, 0, 0, 1, 1]])
    assert np.array_equal(own[own > -1e8], z.numpy()[own > -1e8])


def test_a_pool_is_gone_through_before_any_picture_comes_again():
    order = multitask.batches([np.arange(10), np.arange(10, 13)], 5, batch=4, seed=0)
    assert order.shape == (5, 8)
    assert np.array_equal(np.sort(order[:, :4].ravel()[:10]), np.arange(10))
    assert np.bincount(order[:, 4:].ravel(), minlength=13)[10:].min() >= 6
    assert np.array_equal(order[:, :4], multitask.batches([np.arange(10)], 5, batch=4, seed=0))
    with pytest.raises(ValueError, match="Expected pictures in each pool, got none in pool 1"):
        multitask.batches([np.arange(3), np.arange(0)], 2, seed=0)


def test_styles_and_kinds_are_as_the_names_say():
    fonts = ["Lato Bold Italic", "Lato Black", "Lato Oblique", "Lato", "Lato BoldSlanted"]
    assert [shared_tasks.style(font) for font in fonts] == [3, 1, 2, 0, 3]
    assert [shared_tasks.kind(c) for c in "7Gg"] == [0, 1, 2]
    assert np.array_equal(shared_tasks.keys("7GgAa"), [0, 2, 2, 1, 1])


@pytest.fixture(scope="module")
def fonts():
    return shared_tasks.fonts(5, 3)


def test_no_family_of_fonts_stands_on_both_sides():
    parts = data.parts_by_group(
        data.glyphs().families, (shared_tasks.FONTS, shared_tasks.MORE, shared_tasks.TEST), seed=3
    )
    families = [{data.glyphs().families[font] for font in part} for part in parts]
    assert not (families[0] & families[1] or families[0] & families[2] or families[1] & families[2])


@pytest.mark.parametrize("name", shared_tasks.ARMS["5 fonts"])
def test_nobody_names_the_characters_of_further_fonts(name, fonts):
    arm = shared_tasks.ARMS["5 fonts"][name]
    labels, pools = shared_tasks.lesson(arm, fonts, 0)
    assert fonts.labelled == 5 * 62 and (labels["character"][fonts.labelled :] == -1).all()
    assert np.array_equal(labels["character"][: fonts.labelled], np.tile(np.arange(62), 5))
    assert np.array_equal(pools[0], np.arange(fonts.labelled))
    if arm.second:
        y, true = labels[arm.second], fonts.labels[arm.second]
        known = y >= 0
        assert known.sum() == (len(y) if arm.where == "more" else fonts.labelled)
        assert len(pools) == (2 if arm.where == "more" else 1)
        if arm.labels == "true" or arm.labels == "noise":
            assert np.array_equal(y[known], true[known])
        elif arm.labels == "shuffled":
            assert np.array_equal(y[: fonts.labelled], true[: fonts.labelled]), "the named fonts keep their labels"
            assert np.array_equal(np.bincount(y), np.bincount(true)) and not np.array_equal(y, true)
        else:  # the same group for a character in every font, and groups as large as the true ones
            groups = y.reshape(-1, 62)
            assert (groups == groups[0]).all() and np.array_equal(np.bincount(groups[0]), np.bincount(true[:62]))
            assert not np.array_equal(y, true)


def test_stickers_are_of_five_collections():
    here = shared_tasks.stickers(0)
    assert here.x.shape[1:] == (28, 28, 1) and len(here.x) == here.labelled == len(here.labels["class"])
    assert set(here.labels["domain"]) == set(range(5)) and set(here.y_test["class"]) == set(range(8))
    assert np.median(here.x) < 20  # dark ground


def test_what_is_named_is_of_other_faces_than_what_is_learnt():
    faces = np.arange(20) % 3
    learnt, named = shared_trunk.divided(faces, np.random.default_rng(0))
    assert len(learnt) == 10 and len(named) >= 6 and not set(faces[learnt]) & set(faces[named])
    assert len(set(faces[learnt[:2]])) == len(set(faces[learnt])) == 2, "its faces in turn"
    learnt, named = shared_trunk.divided(np.zeros(20, int), np.random.default_rng(0))
    assert len(learnt) == 10 and np.array_equal(np.sort(np.append(learnt, named)), np.arange(20))


def test_every_system_is_new_once_and_never_trains_its_own_trunk():
    systems, seen = shared_trunk.world(5), []
    for fold in range(shared_trunk.FOLDS):
        old, new = shared_trunk.fold_of(systems, fold)
        assert not {system.name for system in old} & {system.name for system in new}
        seen += [system.name for system in new]
        assert all(len({system.name for system in new} & set(pair)) != 1 for pair in shared_trunk.RELATED)
    assert sorted(seen) == sorted(system.name for system in systems) and len(seen) == 50
    assert sum(system.faces == 1 for system in systems) == 10
    again = {system.name: system for system in shared_trunk.world(5)}
    assert all(np.array_equal(system.x, again[system.name].x) for system in systems)


def test_letters_of_many_systems_are_stacked_in_order():
    old = shared_trunk.world(0)[:3]
    x, y, groups = shared_trunk.stacked(old, 2, 4)
    assert len(x) == 3 * 4 * 2 and np.array_equal(y, np.repeat(np.arange(12), 2))
    assert np.array_equal(groups, np.repeat([0, 1, 2], 4))
    assert np.array_equal(x[8:10], old[1].x[0, :2])


def test_two_drawings_are_of_two_faces_if_there_are_two_or_of_one_if_so_wanted():
    for system in shared_trunk.world(0):
        assert (system.face[0] != system.face[1]) == (len(set(system.face)) > 1)
        x, y = system.first(2, 3, alike=True)
        drawn = [
            next(i for i, own in enumerate(system.x[c]) if np.array_equal(own, one))
            for one, c in zip(x, y, strict=True)
        ]
        assert len(set(system.face[drawn])) == 1 and np.array_equal(y, [0, 0, 1, 1, 2, 2])


def test_three_ways_to_spend_cost_the_same():
    volume = {name: way.systems * way.letters * way.drawings for name, way in trunk_variety.WAYS.items()}
    assert [name for name, drawings in volume.items() if drawings != 1600] == ["40x20x10"]


def test_each_setting_is_what_did_best_on_draws_of_its_own():
    tried = data.recorded("trunk_settings").groupby(["arm", "k", "steps", "value"]).accuracy.mean()
    for arm, chosen in {"alone": shared_trunk.ALONE, "tuned": shared_trunk.TUNED}.items():
        for k, setting in chosen.items():
            assert tried[arm, k].idxmax() == setting
    for name, c in shared_trunk.C.items():
        best = tried[name].groupby(["steps", "value"]).mean().idxmax()
        assert best == (shared_trunk.STEPS.get(name, 0), c)
    assert tried["member"].idxmax()[1] == shared_trunk.MEMBERS
    for name, setting in trunk_variety.BEST.items():
        assert tried[name, trunk_variety.SHOTS].idxmax() == setting


def test_each_weight_is_what_did_best_on_draws_of_its_own():
    five = data.recorded("task_weights").query("world == '5 fonts'")
    tried = five.groupby(["arm", "weight", "steps"]).accuracy.mean()
    for name in task_weights.PAIRS["5 fonts"]:
        assert tried[name].idxmax() == shared_tasks.CHOSEN[name]
    even = {f"{name}, even": tried[name, 1.0].idxmax() for name in shared_tasks.EVEN}
    assert all(shared_tasks.CHOSEN[name] == (1.0, steps) for name, steps in even.items())
    alone = five[five.arm == "character alone"].groupby(["rate", "dropout", "steps"]).accuracy.mean()
    assert alone.idxmax() == (shared_tasks.RATE, shared_tasks.DROPOUT, shared_tasks.CHOSEN["alone"][1])


def test_a_head_answers_as_its_logistic_regression():
    from sklearn.linear_model import LogisticRegression

    x, y = RNG.normal(size=(30, 4)), np.arange(30) % 3
    weights, bias = shared_trunk.head(lambda rows: rows, x, y, 1.0)
    fitted = LogisticRegression(C=1.0, max_iter=1000).fit(x / x.std(), y)
    assert np.allclose(x @ weights + bias, fitted.decision_function(x / x.std()), atol=1e-4)
    weights, bias = shared_trunk.head(lambda rows: rows, x, y % 2, 1.0)
    fitted = LogisticRegression(C=1.0, max_iter=1000).fit(x / x.std(), y % 2)
    assert np.array_equal((x @ weights + bias).argmax(axis=1), fitted.predict(x / x.std()))


def test_what_is_tuned_starts_as_it_was_frozen():
    source, net = (multitask.Network({"letter": 3}, width=0.25, hidden=16, size=8, seed=seed) for seed in (1, 2))
    x, y = X.astype("float32"), np.arange(24) % 3
    weights, bias = heads = shared_trunk.head(source.features, x, y, 1.0)
    shared_trunk.started(net, source, heads).fit(x, {"letter": y}, np.zeros((0, 4), int))
    assert np.allclose(net.logits("letter", x), source.features(x) @ weights + bias, atol=1e-4)
