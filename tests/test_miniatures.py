"""Every experiment's trial, in miniature: it gives the recorded columns, and learns nothing from its test."""

import numpy as np
import pytest
from miniatures import embed, module, noted, run, small_world, tokenize
from scipy.special import softmax
from sklearn.covariance import LedoitWolf

from tlcourse.material import assets, backbones
from tlcourse.material.data import split, tables
from tlcourse.material.features import extraction
from tlcourse.methods import distillation, transferability
from tlcourse.workshop import executors, sweeps

pytestmark = pytest.mark.filterwarnings(
    "ignore:Even though the .tf.config:UserWarning",  # trained without graphs: tracing takes longer than two steps
    "ignore::FutureWarning",
    "ignore:__array__ implementation:DeprecationWarning",  # NumPy's, of Keras's variables
)
# What may be otherwise when the test is another one.
TESTED = {"accuracy", "second", "test_accuracy", "test_loss", "teacher", "agreement", "recall", "others",
          "guide_accuracy", "labelled", "among_others", "labelled_rebalanced", "others_rebalanced",
          "5 way 1 shot", "20 way 1 shot", "5 way 5 shot", "20 way 5 shot", "nearest mean", "fine-tuned",
          "guide_epochs", "named_absent", "twins", "mirrored", "source_test"}  # fmt: skip
# Passes over the examples times batches in each, as the settings say.
STEPS = {"lora_ranks": 2, "lora_rates": 2, "lora_flat": 2, "text_depth": 2, "lora_domains": 2, "lora_spectrum": 2,
         "distillation": 2, "distillation_sizes": 2, "distillation_steps": 2,
         "missing_class": 2, "batch_norm": 2, "freeze_depth": 4, "first_start": 6, "forgetting": 1,
         "moving_statistics": 5, "tuned_letters": 4}  # fmt: skip
SPLIT_INSIDE = {
    "augmented_copies",
    "batch_norm",
    "embedding",
    "freeze_depth",
    "zoo",
    "collapse",
}  # their loader gives one part, see below


@pytest.fixture
def world(monkeypatch):
    with small_world(monkeypatch) as world:
        yield world


def comparable(name, rows):
    passed_over = TESTED | set(getattr(module(name), "CLOCKED", ()))
    return [{key: sweeps._text(value) for key, value in row.items() if key not in passed_over} for row in rows]


@pytest.mark.parametrize("name", sweeps.names())
def test_a_trial_gives_what_was_recorded_and_learns_nothing_from_its_test(name, world, monkeypatch):
    """Run on other test pictures with other labels, every `fit` is given the same, and comes to the same."""
    with noted(monkeypatch) as lessons:
        rows = run(name, monkeypatch)
        first = lessons.copy()
        lessons.clear()
        world.other_test = True
        again = run(name, monkeypatch)
    assert rows and first, "something was learnt"
    steps = [done for learner, _, done, *_ in first if learner == "Functional"]
    assert steps[-1:] == [STEPS[name]] if name in STEPS else True
    path = assets.DATA / "recorded" / f"{name}.csv"
    if path.exists():
        stamped = {*tables.STAMPS, *executors.versions(), "machine", "seed", *module(name).CONFIGS[0]}
        assert {key for row in rows for key in row} - stamped == set(tables.rows_of(path)[0]) - stamped
    assert all(np.isscalar(value) for row in rows for value in row.values())
    if name != "race":  # it trains until it reaches the probe's test accuracy, as it says
        assert first == lessons
        assert comparable(name, rows) == comparable(name, again)
    assert bool(world.tests) == (name not in SPLIT_INSIDE)


@pytest.mark.parametrize("treatment", ["block by cross-validation", "fine-tuning by cross-validation"])
def test_a_setting_is_chosen_within_the_training_pictures(treatment, world, monkeypatch):
    with noted(monkeypatch) as lessons:
        settings = [row["setting"] for row in run("samples", monkeypatch, treatment=treatment)]
        first = lessons.copy()
        lessons.clear()
        world.other_test = True
        again = [row["setting"] for row in run("samples", monkeypatch, treatment=treatment)]
    assert len(first) > 8 and first == lessons and settings == again


