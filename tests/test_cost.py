"""Costs: FLOPs by an independent count, and the formulas of energy and carbon with the lecture's own figures."""

import keras
import pytest

from tlcourse.material import backbones
from tlcourse.methods import cost


def test_flops_are_those_of_the_arithmetic():
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, padding="same", strides=2)(inputs)  # 4·4 places × 3·3·3 × 4
    x = keras.layers.DepthwiseConv2D(3, padding="same")(x)  # 4·4 places × 3·3 × 4
    x = keras.layers.GlobalAveragePooling2D()(x)
    inner = keras.Model(inputs, x)
    outputs = keras.layers.Dense(10)(inner(inputs))  # 4 × 10
    model = keras.Model(inputs, outputs)
    assert cost.flops(model) == 2 * (16 * 27 * 4 + 16 * 9 * 4 + 4 * 10)


def test_flops_need_a_fixed_size():
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, keras.layers.Conv2D(4, 3)(inputs))
    with pytest.raises(ValueError, match="must be fixed"):
        cost.flops(model)


def test_flops_of_a_real_network_agree_with_tensorflows_profiler():
    """The profiler counts every operation of the graph; convolutions and products are nearly all of them."""
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    model = backbones.efficientnet_lite0(input_size=64, weights=None)
    graph = tf.function(lambda x: model(x, training=False)).get_concrete_function(tf.TensorSpec((1, 64, 64, 3)))
    options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    options["output"] = "none"
    frozen = convert_variables_to_constants_v2(graph).graph
    counted = tf.compat.v1.profiler.profile(frozen, options=options).total_float_ops
    assert cost.flops(model) == pytest.approx(counted, rel=0.05)


def test_training_costs_three_passes_of_what_is_trained_and_one_of_what_is_not():
    assert cost.training_flops(0, 10, pictures=4, epochs=5) == 3 * 10 * 4 * 5
    assert cost.training_flops(7, 10, pictures=4, epochs=5) == 4 * 7 + 600


def test_the_lectures_table_is_consistent_with_one_grid_only_roughly():
    """BSC: fine-tuning 276.1 W for 1,825.72 h and 201.54 kg; extraction 124.1 W for 60.02 h and 3.84 kg."""
    tuning = cost.energy(1825.72 * 3600, watts=276.1)
    assert tuning == pytest.approx(504_081, rel=1e-4)
    assert cost.carbon(tuning, intensity=399.8) == pytest.approx(201_540, rel=1e-3)
    assert cost.carbon(cost.energy(60.02 * 3600, watts=124.1), intensity=515.5) == pytest.approx(3_840, rel=1e-3)


@pytest.mark.parametrize(
    "refused",
    [
        lambda: cost.energy(-1, watts=15),
        lambda: cost.energy(1, watts=-15),
        lambda: cost.carbon(-1, intensity=400),
        lambda: cost.carbon(1, intensity=-400),
        lambda: cost.training_flops(1, 1, pictures=-1, epochs=1),
    ],
)
def test_negative_costs_are_refused(refused):
    with pytest.raises(ValueError, match="of 0 or more, got .*-"):
        refused()
