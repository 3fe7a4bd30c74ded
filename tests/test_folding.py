"""Folding batch norms changes the number of operations and nothing else."""

import keras
import numpy as np
import pytest
from keras import layers

from tlcourse.material import backbones
from tlcourse.material.features.folding import fold


def randomised(model, seed=0):
    """Batch norms as training leaves them: no statistic at its start value."""
    rng = np.random.default_rng(seed)
    model.set_weights([rng.uniform(0.3, 1.5, w.shape) for w in model.get_weights()])
    return model


def network(*, bias=False, activation=None, branch=False):
    inputs = keras.Input((8, 8, 3))
    a = layers.Conv2D(4, 3, use_bias=bias, activation=activation)(inputs)
    x = layers.ReLU()(layers.BatchNormalization()(a))
    x = layers.BatchNormalization()(layers.DepthwiseConv2D(3, use_bias=bias)(x))
    x = layers.GlobalAveragePooling2D()(x)
    return randomised(keras.Model(inputs, [x, a] if branch else x))


def norms(model):
    return sum(isinstance(layer, layers.BatchNormalization) for layer in model.layers)


@pytest.mark.parametrize("bias", [False, True])
def test_same_output_without_norms(bias):
    model = network(bias=bias)
    before = model.get_weights()
    x = np.random.default_rng(1).normal(size=(4, 8, 8, 3))
    folded = fold(model)
    np.testing.assert_allclose(folded(x, training=False), model(x, training=False), rtol=1e-4)
    assert norms(folded) == 0 and norms(model) == 2
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


@pytest.mark.parametrize(("options", "left"), [({"activation": "relu"}, 1), ({"branch": True}, 1)])
def test_what_cannot_be_folded_is_left(options, left):
    model = network(**options)
    x = np.random.default_rng(1).normal(size=(4, 8, 8, 3))
    folded = fold(model)
    assert norms(folded) == left
    for ours, theirs in zip(keras.tree.flatten(folded(x)), keras.tree.flatten(model(x)), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4)


def test_the_layers_of_the_original_keep_one_output():
    model = backbones.efficientnet_lite0(input_size=32)
    assert norms(fold(model)) == 0
    assert model.get_layer("top_conv").output is not None  # Keras refuses this once a layer is used twice


def test_a_model_without_norms_is_returned_as_it_is():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    assert fold(model) is model