@pytest.mark.parametrize("arm", ["source only", "joint, ramped", "coral", "ramped, no batch norm"])
def test_other_labels_of_an_unlabelled_target_change_only_what_judges(arm, world, monkeypatch):
    experiment = module("domain_adversarial")
    drawn = experiment.pictures

    def exchanged(target, seed):
        part = drawn(target, seed)
        theirs = {
            name: (x, (y + 1) % 10) for name, (x, y) in part.items() if name in ("target", "target held out", "test")
        }
        return part | theirs

    first = run("domain_adversarial", monkeypatch, target="mnist_m", arm=arm)
    monkeypatch.setattr(experiment, "pictures", exchanged)
    again = run("domain_adversarial", monkeypatch, target="mnist_m", arm=arm)
    judged = {"accuracy", "tempting", "class_gap"}
    for before, after in zip(first, again, strict=True):
        assert {key for key in before if before[key] != after[key]} <= judged
        assert before["class_gap"] != after["class_gap"]


WAYS = [(config["target"], config["treatment"]) for config in module("samples").CONFIGS]


@pytest.mark.parametrize(("target", "treatment"), WAYS)
def test_every_way_of_learning_gives_rows_alike(target, treatment, world, monkeypatch):
    (row,) = run("samples", monkeypatch, target=target, treatment=treatment)
    assert set(row) == {"k", "accuracy", "setting"} and row["k"] == 2


def test_what_is_trained_twice_starts_twice_from_the_same(world, monkeypatch):
    samples, (x, y, *_) = module("samples"), world.letters(3)
    for name in ("STEPS", "EPOCHS"):
        monkeypatch.setattr(samples, name, 1)
    order, x = np.argsort(y), x.astype("float32")
    _, answers = samples.learner("whole network", x, y, target="things", seed=0)
    first, other, again = (answers((samples.WHOLE, rate), order, order) for rate in (1e-1, 1e-4, 1e-1))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_nobody_is_tested_on_pictures_that_it_was_trained_on(world, monkeypatch):
    """Where the trial itself divides what the loader gives."""
    import keras
    from sklearn.svm import SVC

    seen = {"fit": [], "predict": []}
    with monkeypatch.context() as patch:
        for learner in (keras.Model, SVC):
            for name in seen:
                before = getattr(learner, name)

                def spied(self, x, *words, name=name, before=before, **more):
                    seen[name].append({row.tobytes() for row in np.asarray(x)})
                    return before(self, x, *words, **more)

                patch.setattr(learner, name, spied)
        for experiment in ("batch_norm", "embedding", "zoo"):
            for parts in seen.values():
                parts.clear()
            run(experiment, monkeypatch)
            learnt, tested = seen["fit"][-1], seen["predict"][-1]
            assert len(learnt) in (16, 32) and len(tested) == 64 - len(learnt) and not learnt & tested


