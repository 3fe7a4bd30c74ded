"""Layer transfer (Yosinski et al., 2014): the first n layers from one network, the rest new, frozen or fine-tuned.

A treatment is written as there: AnB copies n layers of a network trained on task A and trains the rest on task B with
the copied ones frozen; AnB+ fine-tunes them, too. BnB and BnB+ copy from a network of the *same* task.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras

LAYERS = 8
FILTERS = (32, 32, 48, 48, 64, 64)  # of the convolutions, in pairs; two dense layers follow
HIDDEN = 128


def network(classes: int, *, size: int = 28, seed: int) -> keras.Model:
    """Six convolutions and two dense layers, `layer1` to `layer8`, new and untrained, without batch norm or dropout.

    Args:
        classes: number of logits.
        size: height and width of the pictures in pixels, a multiple of 4, at least 8.
        seed: for the weights.

    Returns:
        A `keras.Model` from `(n, size, size, 1)` pictures in [0, 255] to `(n, classes)` logits.

    Raises:
        ValueError: too few classes, or another size.
    """
    import keras
    from keras import layers

    if classes < 2 or size < 8 or size % 4:
        raise ValueError(
            f"Expected at least 2 classes and a size of 8, 12, 16 …, got {classes} and {size}: resize the pictures."
        )
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((size, size, 1), name="pictures")
    x = layers.Rescaling(1 / 127.5, offset=-1, name="rescale")(inputs)
    same = {"padding": "same", "activation": "relu", "kernel_initializer": "he_uniform"}
    for i, filters in enumerate(FILTERS, start=1):
        x = layers.Conv2D(filters, 3, name=f"layer{i}", **same)(x)
        if i in (2, 4):
            x = layers.MaxPooling2D(name=f"halve{i}")(x)
    x = layers.Flatten(name="flatten")(layers.MaxPooling2D(name="halve6")(x))
    x = layers.Dense(HIDDEN, activation="relu", kernel_initializer="he_uniform", name="layer7")(x)
    return keras.Model(inputs, layers.Dense(classes, name="layer8")(x), name="eight_layers")


def transfer(source: keras.Model, n: int, classes: int, *, frozen: bool, seed: int) -> keras.Model:
    """A new network whose first `n` layers are copied from another one.

    Args:
        source: a network of `network`, trained or not; it is not changed.
        n: how many layers to copy, 0 to 7: the last one answers the task and is always new.
        classes: number of logits of the new one.
        frozen: whether the copied layers keep their weights in training.
        seed: for the layers that are new.

    Returns:
        A `keras.Model` like `network`'s.

    Raises:
        ValueError: there are not that many layers to copy.
    """
    if not 0 <= n < LAYERS:
        raise ValueError(f"Expected 0 to {LAYERS - 1} layers to copy, got {n}: the last one is always new.")
    model = network(classes, size=source.input_shape[1], seed=seed)
    for i in range(1, n + 1):
        layer = model.get_layer(f"layer{i}")
        layer.set_weights(source.get_layer(f"layer{i}").get_weights())
        layer.trainable = not frozen
    return model


def halves(characters: int, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Random halves of the classes, each in rising order: the near split of Yosinski et al."""
    order = np.random.default_rng(seed).permutation(characters)
    return np.sort(order[: characters // 2]), np.sort(order[characters // 2 :])
