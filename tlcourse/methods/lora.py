"""Low-rank adaptation (Hu et al., 2021, "LoRA", eq. 3) of Keras models: adapters on, off, stored, swapped and merged.

The matrices are Keras's own (`layer.enable_lora`). What Keras leaves trainable beside them, every bias and every layer
without a kernel, is frozen here, so that an adapter is exactly what training may change.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import keras

ALPHA = 16.0
FACTORS = ("lora_kernel_a", "lora_kernel_b")


def adapt(
    model: keras.Model,
    rank: int,
    *,
    parts: Sequence[str] = ("query", "value"),
    alpha: float = ALPHA,
    head: str | None = None,
    seed: int,
) -> list[str]:
    """Put W + (alpha / rank) A B in the place of chosen kernels W, and freeze all but A, B and the head.

    A is Gaussian with variance 1 / (inputs of W), B is zero, so that the model computes at first what it did before.
    The layers keep A's and B's shapes as Keras chooses them: `(d, rank)` and `(rank, k)` for a kernel `(d, k)`, but
    `(d, heads, rank)` and `(rank, k)` for an attention kernel `(d, heads, k)`. Compile the model afterwards.

    Args:
        model: a built `keras.Model`; changed in place.
        rank: from 1 to the smaller side of each kernel, its last axis against all the others.
        parts: names of the layers to adapt; in attention "query", "key", "value" and "attention_output", in all layers.
        alpha: scale of the update, which is divided by the rank.
        head: name of a layer that stays trainable, whole; None for none.
        seed: for A.

    Returns:
        The paths of the adapted layers.

    Raises:
        TypeError: the rank is no whole number.
        ValueError: there is no such layer, the rank or alpha is out of range, or a layer has an adapter already.
    """
    import keras

    chosen = _chosen(model, parts)
    _check(rank, alpha, chosen)
    free = set() if head is None else {id(weight) for leaf in _named(model, [head]) for weight in leaf.weights}
    for i, layer in enumerate(chosen):
        gaussian = keras.initializers.RandomNormal(stddev=_inputs(layer) ** -0.5, seed=1000 * seed + i)
        layer.enable_lora(int(rank), lora_alpha=float(alpha), a_initializer=gaussian)
        free |= {id(getattr(layer, factor)) for factor in FACTORS}
    model.trainable = True  # a frozen model would overrule its layers, and a frozen layer its adapter
    for leaf in _leaves(model):
        leaf.trainable = any(id(weight) in free for weight in leaf.weights)
        for weight in leaf.weights:
            weight.trainable = weight.trainable and id(weight) in free
    return [layer.path for layer in chosen]


def adapters(model: keras.Model) -> dict[str, np.ndarray]:
    """A copy of everything that training may change, adapters and head, by its path: small enough to keep many."""
    _adapted(model)
    return {weight.path: np.array(weight.numpy()) for weight in model.trainable_weights}


def load(model: keras.Model, stored: dict[str, np.ndarray]) -> None:
    """Put stored adapters into an adapted model; nothing else is touched and nothing has to be compiled again.

    Args:
        model: adapted in the same way as the one that they come from.
        stored: what `adapters` returned.

    Raises:
        ValueError: the model is not adapted, or other layers or ranks are.
    """
    _adapted(model)
    wanted = {weight.path: weight for weight in model.trainable_weights}
    if odd := sorted(wanted.keys() ^ stored.keys()):
        raise ValueError(f"Expected weights for the same layers, got a difference in {odd[:2]}: adapt the same parts.")
    for path, weight in wanted.items():
        if tuple(weight.shape) != np.shape(stored[path]):
            raise ValueError(
                f"Expected {path} of shape {tuple(weight.shape)}, got {np.shape(stored[path])}: adapt with that rank."
            )
    for path, weight in wanted.items():
        weight.assign(stored[path])


def merge(model: keras.Model) -> list[str]:
    """Add each A B to its kernel and take the adapters off: the model is as large and as fast as before.

    Compile the model before it is trained on; what predicts goes on predicting the same.

    Returns:
        The paths of the layers that had one.

    Raises:
        ValueError: no layer has.
    """
    merged = _adapted(model)
    for layer in merged:
        layer._kernel.assign(layer.kernel)
        layer.lora_kernel_b.assign(np.zeros(layer.lora_kernel_b.shape))  # a program traced before would add A B again
        layer._tracker.unlock()
        for factor in FACTORS:
            layer._untrack_variable(getattr(layer, factor))
            delattr(layer, factor)
        layer._tracker.lock()
        layer.lora_enabled, layer.lora_rank = False, None
    return [layer.path for layer in merged]


def cost(model: keras.Model) -> pd.Series:
    """What training and keeping a model costs.

    Returns:
        `trainable` and `all` (parameters), `percent` of the network, `adam_bytes` (two float32 running averages for
        each trainable parameter, Kingma and Ba, 2015) and `checkpoint_bytes` (the trainable parameters as float32).
    """
    count = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    factors = [getattr(layer, name) for layer in _with_adapter(model) for name in FACTORS]
    network = sum(int(np.prod(w.shape)) for w in model.weights) - sum(int(np.prod(w.shape)) for w in factors)
    values = {"trainable": count, "all": network, "percent": 100 * count / network}
    return pd.Series({**values, "adam_bytes": 8 * count, "checkpoint_bytes": 4 * count}, dtype=object)


def _leaves(model: keras.Model) -> list:
    """The layers that have no layers inside, at any depth, in the order of the model."""
    leaves = []
    for layer in model._layers:
        leaves += _leaves(layer) or [layer]
    return leaves


def _named(model: keras.Model, names: Sequence[str]) -> list:
    """The leaves of these names, or a sentence that lists the names there are."""
    if isinstance(names, str):
        raise ValueError(f"Expected a list of layer names, got the single text {names!r}: put it in a list.")
    with_weights = [leaf for leaf in _leaves(model) if leaf.weights]
    known = list(dict.fromkeys(leaf.name for leaf in with_weights))
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise ValueError(f"Expected names of layers among {', '.join(known)}, got {unknown or names!r}: choose there.")
    return [leaf for leaf in with_weights if leaf.name in names]


def _chosen(model: keras.Model, parts: Sequence[str]) -> list:
    """The layers to adapt."""
    chosen = _named(model, parts)
    for layer in chosen:
        if not hasattr(layer, "enable_lora"):
            raise ValueError(f"Expected layers that Keras can adapt, got {layer.name!r} ({type(layer).__name__}): "
                             "choose dense, convolution or embedding layers.")  # fmt: skip
    if there := _with_adapter(model):
        raise ValueError(f"Expected a model without adapters, got one at {there[0].path}: merge it, or start afresh.")
    return chosen


def _check(rank: int, alpha: float, chosen: list) -> None:
    if isinstance(rank, bool) or not isinstance(rank, int | np.integer):
        raise TypeError(f"Expected a whole number as rank, got {rank!r}: 4 is a good first try.")
    if not alpha > 0:
        raise ValueError(f"Expected an alpha above 0, got {alpha!r}: {ALPHA:g} is a good first try.")
    for layer in chosen:
        *rest, last = layer.kernel.shape
        most = min(int(np.prod(rest)), int(last))
        if not 1 <= rank <= most:
            raise ValueError(f"Expected a rank from 1 to {most} for {layer.path}, got {rank}: choose a smaller one.")


def _inputs(layer: keras.Layer) -> int:
    """How many numbers each output of the layer is a sum of."""
    shape = layer.kernel.shape
    if not hasattr(layer, "equation"):
        return int(np.prod(shape[:-1]))
    given, rest = layer.equation.split(",")  # such as "abc,cde->abde": summed over what is on the left alone
    axes, outputs = rest.split("->")
    return int(np.prod([size for axis, size in zip(axes, shape, strict=True) if axis in given and axis not in outputs]))


def _with_adapter(model: keras.Model) -> list:
    return [leaf for leaf in _leaves(model) if getattr(leaf, "lora_enabled", False)]


def _adapted(model: keras.Model) -> list:
    adapted = _with_adapter(model)
    if not adapted:
        raise ValueError(f"Expected an adapted model, got {model.name!r} without adapters: call lora.adapt first.")
    return adapted
