"""Copied layers are equal and independent; the recorded experiment splits classes, fonts and pictures as it says."""

import keras
import numpy as np
import pytest
from inline import definition

from tlcourse.experiments import copied_layers as trial
from tlcourse.material import data
from tlcourse.methods import fine_tuning, freezing, layer_transfer, training

X = np.random.default_rng(0).uniform(0, 255, (12, 8, 8, 1)).astype("float32")
Y = np.arange(12) % 3


@pytest.fixture
def source():
    return layer_transfer.network(5, size=8, seed=0)


@pytest.mark.parametrize("frozen", [True, False])
@pytest.mark.parametrize("n", [0, 1, 4, 7])
def test_n_layers_are_copied_and_the_rest_is_new(source, n, frozen):
    kept = freezing.snapshot(source)
    model = layer_transfer.transfer(source, n, 3, frozen=frozen, seed=1)
    kernels = [[net.get_layer(f"layer{i}").get_weights()[0] for net in (model, source)] for i in range(1, 9)]
    same = [np.array_equal(*pair) for pair in kernels]
    assert same == [True] * n + [False] * (8 - n)
    before = freezing.snapshot(model)
    training.fit(model, (X, Y), epochs=1, learning_rate=1e-2, seed=0)
    moved = {freezing.block_of(path) for path in freezing.changed(model, before)}
    assert moved == {f"layer{i}" for i in range(n + 1 if frozen else 1, 9)}
    assert not freezing.changed(source, kept)


def test_with_all_but_the_last_layer_the_features_are_the_sources(source):
    model = layer_transfer.transfer(source, 7, 3, frozen=True, seed=1)
    features = [keras.Model(net.input, net.get_layer("layer7").output)(X) for net in (source, model)]
    assert np.array_equal(*features)


@pytest.mark.parametrize("n", [-1, 8])
def test_other_numbers_of_layers_are_refused(source, n):
    with pytest.raises(ValueError, match=f"Expected 0 to 7 layers to copy, got {n}"):
        layer_transfer.transfer(source, n, 3, frozen=True, seed=1)


@pytest.mark.parametrize(("classes", "size"), [(1, 28), (5, 30), (5, 4)])
def test_networks_that_cannot_be_are_refused(classes, size):
    with pytest.raises(ValueError, match="at least 2 classes and a size of 8, 12"):
        layer_transfer.network(classes, size=size, seed=0)


def test_halves_are_halves():
    a, b = layer_transfer.halves(62, seed=3)
    assert sorted([*a, *b]) == list(range(62)) and len(a) == len(b) == 31
    assert not np.array_equal(a, layer_transfer.halves(62, seed=4)[0])


def test_tasks_are_alike_in_size_and_share_no_picture():
    tasks = trial.tasks(0)
    sizes = {name: (x.shape, set(np.bincount(y))) for name, (x, y) in tasks.items()}
    trained = ((620, 28, 28, 1), {20})
    sources = ("near", "other fonts", "scripts", "fonts")
    assert sizes == dict.fromkeys((*sources, "target"), trained) | {"test": ((3100, 28, 28, 1), {100})}
    pictures = [{picture.tobytes() for picture in x} for x, _ in tasks.values()]
    assert not any(a & b for i, a in enumerate(pictures) for b in pictures[:i])


def test_no_family_of_fonts_is_in_two_parts():
    tasks, glyphs = trial.tasks(1), data.glyphs()
    of = {
        image.tobytes(): family for font, family in zip(glyphs.images, glyphs.families, strict=True) for image in font
    }
    met = {name: {of[image.astype("uint8").tobytes()] for image in tasks[name][0]} for name in
           ("target", "near", "test", "other fonts", "fonts")}  # fmt: skip
    assert met.pop("near") == met["target"]
    assert len(set().union(*met.values())) == sum(map(len, met.values()))


def test_frozen_layers_that_run_once_give_the_same(source):
    model = layer_transfer.transfer(source, 5, 3, frozen=True, seed=1)
    lower, upper = fine_tuning.cut(model, layer_transfer.LAYERS - 5)
    assert np.allclose(upper(lower(X)), model(X), atol=1e-6)


def test_transfer_of_chapter_06(source):
    theirs = definition("06", "transfer", CLASSES=3)
    for frozen in (True, False):
        pair = [
            theirs(layer_transfer.network(5, seed=0), 4, frozen, 1),
            layer_transfer.transfer(layer_transfer.network(5, seed=0), 4, 3, frozen=frozen, seed=1),
        ]
        assert all(np.array_equal(a, b) for a, b in zip(*(net.get_weights() for net in pair), strict=True))
        assert [w.path for w in pair[0].trainable_weights] == [w.path for w in pair[1].trainable_weights]