@pytest.mark.parametrize("fonts", [False, True])
def test_a_draw_tests_on_all_others_and_of_fonts_on_other_fonts(fonts):
    y = np.tile(np.arange(10), 8)
    train, test = module("embedding").draw(y, 3, 5, fonts=fonts)
    assert sorted([*train, *test]) == list(range(80)) and np.bincount(y[train]).tolist() == [3] * 10
    assert not fonts or not set(train // 10) & set(test // 10)


def test_no_picture_is_in_two_draws():
    share = module("moving_statistics")._share
    y = np.tile(np.arange(10), 12)
    x = np.repeat(np.arange(120, dtype="uint8"), 16).reshape(120, 4, 4)
    drawn = [share(x, y, 4, seed)[0].mean(axis=(1, 2, 3)).round().astype(int).tolist() for seed in range(3)]
    assert sorted(sum(drawn, [])) == list(range(120))


@pytest.mark.parametrize(
    ("source", "task"),
    [("near", "near"), ("own", "target"), ("other fonts", "other fonts"), ("fonts", "fonts"), ("scripts", "scripts")],
)
def test_layers_are_copied_from_who_learnt_the_task_that_is_named(source, task, world, monkeypatch):
    copied, known, taught = module("copied_layers"), world.tasks(3), []

    def trained(model, pair, **_):
        taught.append(next(name for name, (x, _) in known.items() if np.array_equal(x, pair[0])))
        return model

    monkeypatch.setattr(copied, "trained", trained)
    monkeypatch.setattr(copied, "transferred", lambda *_, **__: 0.0)
    run("copied_layers", monkeypatch, source=source)
    assert taught == [task]


def test_the_missing_class_is_missing(world, monkeypatch):
    missing = module("missing_class")
    student, given = missing.distillation.student, []

    def spied(config, part, **more):
        given.append(part["y"])
        return student(config, part, **more)

    monkeypatch.setattr(missing.distillation, "student", spied)
    rows = run("missing_class", monkeypatch, seed=12)
    assert set(given[0]) == set(range(10)) - {2} and {row["missing"] for row in rows} == {2}


def test_the_probe_answers_as_its_classifier(world, monkeypatch):
    from sklearn.linear_model import LogisticRegression

    ranks = module("lora_ranks")
    monkeypatch.setattr(ranks, "LENGTH", 6)
    texts, y = world.reviews("film").train
    rows = embed(texts, length=6)
    expected = LogisticRegression(max_iter=1000).fit(rows, y).predict_proba(rows)
    logits = ranks.probe((texts, y), seed=0).predict(tokenize(texts, length=6), verbose=0)
    np.testing.assert_allclose(softmax(logits, axis=1), expected, atol=1e-4)
    assert expected[:, 1].std() > 0.01


def test_fewer_pictures_get_more_passes(world, monkeypatch):
    """`samples`: at least so many steps, and at least so many epochs."""
    samples = module("samples")
    monkeypatch.setitem(samples.MINIATURE, "SHOTS", {"things": (2, 4)})
    monkeypatch.setitem(samples.MINIATURE, "STEPS", 6)
    monkeypatch.setitem(samples.MINIATURE, "EPOCHS", 5)
    with noted(monkeypatch) as lessons:
        run("samples", monkeypatch)
    trained = [(examples, steps) for learner, examples, steps, *_ in lessons if learner == "Functional"]
    assert trained == [(16, 6), (32, 10)]


def test_passes_come_nearest_to_the_steps():
    passes = module("negative_transfer").passes
    for n, steps, epochs in ((620, 300, 15), (62, 160, 80), (63, 160, 53), (31, 160, 160)):
        assert passes(np.zeros(n), steps) == epochs


def test_the_rate_falls_along_half_a_cosine_over_all_steps():
    epochs, rate = distillation.passes(100, steps=64, learning_rate=2.0, batch_size=32)
    assert epochs == 16
    fallen = [float(rate(step)) for step in (0, 16, 32, 48, 64)]
    np.testing.assert_allclose(fallen, 1 + np.cos(np.pi * np.arange(5) / 4), atol=1e-6)


def test_neighbours_are_found_by_angle_and_not_by_length():
    rows = np.array([[1, 0], [1, 0.1], [20, 20], [1, 1.1]])
    assert module("negative_transfer").scores(rows, rows, np.array([0, 0, 1, 1]))["neighbour"] == 100


def test_features_of_noise_score_low_once_the_covariance_is_shrunk():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 200)), np.arange(40) % 4
    assert transferability.h_score(x, y, shrink=False) == pytest.approx(3, abs=1e-6)
    found = LedoitWolf().fit(x)
    means = np.stack([x[y == c].mean(axis=0) for c in y])
    between = (1 - found.shrinkage_) * np.cov(means.T, bias=True)
    score = transferability.h_score(x, y)
    assert score == pytest.approx(np.trace(found.get_precision() @ between)) and score < 1


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.77])
def test_whole_groups_miss_the_wanted_share_by_half_a_group_at_most(share):
    groups = np.repeat(np.arange(7), 10)
    for seed in range(5):
        tested = split.by_group(groups, share, np.random.default_rng(seed))
        assert abs(tested.sum() - share * 70) <= 5
        assert all(len(set(tested[groups == group])) == 1 for group in range(7))


def test_fine_stripes_become_grey_when_pictures_shrink():
    stripes = np.zeros((1, 64, 64, 3), "uint8")
    stripes[:, :, ::4] = 255
    small = extraction._scale(stripes, (16, 16))[:, 2:-2, 2:-2]
    np.testing.assert_allclose(small, 255 / 4, atol=8)


def test_the_small_network_learns_from_pixels_round_zero():
    import keras

    network = backbones.small_cnn(classes=2, input_size=8, channels=1, width=2)
    first = keras.Model(network.input, network.get_layer("conv1").input)
    black, white = first.predict(np.stack([np.zeros((8, 8, 1)), np.full((8, 8, 1), 255.0)]), verbose=0)
    assert black.max() == pytest.approx(-1) and white.min() == pytest.approx(1)
