"""What a network costs: its arithmetic, counted layer by layer."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


def flops(model: keras.Model) -> int:
    """Count the FLOPs of a Keras model's convolutions and dense layers for one input; a multiply-add counts as two.

    Args:
        model: a functional or sequential model with a fixed input size, models inside it included.

    Raises:
        ValueError: the input's size is not fixed, so that the number of positions is unknown.
    """
    import keras

    layers = keras.layers
    counted = (
        layers.Conv1D,
        layers.Conv2D,
        layers.Conv3D,
        layers.DepthwiseConv1D,
        layers.DepthwiseConv2D,
        layers.Dense,
    )
    total = 0
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            total += flops(layer)
        elif isinstance(layer, counted):
            shape = layer.output.shape[1:]
            if None in shape:
                raise ValueError(
                    f"The model's input size must be fixed to count FLOPs, but {layer.name} gives {shape}."
                )
            # Every weight of the kernel is used once at every position: all axes of the output but its channels.
            channels = shape[0] if getattr(layer, "data_format", "") == "channels_first" else shape[-1]
            total += 2 * prod(layer.kernel.shape) * (prod(shape) // channels)
    return total
