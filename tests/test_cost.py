"""FLOPs agree with arithmetic by hand and with an independent count."""

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
