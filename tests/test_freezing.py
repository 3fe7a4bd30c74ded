"""Freezing: what is thawed is what trains, batch-norm statistics included, and counts are those of Keras."""

import keras
import numpy as np
import pytest
from keras import layers

from tlcourse.material import backbones
from tlcourse.methods import freezing, training

X = np.random.default_rng(0).normal(3, 5, (16, 8, 8, 3)).astype("float32")
Y = np.arange(16) % 2


def blocky():
    """Three blocks of two layers each and a classifier, named as the course's backbones are."""
    keras.utils.set_random_seed(0)
    x = inputs = keras.Input((8, 8, 3))
    for i in (1, 2):
        for part in "ab":
            x = layers.Conv2D(4, 3, padding="same", use_bias=False, name=f"block{i}{part}_conv")(x)
            x = layers.BatchNormalization(name=f"block{i}{part}_bn")(x)
            x = layers.ReLU(name=f"block{i}{part}_relu")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, layers.Dense(2, name="logits")(x))


def nested():
    """As the lectures build it: the backbone is one layer of the model."""
    inputs = keras.Input((8, 8, 3))
    base = keras.Model((inner := blocky()).input, inner.get_layer("pool").output, name="base")
    return keras.Model(inputs, layers.Dense(2, name="logits")(base(inputs)))


def moved(model) -> set[str]:
    """The last two parts of the path of each weight that `fit` changes."""
    before = freezing.snapshot(model)
    training.fit(model, (X, Y), epochs=2, learning_rate=1e-2, batch_size=4, seed=0)
    return {"/".join(path.split("/")[-2:]) for path in freezing.changed(model, before)}


def weights_of(model, *names, batch_norm=False) -> set[str]:
    norms = [f"{name}_bn/{w}" for name in names for w in ("gamma", "beta", "moving_mean", "moving_variance")]
    return {f"{name}_conv/kernel" for name in names} | set(norms if batch_norm else ())


LOGITS = {"logits/kernel", "logits/bias"}


def test_blocks_are_read_from_names():
    assert freezing.blocks(blocky()) == ["block1", "block2", "logits"]
    lite = freezing.blocks(backbones.efficientnet_lite0(classes=3, input_size=32, weights=None))
    assert lite == ["stem", *(f"block{i}" for i in range(1, 8)), "top", "logits"]


@pytest.mark.parametrize(
    ("top", "convs"), [(0, ()), (1, ()), (2, ("block2a", "block2b")), (3, ("block1a", "block1b", "block2a", "block2b"))]
)
def test_what_is_thawed_and_nothing_else_trains(top, convs):
    """`fit` moves every thawed kernel, and not one bit of the rest: statistics, scales and shifts included."""
    model = blocky()
    assert freezing.thaw(model, top) == freezing.blocks(model)[3 - top :]
    if top == 0:
        assert model.trainable_weights == []
        return
    assert moved(model) == weights_of(model, *convs) | LOGITS


def test_batch_normalisation_moves_when_asked():
    model = blocky()
    freezing.thaw(model, 2, batch_norm=True)
    assert moved(model) == weights_of(model, "block2a", "block2b", batch_norm=True) | LOGITS


def test_a_network_inside_keeps_its_statistics_too():
    model = nested()
    freezing.thaw(model, 2)
    every = ("block1a", "block1b", "block2a", "block2b")
    assert moved(model) == weights_of(model, *every) | LOGITS
    freezing.thaw(model, 2, batch_norm=True)
    assert moved(model) == weights_of(model, *every, batch_norm=True) | LOGITS
    freezing.thaw(model, 1)
    assert moved(model) == LOGITS


def test_thawing_undoes_what_was_frozen_before():
    model = blocky()
    model.trainable = False
    freezing.thaw(model, 3)
    assert len(model.trainable_weights) == 4 + 2
    freezing.thaw(model, 1)
    assert {w.path for w in model.trainable_weights} == {"logits/kernel", "logits/bias"}


@pytest.mark.parametrize("top", [-1, 4])
def test_thawing_more_blocks_than_there_are_is_refused(top):
    with pytest.raises(ValueError, match=f"0 to 3 blocks to thaw, got {top}: this model has block1, block2, logits"):
        freezing.thaw(blocky(), top)


@pytest.mark.parametrize("build", [blocky, nested, lambda: backbones.efficientnet_lite0(input_size=32, weights=None)])
@pytest.mark.parametrize("batch_norm", [False, True])
def test_the_table_counts_as_keras_does(build, batch_norm):
    model = build()
    for top in range(len(freezing.blocks(model)) + 1):
        freezing.thaw(model, top, batch_norm=batch_norm)
        table = freezing.table(model)
        assert table.parameters.sum() == model.count_params()
        assert table.trainable.sum() == sum(int(np.prod(w.shape)) for w in model.trainable_weights)
        assert table.weights.sum() == len(model.weights)


def test_the_table_by_hand():
    model = blocky()
    freezing.thaw(model, 2)
    conv1, conv, norm = 3 * 3 * 3 * 4, 3 * 3 * 4 * 4, 4 * 4
    assert freezing.table(model).to_dict("list") == {
        "block": ["block1", "block2", "logits"],
        "layers": [4, 4, 1],
        "weights": [10, 10, 2],
        "parameters": [conv1 + conv + 2 * norm, 2 * (conv + norm), 4 * 2 + 2],
        "trainable": [0, 2 * conv, 10],
        "state": ["frozen", "partly", "trainable"],
    }


def test_a_block_is_trainable_only_if_all_of_it_is():
    model = blocky()
    freezing.thaw(model, 3, batch_norm=True)
    assert list(freezing.table(model).state) == ["trainable"] * 3
    model.get_layer("block1a_conv").trainable = False
    assert list(freezing.table(model).state) == ["partly", "trainable", "trainable"]


def test_the_table_believes_weights_and_not_the_flag_of_a_network():
    """In Keras 3 a layer thawed inside a frozen network does train."""
    model = nested()
    base = model.get_layer("base")
    base.trainable = False
    base.get_layer("block2b_conv").trainable = True
    row = freezing.table(model).set_index("block").loc["base"]
    assert row.trainable == 3 * 3 * 4 * 4 and row.state == "partly"
    assert moved(model) == {"block2b_conv/kernel"} | LOGITS


def test_changed_finds_exactly_the_weights_that_changed():
    model = blocky()
    before = freezing.snapshot(model)
    assert freezing.changed(model, before) == []
    for weight in (model.get_layer("block1b_bn").moving_mean, model.get_layer("logits").bias):
        values = weight.numpy()
        values[0] = np.nextafter(values[0], np.float32(1))  # the smallest change there is
        weight.assign(values)
    assert freezing.changed(model, before) == ["block1b_bn/moving_mean", "logits/bias"]


def test_a_snapshot_is_a_copy():
    model = blocky()
    before = freezing.snapshot(model)
    model.get_layer("logits").bias.assign([5, 5])
    np.testing.assert_array_equal(before["logits/bias"], [0, 0])


def test_a_snapshot_of_another_model_is_refused():
    with pytest.raises(ValueError, match="same model"):
        freezing.changed(blocky(), freezing.snapshot(backbones.small_cnn(classes=2)))
