"""The definitions that students read in the notebooks agree with those that the package uses later."""

import keras
import numpy as np
import pytest
from inline import definition

from tlcourse.material import backbones
from tlcourse.methods import adversarial, cost, distillation, fine_tuning, freezing, transferability

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


def digit_pairs():
    rng = np.random.default_rng(4)
    x, x_target = rng.integers(256, size=(2, 16, 28, 28, 3)).astype("uint8")
    return adversarial.pairs(x, x_target), rng.integers(10, size=16), x_target


def test_adversary_of_chapter_12():
    """The same weights after the same steps as the package's model of pairs."""
    both, y, _ = digit_pairs()
    ends = []
    for inline in (True, False):
        parts = adversarial.digit_parts(seed=5)
        if inline:
            model = definition("12", "DANN")(parts, 0.7, 4)
            model.compile(keras.optimizers.Adam(1e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        else:
            model = adversarial.adapting(parts, weight=0.7, ramp_over=4, learning_rate=1e-3)
        model.fit(both, y, batch_size=8, epochs=2, shuffle=False, verbose=0)
        ends.append([w for part in parts for w in part.get_weights()])
    assert all(np.allclose(a, b, atol=2e-5) for a, b in zip(*ends, strict=True))


def test_statistics_of_chapter_12():
    _, _, x = digit_pairs()
    ends = []
    for use in (definition("12", "use_statistics"), adversarial.use_statistics):
        network = adversarial.digit_parts(seed=5).features
        use(network, x)
        ends.append(network.get_weights())
    assert all(np.array_equal(a, b) for a, b in zip(*ends, strict=True))


def test_coral_and_inverted_colours_of_chapter_12():
    a, b = np.random.default_rng(6).normal(size=(2, 20, 5)).astype("float32")
    assert np.allclose(definition("12", "coral")(a, b), adversarial.coral_loss(a, b))
    _, _, x = digit_pairs()
    seen = [turn(x, np.random.default_rng(7)) for turn in (definition("12", "invert"), adversarial.invert_channels)]
    assert np.array_equal(*seen)


def test_information_of_chapter_12():
    """The solution of exercise 3 is the package's, and the mutual information of picture and answer."""
    logits = np.random.default_rng(8).normal(size=(30, 5))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    made = definition("12", "information")(p)
    joint = p / len(p)  # each picture as often as any other
    mutual = (joint * np.log(joint / np.outer(joint.sum(axis=1), joint.sum(axis=0)))).sum()
    assert np.isclose(made, adversarial.doubt(logits)[1]) and np.isclose(made, mutual)


def test_mended_alignment_of_chapter_12():
    """Where nothing is unsure the aligned answers are the old ones; where all is, they are the source's frequencies."""
    source = np.random.default_rng(9).dirichlet([4, 2, 1], 50)
    mended = definition("12", "mended")
    assert np.allclose(mended(source, np.eye(3)), np.eye(3))
    assert np.allclose(mended(source, np.full((6, 3), 1 / 3)), source.mean(axis=0))
    assert np.allclose(definition("12", "their_alignment")(source, source[::-1] ** 2), _rows(source[::-1] ** 2))


def test_new_opponent_of_chapter_12():
    """Of two heaps apart it names all, of one heap half."""
    from tlcourse.experiments.domain_adversarial import told_apart

    rng = np.random.default_rng(10)
    for far, low, high in ((6, 99, 100), (0, 35, 65)):
        known, unknown = ([rng.normal(size=(n, 4)), rng.normal(size=(n, 4)) + far] for n in (200, 100))
        assert low <= told_apart(known, unknown) <= high


def _rows(table):
    return table / table.sum(axis=1, keepdims=True)
