"""The definitions that students read in the notebooks agree with those that the package uses later."""

import keras
import numpy as np
import pytest
from inline import definition

from tlcourse.material import backbones
from tlcourse.methods import cost, fine_tuning, freezing

X = np.random.default_rng(0).uniform(0, 255, (12, 32, 32, 3)).astype("float32")
Y = np.arange(12) % 3


@pytest.fixture(scope="module")
def network():
    return backbones.efficientnet_lite0(classes=3, input_size=32)


def test_flops_of_chapter_05(network):
    by_block = definition("05", "flops")(network)
    assert list(by_block.index) == freezing.blocks(network)
    assert by_block.sum() == cost.flops(network)


def test_probe_of_chapter_04(network):
    rows = keras.Model(network.input, network.get_layer("pool").output).predict(X, verbose=0)
    heads = []
    for put_probe in (definition("04", "put_probe"), fine_tuning.put_probe):
        put_probe(network, rows, Y)
        heads.append(network.get_layer("logits").get_weights())
    assert all(np.array_equal(a, b) for a, b in zip(*heads, strict=True))


def test_rates_by_block_of_chapter_04(network):
    freezing.thaw(network, 10)
    free, start, ends = network.trainable_weights, network.get_weights(), []
    slopes = [np.random.default_rng(1).normal(size=w.shape).astype("float32") for w in free]
    for optimizer in (definition("04", "by_block")(network, 1e-3, 0.5), fine_tuning.by_block(network, 1e-3, decay=0.5)):
        network.set_weights(start)
        for _ in range(3):
            optimizer.apply(slopes, free)
        ends.append(network.get_weights())
    assert all(np.array_equal(a, b) for a, b in zip(*ends, strict=True))
    assert any(not np.array_equal(a, b) for a, b in zip(start, ends[0], strict=True))
