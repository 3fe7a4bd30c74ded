"""The definitions that students read in the notebooks agree with those that the package uses later."""

import keras
import numpy as np
import pytest
from inline import definition

from tlcourse.material import backbones
from tlcourse.methods import cost, distillation, fine_tuning, freezing, transferability

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


LOGITS = np.random.default_rng(2).normal(size=(2, 30, 5)) * 3


@pytest.mark.parametrize("temperature", [0.5, 1, 8])
def test_softening_of_chapter_07(temperature):
    soften = definition("07", "soften")
    assert np.allclose(soften(LOGITS[0], temperature), distillation.soften(LOGITS[0], temperature))


@pytest.mark.parametrize("temperature", [0.5, 1, 8])
def test_loss_of_chapter_07(temperature):
    inline = definition("07", "distillation_loss")(LOGITS[0], LOGITS[1], temperature)
    assert np.allclose(inline, distillation.loss(distillation.soften(LOGITS[0], temperature), LOGITS[1], temperature))


def test_even_spread_of_chapter_07():
    p = distillation.soften(LOGITS[0], 2)
    assert np.allclose(definition("07", "spread_evenly")(p), distillation.spread_evenly(p))


@pytest.mark.parametrize("width", [4, 60])
def test_scores_of_chapter_19(width):
    y = np.arange(30) % 3
    features = np.random.default_rng(3).normal(size=(30, width)) + np.eye(3, width)[y]
    p = distillation.soften(LOGITS[0], 1)
    assert definition("19", "leep")(p, y) == pytest.approx(transferability.leep(p, y))
    plain = transferability.h_score(features, y, shrink=False)
    assert definition("19", "h_score")(features, y) == pytest.approx(plain, rel=1e-6)
    cka = definition("19", "cka", similarities=definition("19", "similarities"))
    assert cka(features, LOGITS[0]) == pytest.approx(transferability.cka(features, LOGITS[0]))
