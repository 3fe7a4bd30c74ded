"""Freezing and thawing a network block by block, and proving what training changed.

Batch normalisation is the trap: a frozen `BatchNormalization` layer normalises with the statistics it was trained
with, a thawed one also *moves* them towards the new data at every step. Here it stays frozen unless asked otherwise.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import keras


def block_of(name: str) -> str:
    """The block of a layer, by its name, or of a weight, by its path: "block3a_project_conv/kernel" is in "block3"."""
    start = re.split("[_/]", name)[0]
    return re.sub(r"(?<=\d)[a-z]$", "", start)


def blocks(model: keras.Model) -> list[str]:
    """The blocks of a model that hold weights, from input to output.

    Args:
        model: a `keras.Model` whose layers are named after their blocks, as all of `backbones` are.
    """
    return list(dict.fromkeys(block_of(layer.name) for layer in model.layers if layer.weights))


def thaw(model: keras.Model, top: int, *, batch_norm: bool = False) -> list[str]:
    """Make the last `top` blocks trainable and freeze the others. Compile the model again afterwards.

    Args:
        model: a `keras.Model`; changed in place.
        top: number of blocks from the output downwards, 0 to `len(blocks(model))`. The classifier counts as one.
        batch_norm: also thaw the batch normalisation of those blocks, so that its statistics move.

    Returns:
        The names of the blocks that are now trainable.

    Raises:
        ValueError: there are not that many blocks.
    """
    import keras

    names = blocks(model)
    if not 0 <= top <= len(names):
        raise ValueError(f"Expected 0 to {len(names)} blocks to thaw, got {top}: this model has {', '.join(names)}.")
    thawed = names[len(names) - top :]
    model.trainable = True  # a frozen model would overrule its layers
    for layer in model.layers:
        free = layer.trainable = block_of(layer.name) in thawed
        # Each layer inside a nested network by itself: setting a flag that is set already would not reach them.
        for leaf in _leaves(layer):
            leaf.trainable = free and (batch_norm or not isinstance(leaf, keras.layers.BatchNormalization))
    return thawed


def _leaves(layer: keras.Layer) -> list:
    """The layers with weights inside a nested network, at any depth; of a plain layer, itself."""
    if hasattr(layer, "layers"):
        return [leaf for inner in layer.layers for leaf in _leaves(inner)]
    return [layer] if layer.weights else []


def table(model: keras.Model) -> pd.DataFrame:
    """What is trainable, block by block: one row a block, from input to output.

    Returns:
        Columns `block`, `layers`, `weights` (tensors), `parameters`, `trainable` (parameters), and `state`: "frozen",
        "trainable", or "partly" where some of its layers are frozen, as batch normalisations are by `thaw`.
    """
    rows = []
    for block in blocks(model):
        layers = [layer for layer in model.layers if layer.weights and block_of(layer.name) == block]
        total = sum(int(np.prod(w.shape)) for layer in layers for w in layer.weights)
        free = sum(int(np.prod(w.shape)) for layer in layers for w in layer.weights if w.trainable)
        thawed = all(leaf.trainable for layer in layers for leaf in _leaves(layer))
        state = "frozen" if free == 0 else "trainable" if thawed else "partly"
        tensors = sum(len(layer.weights) for layer in layers)
        rows.append((block, len(layers), tensors, total, free, state))
    return pd.DataFrame(rows, columns=["block", "layers", "weights", "parameters", "trainable", "state"])


def snapshot(model: keras.Layer) -> dict[str, np.ndarray]:
    """A copy of every weight of a model or layer, by its path."""
    return {weight.path: np.array(weight.numpy()) for weight in model.weights}


def changed(model: keras.Layer, before: dict[str, np.ndarray]) -> list[str]:
    """The paths of the weights that are no longer bit for bit what they were.

    Args:
        model: a model or layer.
        before: its `snapshot`.

    Raises:
        ValueError: the snapshot is of another model.
    """
    now = {weight.path: weight for weight in model.weights}
    if now.keys() != before.keys():
        odd = sorted(now.keys() ^ before.keys())[:3]
        raise ValueError(f"Expected a snapshot of the same model, got one that differs in {odd}: take it again.")
    return [path for path, weight in now.items() if _bytes(weight.numpy()) != _bytes(before[path])]


def _bytes(array: np.ndarray) -> memoryview:
    """What an array holds, bit for bit, without a copy: the words of a language model are some fifty megabytes."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
