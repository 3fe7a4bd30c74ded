"""The recorded experiments keep training, validation and test apart, and draw as many of each as they say."""

import numpy as np
import pytest

from tlcourse.classroom import checks
from tlcourse.experiments import (
    distillation,
    distillation_ensemble,
    freeze_depth,
    negative_transfer,
    negative_transfer_depth,
    samples,
)
from tlcourse.material import data
from tlcourse.methods import layer_transfer

TWO_SCRIPTS = ("scripts", "writing systems")


@pytest.mark.parametrize("seed", [0, 5])
def test_freeze_depth_splits_the_photographs(seed):
    y = np.repeat(np.arange(8), [33, 40, 24, 18, 23, 12, 25, 15])
    train, validation, test = freeze_depth.rows_of(y, seed)
    assert (len(train), len(validation), len(test)) == (96, 38, 56)
    assert len(set(train) | set(validation) | set(test)) == len(y)
    assert all(len(set(y[part])) == 8 for part in (train, validation, test))


def test_letters_are_black_on_white_and_tested_in_families_of_fonts_that_were_not_seen(monkeypatch):
    dealt, deal = [], data.parts_by_group
    monkeypatch.setattr(data, "parts_by_group", lambda *words, **more: dealt.extend(deal(*words, **more)) or dealt)
    x, y, x_test, y_test = samples.letters(3)
    assert x.shape == x_test.shape == (2600, 64, 64, 3) and set(np.bincount(y)) == set(np.bincount(y_test)) == {100}
    assert x[:, 0, 0].mean() > 250 and x.min() < 30
    families = np.asarray(data.glyphs().families)
    assert not set(families[dealt[0]]) & set(families[dealt[1]])


def test_things_never_meet_their_test_pictures_in_training():
    x, y, x_test, y_test = samples.things(0)
    assert min(np.bincount(y)) >= max(samples.SHOTS["things"]) and set(y_test) == set(range(8))
    assert not {picture.tobytes() for picture in x} & {picture.tobytes() for picture in x_test}


def test_every_number_of_shots_fills_whole_batches():
    """A last batch of another size would compile each network a second time: minutes in every recording."""
    classes = {"things": 8, "letters": 26, "photographs": 8}
    assert all(classes[name] * k % samples.BATCH[name] == 0 for name, shots in samples.SHOTS.items() for k in shots)


def test_the_student_never_meets_a_digit_of_its_teachers(monkeypatch):
    taught = []

    class Teacher:
        def fit(self, rows, y):
            taught.extend(rows[:, 0])

        def decision_function(self, rows):
            return np.repeat(rows[:, :1], 10, axis=1)

    monkeypatch.setattr("sklearn.pipeline.make_pipeline", lambda *steps: Teacher())
    numbers = np.arange(5000.0).reshape(-1, 1, 1).repeat(2, axis=2)
    monkeypatch.setattr("tlcourse.material.features.extract", lambda model, pictures: numbers)
    parts = distillation.task(3)
    sizes = {"transfer": 1000, "validation": 500, "test": 1000}
    assert {name: len(part["y"]) for name, part in parts.items()} == sizes and len(taught) == 2500
    used = [*taught, *(v for part in parts.values() for v in part["v"][:, 0])]
    assert len(set(used)) == 5000


def test_the_recorded_control_is_the_one_that_the_exercise_asks_for():
    checks.permuted(distillation.permuted)  # which refuses every other


def test_who_is_taught_by_all_learns_the_mean_of_their_logits_and_no_other_label(monkeypatch):
    """Members answer with a bias of their own number, so that the targets tell who taught."""
    lessons = []

    class Member:
        def __init__(self, number):
            self.number = number

        def predict(self, x, **_):
            logits = np.zeros((len(x), 10))
            logits[:, self.number % 10] = self.number
            return logits

    def fit(model, x, targets, *, temperature, **_):
        lessons.append(({picture.tobytes() for picture in x}, targets, temperature))
        return Member(len(lessons) - 1)

    monkeypatch.setattr("tlcourse.methods.distillation.fit", fit)
    rows = distillation_ensemble.trial({"members": 3, "labelled": 50, "seed": 1})
    own, *_ = (pictures for pictures, *_ in lessons)
    assert all(pictures == own and set(targets.ravel()) == {0, 1} for pictures, targets, _ in lessons[:3])
    mean, first = np.array([0, 1, 2] + 7 * [0]) / 3, np.zeros(10)
    for row, (pictures, targets, temperature) in zip(rows[2:], lessons[3:], strict=True):
        logits = mean if "by all" in row["who"] else first
        expected = np.exp(logits / temperature) / np.exp(logits / temperature).sum()
        assert np.allclose(targets, expected) and row["temperature"] == temperature
        assert (pictures == own) == ("other" not in row["who"]) and (pictures == own or not pictures & own)


