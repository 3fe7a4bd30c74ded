"""Features from all depths of a network: every block read in one pass, and the full-network embedding of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    import keras

LOW, HIGH = -0.25, 0.15  # the thresholds of Garcia-Gasulla et al. (2018)


def block_reader(model: keras.Model, *, cells: int = 1, pooling: str = "average") -> tuple[keras.Model, np.ndarray]:
    """A model that gives the output of every block at once, pooled over a grid, so that one pass reads them all.

    Args:
        model: a `keras.Model` from pictures to anything, whose layers are named after their blocks ("block3a_…"), as
            those of `backbones.efficientnet_lite0` are.
        cells: cells along each side of the grid; 1 is global pooling.
        pooling: "average" or "max".

    Returns:
        A `keras.Model` from the same pictures to ``(n, cells², channels of all blocks)``, and for each channel the name
        of its block, ``(channels,)``. The mean over the cells is global average pooling.

    Raises:
        ValueError: no layer is named after a block, the maps of a block cannot be cut into that many cells, or
            `pooling` is another word.
    """
    import keras
    from keras import layers

    kinds = {"average": layers.AveragePooling2D, "max": layers.MaxPooling2D}
    if pooling not in kinds:
        raise ValueError(f'pooling must be "average" or "max", got {pooling!r}.')
    named = [layer for layer in model.layers if "_" in layer.name and not isinstance(layer, layers.InputLayer)]
    last = {layer.name.split("_")[0]: layer.output for layer in named if len(layer.output.shape) == 4}
    if not last:
        raise ValueError(f"layers must be named after their blocks (block1_conv), got {model.layers[-1].name!r}.")
    grids = []
    for block, output in last.items():
        height, width, channels = output.shape[1:]
        if not (isinstance(cells, int) and 1 <= cells <= min(height, width) and height % cells == width % cells == 0):
            raise ValueError(f"cells must divide the maps of every block, {block} has {height}×{width}, got {cells!r}.")
        pooled = kinds[pooling]((height // cells, width // cells))(output)
        grids.append(layers.Reshape((cells**2, channels))(pooled))
    joined = layers.Concatenate()(grids) if len(grids) > 1 else grids[0]
    return keras.Model(model.input, joined), np.repeat(list(last), [grid.shape[-1] for grid in grids])


def discretise(z: ArrayLike, *, low: float = LOW, high: float = HIGH) -> np.ndarray:
    """Standardised features as −1 (unusually weak), 0 (as usual) and 1 (unusually strong).

    Args:
        z: standardised features of any shape.
        low: −1 below it.
        high: 1 above it.

    Raises:
        ValueError: `low` is not below `high`.
    """
    if not low < high:
        raise ValueError(f"low must be below high, got low={low} and high={high}.")
    z = np.asarray(z)
    return (z > high).astype(np.int8) - (z < low).astype(np.int8)


def full_network_embedding(x_train: ArrayLike, x_test: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """The full-network embedding of Garcia-Gasulla et al. (2018): standardise with the *training* statistics, cut in 3.

    Args:
        x_train: pooled features of all blocks, ``(n, features)``.
        x_test: likewise, ``(m, features)``; its own statistics are not used.

    Returns:
        Both as −1, 0 and 1, of their shapes, ``int8``. A feature that never varies in training counts as if it had
        spread 1.

    Raises:
        ValueError: the two have not the same features, or there is nothing to take statistics from.
    """
    x_train, x_test = np.asarray(x_train), np.asarray(x_test)
    if x_train.ndim != 2 or x_test.ndim != 2 or x_train.shape[1] != x_test.shape[1]:
        raise ValueError(f"x_train and x_test must have the same features, got {x_train.shape} and {x_test.shape}.")
    if len(x_train) < 2:
        raise ValueError(f"x_train must have at least 2 rows to take statistics from, got {len(x_train)}.")
    mean, spread = x_train.mean(axis=0), x_train.std(axis=0)
    spread = np.where(spread == 0, 1, spread)
    return discretise((x_train - mean) / spread), discretise((x_test - mean) / spread)
