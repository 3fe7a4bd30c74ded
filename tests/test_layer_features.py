"""Features from every depth: what the network computes, and the embedding that the notebook teaches."""

import keras
import numpy as np
import pytest
from inline import definition
from keras import layers
from sklearn.preprocessing import StandardScaler

from tlcourse.material import backbones
from tlcourse.methods import layer_features


@pytest.fixture(scope="module")
def backbone():
    return backbones.efficientnet_lite0(weights=None, input_size=64)


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3)).astype("float32")


def test_every_block_is_what_the_network_computes(backbone, pictures):
    reader, blocks = layer_features.block_reader(backbone)
    rows = np.asarray(reader(pictures, training=False))
    assert rows.shape == (3, 1, len(blocks)) and len(dict.fromkeys(blocks)) == 18
    assert list(dict.fromkeys(blocks))[::17] == ["stem", "top"]
    np.testing.assert_allclose(rows[:, 0, blocks == "top"], backbone(pictures, training=False), atol=1e-5)
    maps = keras.Model(backbone.input, backbone.get_layer("block4b_add").output)(pictures, training=False)
    np.testing.assert_allclose(rows[:, 0, blocks == "block4b"], np.mean(maps, axis=(1, 2)), atol=1e-5)


def test_the_mean_of_the_cells_is_global_pooling(backbone, pictures):
    whole, quarters = (layer_features.block_reader(backbone, cells=c)[0](pictures, training=False) for c in (1, 2))
    np.testing.assert_allclose(np.mean(quarters, axis=1), np.asarray(whole)[:, 0], atol=1e-5)


def test_the_largest_of_the_cells_is_global_max_pooling(backbone, pictures):
    reader, blocks = layer_features.block_reader(backbone, cells=2, pooling="max")
    maps = keras.Model(backbone.input, backbone.get_layer("stem_relu").output)(pictures, training=False)
    found = np.asarray(reader(pictures, training=False)).max(axis=1)[:, blocks == "stem"]
    np.testing.assert_allclose(found, np.max(maps, axis=(1, 2)), atol=1e-5)


def test_a_network_of_one_block_is_read_too():
    inputs = keras.Input((8, 8, 3))
    model = keras.Model(inputs, layers.Conv2D(4, 3, padding="same", name="only_conv")(inputs))
    reader, blocks = layer_features.block_reader(model, cells=4)
    assert reader.output_shape == (None, 16, 4) and set(blocks) == {"only"}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"cells": 3}, "cells must divide the maps of every block, stem has 32×32, got 3"),
        ({"cells": 4}, "got 4"),  # the last maps are 2×2
        ({"cells": 0}, "got 0"),
        ({"cells": 1.5}, "got 1.5"),
        ({"pooling": "median"}, 'pooling must be "average" or "max", got \'median\''),
    ],
)
def test_what_cannot_be_pooled_is_refused(backbone, options, says):
    with pytest.raises(ValueError, match=says):
        layer_features.block_reader(backbone, **options)


def test_a_network_without_blocks_is_refused():
    inputs = keras.Input((8, 8, 3))
    with pytest.raises(ValueError, match="named after their blocks"):
        layer_features.block_reader(keras.Model(inputs, layers.Flatten(name="flat")(inputs)))


def test_the_thresholds_are_the_published_ones():
    codes = layer_features.discretise([-3, -0.26, -0.25, 0, 0.15, 0.16, 9])
    assert codes.tolist() == [-1, -1, 0, 0, 0, 1, 1]
    with pytest.raises(ValueError, match="low must be below high, got low=1 and high=0"):
        layer_features.discretise([0.5], low=1, high=0)


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    train, test = rng.gamma(2, 3, (30, 50)), rng.gamma(2, 4, (20, 50))
    train[:, 7] = 3  # a feature that never varied in training
    return train, test


def test_the_embedding_is_the_scaler_and_the_thresholds(rows):
    train, test = rows
    scaler = StandardScaler().fit(train)
    codes, test_codes = layer_features.full_network_embedding(train, test)
    np.testing.assert_array_equal(codes, layer_features.discretise(scaler.transform(train)))
    np.testing.assert_array_equal(test_codes, layer_features.discretise(scaler.transform(test)))
    assert set(np.unique(test_codes)) == {-1, 0, 1}


def test_no_test_row_changes_the_codes_of_another(rows):
    train, test = rows
    _, together = layer_features.full_network_embedding(train, test)
    _, alone = layer_features.full_network_embedding(train, test[:1])
    np.testing.assert_array_equal(together[:1], alone)


@pytest.mark.parametrize(
    ("train", "test", "says"),
    [
        (np.zeros((5, 3)), np.zeros((5, 4)), r"same features, got \(5, 3\) and \(5, 4\)"),
        (np.zeros(5), np.zeros(5), r"got \(5,\)"),
        (np.zeros((1, 3)), np.zeros((2, 3)), "at least 2 rows .* got 1"),
    ],
)
def test_an_embedding_without_statistics_is_refused(train, test, says):
    with pytest.raises(ValueError, match=says):
        layer_features.full_network_embedding(train, test)


def test_the_notebook_teaches_the_same_embedding(rows):
    taught = definition("03", "full_network_embedding")
    taught.__globals__["discretise"] = definition("03", "discretise")
    for theirs, ours in zip(taught(*rows), layer_features.full_network_embedding(*rows), strict=True):
        np.testing.assert_array_equal(theirs, ours)


def test_the_notebook_teaches_the_same_reader(backbone, pictures):
    taught = definition("03", "reader")
    last_of = {layer.name.split("_")[0]: layer.output for layer in backbone.layers if "_" in layer.name}
    taught.__globals__.update(backbone=backbone, last_of=last_of)
    ours = layer_features.block_reader(backbone, cells=2)[0](pictures, training=False)
    np.testing.assert_allclose(taught(2)(pictures, training=False), ours, atol=1e-6)