def test_a_source_shares_no_picture_with_a_target():
    sources, targets = negative_transfer.worlds(4)
    assert (*sources, "untrained") == negative_transfer.SOURCES and tuple(targets) == negative_transfer.TARGETS
    for x, y in sources.values():
        assert len(x) == len(y) and x.shape[1:] == (28, 28, 1) and x.min() >= 0 and x.max() <= 255
        assert set(y) == set(range(y.max() + 1))
    known = {picture.tobytes() for name in sources if name != "noise" for picture in sources[name][0]}
    for x, y, x_test, y_test in targets.values():
        few, tested = ({picture.tobytes() for picture in part} for part in (x, x_test))
        assert not known & (few | tested) and not few & tested
        assert set(y) == set(y_test) and len(y) <= 62


def test_targets_are_few_and_inverted_ones_are_the_same_turned_round():
    sources, targets = negative_transfer.worlds(1)
    assert len(targets["letters"][1]) == len(targets["fonts"][1]) == 2 * negative_transfer.CLASSES
    assert np.array_equal(targets["inverted letters"][0], 255 - targets["letters"][0])
    assert np.array_equal(targets["mirrored letters"][2][:, :, ::-1], targets["letters"][2])
    assert np.array_equal(sources["inverted"][0], 255 - sources["letters"][0])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_no_family_of_fonts_nor_writing_system_is_learnt_and_tested(seed, monkeypatch):
    """Every picture is marked with two numbers: which font, or which letter and drawing, it is of."""
    glyphs, scripts = data.glyphs(), data.scripts()

    def marked(group, numbers):
        images = np.zeros_like(group.images)
        images[..., 0, :3] = np.stack([numbers // 10000, numbers // 100 % 100, numbers % 100], axis=-1)
        return lambda: group._replace(images=images)

    font, _ = np.indices(glyphs.images.shape[:2])
    letter, drawing = np.indices(scripts.images.shape[:2])
    monkeypatch.setattr(data, "glyphs", marked(glyphs, font))
    monkeypatch.setattr(data, "scripts", marked(scripts, 20 * letter + drawing))
    sources, targets = negative_transfer.worlds(seed)

    def marks(x):
        return (x[:, 0, :3, 0] @ [10000, 100, 1]).astype(int)

    def families(x):
        return set(np.array(glyphs.families)[marks(x)])

    def systems(x):
        return set(np.array(scripts.systems)[marks(x) // 20])

    learnt = {name: families(sources[name][0]) for name in ("same fonts", "letters", "fonts")}
    for name in ("letters", "fonts"):
        few, _, tested, _ = targets[name]
        assert not families(tested) & set().union(*learnt.values())
        assert not families(few) & (learnt["letters"] | learnt["fonts"])
    few, _, tested, _ = targets["letters"]
    assert not families(few) & families(tested) and families(few) < learnt["same fonts"]
    foreign = systems(sources["other scripts"][0])
    assert not foreign & set().union(*(systems(targets[name][i]) for name in TWO_SCRIPTS for i in (0, 2)))
    few, tested = (marks(targets["scripts"][i]) for i in (0, 2))
    faces = [{(mark // 20, scripts.faces[mark // 20, mark % 20]) for mark in part} for part in (few, tested)]
    assert len(faces[0]) == 31 and len(set(few)) == 62 and not faces[0] & faces[1]
    few, tested = (set(marks(targets["writing systems"][i]) // 20) for i in (0, 2))
    assert len(few) == 40 and len(tested) == 160 and not few & tested


def test_shuffled_filters_keep_their_weights_and_lose_their_order():
    network = layer_transfer.network(3, seed=0)
    before = network.get_layer("layer3").get_weights()
    untouched = network.get_layer("layer7").get_weights()
    negative_transfer_depth.shuffle_weights(network, seed=0)
    after = network.get_layer("layer3").get_weights()
    assert np.array_equal(np.sort(before[0].reshape(-1, 48), axis=0), np.sort(after[0].reshape(-1, 48), axis=0))
    assert (before[0] != after[0]).mean() > 0.99 and np.array_equal(before[1], after[1])
    assert all(map(np.array_equal, untouched, network.get_layer("layer7").get_weights()))
