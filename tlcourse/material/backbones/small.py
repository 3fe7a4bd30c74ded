"""A small convolutional network, to be trained from scratch in seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


def small_cnn(*, classes: int, input_size: int = 32, channels: int = 3, width: int = 32) -> keras.Model:
    """Three convolutions and one dense layer: small enough to train from scratch in seconds.

    Args:
        classes: number of logits.
        input_size: height and width of the pictures in pixels, at least 8.
        channels: 3 for colour, 1 for grey.
        width: filters of the first convolution; the next ones have twice and four times as many.

    Returns:
        A `keras.Model` from `(n, input_size, input_size, channels)` pictures in [0, 255] to `(n, classes)` logits.
    """
    import keras
    from keras import layers

    inputs = keras.Input((input_size, input_size, channels), name="pictures")
    x = layers.Rescaling(1 / 127.5, offset=-1, name="rescale")(inputs)
    for i, filters in enumerate((width, 2 * width, 4 * width), start=1):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"conv{i}")(x)
        x = layers.MaxPooling2D(name=f"halve{i}")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, layers.Dense(classes, name="logits")(x), name="small_cnn")
