"""Features extracted once and kept: pictures or texts in, one row of numbers each out.

A frozen network is a fixed function, so its output for a picture never changes: compute it once, keep it on disk under
a key made of the network's weights and the picture's bytes, and every later classifier trains in milliseconds.
"""

from __future__ import annotations

import functools
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tlcourse.material.features.cache import kept, key_of_model, key_of_stream

if TYPE_CHECKING:
    import keras

CORES = min(4, os.cpu_count() or 1)


def extract(
    model: keras.Model,
    pictures: np.ndarray | Sequence[str | os.PathLike[str]],
    *,
    batch_size: int = 4,
    cache: bool = True,
) -> np.ndarray:
    """Run pictures through a frozen network, streaming; the result comes from disk the second time.

    Args:
        model: a `keras.Model` from `(n, height, width, 3)` pixels in [0, 255] to any output, run in inference mode.
        pictures: `(n, height, width, 3)` uint8 or float pixels in [0, 255], or paths of picture files. Those of
            another size than the model's are scaled to it. Only `batch_size` pictures a core are decoded at once.
        batch_size: pictures at a time on each core.
        cache: keep the result under `assets.CACHE` and look there first.

    Returns:
        `(n, …)` float32, row i for picture i. It is mapped from the file, and copied only where you write to it.

    Raises:
        ValueError: the pictures are not RGB, or are scaled to [0, 1]; the model's size is open; a file is no picture.
        AssetError: the result cannot be kept.
    """
    paths = _are_paths(pictures)
    if not paths:
        _check_pixels(pictures)
    size, shape = model.input_shape[1:3], (len(pictures), *model.output_shape[1:])
    if None in shape or (paths and (None in size or size[0] != size[1])):
        raise ValueError(
            f"Expected a model of fixed size, and of square pictures to read files, got {model.input_shape} to "
            f"{model.output_shape}: build it with an input size."
        )
    weights = key_of_model(model)

    def batches() -> Iterator[np.ndarray]:
        for start in range(0, len(pictures), batch_size):
            part = pictures[start : start + batch_size]
            yield _read(part, size[0]) if paths else _scale(np.asarray(part), size)

    def contents() -> Iterator[bytes | np.ndarray]:
        yield weights.encode()
        for i in range(len(pictures)):
            yield _file_bytes(pictures[i]) if paths else np.asarray(pictures[i])

    def rows() -> Iterator[np.ndarray]:
        return _pipelined(_frozen(model, weights), batches(), streams=_streams(model))

    return _result(contents, shape, rows, cache)


def embed(
    texts: Iterable[str],
    *,
    model: keras.Model | None = None,
    length: int = 64,
    batch_size: int = 32,
    cache: bool = True,
) -> np.ndarray:
    """Turn texts into sentence embeddings, from disk the second time.

    Args:
        texts: any strings.
        model: a `keras.Model` from `(n, length)` int32 tokens, or any number, to `(n, width)`; the pretrained MiniLM if
            None.
        length: number of tokens after which a text is cut, 2 to 512.
        batch_size: texts at a time on each core.
        cache: keep the result under `assets.CACHE` and look there first.

    Returns:
        `(n, width)` float32, row i for text i.

    Raises:
        AssetError: the weights are missing or damaged; the message names the command that fetches them.
        TypeError: `texts` holds something that is no string.
        ValueError: the model takes texts of another length.
    """
    from tlcourse.material.backbones import tokenize

    tokens = tokenize(texts, length=length)
    network = model or _pretrained_minilm()
    fixed = network.input_shape[1]
    if fixed not in (None, length):
        raise ValueError(f"Expected texts of the model's own length {fixed}, got length={length}: pass length={fixed}.")
    weights = key_of_model(network)
    used = np.maximum(2, (tokens != 0).sum(axis=1))
    order = np.argsort(used, kind="stable")  # texts of similar length together, so that little is spent on padding
    groups = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
    shape = (len(tokens), network.output_shape[-1])

    def rows() -> Iterator[np.ndarray]:
        batches = (tokens[group, : fixed or used[group].max()] for group in groups)
        result = np.empty(shape, "float32")
        parts = _pipelined(_frozen(network, weights), batches, streams=_streams(network))
        for group, part in zip(groups, parts, strict=True):
            result[group] = part
        yield result

    return _result(lambda: (weights.encode(), tokens), shape, rows, cache)


def _result(contents, shape: tuple[int, ...], rows, cache: bool) -> np.ndarray:
    """What `rows()` yields, together; from disk if `cache` and if the key of `contents()` is there."""
    if shape[0] == 0:
        return np.empty(shape, "float32")
    return kept(key_of_stream(contents()), shape, rows) if cache else np.concatenate(list(rows()))


@functools.lru_cache(maxsize=1)
def _pretrained_minilm():
    from tlcourse.material import backbones

    return backbones.minilm()


def _are_paths(pictures) -> bool:
    return isinstance(pictures[0], (str, os.PathLike)) if len(pictures) else not hasattr(pictures, "shape")


def _check_pixels(pictures) -> None:
    shape = getattr(pictures, "shape", None)
    if shape is None or len(shape) != 4 or shape[-1] != 3:
        got = type(pictures).__name__ if shape is None else shape
        raise ValueError(f"Expected RGB pictures of shape (n, height, width, 3), got {got}: stack or convert them.")
    first = np.asarray(pictures[:8])
    if first.dtype.kind == "f" and 0 < first.max(initial=0) <= 1:
        raise ValueError("Expected pixels in [0, 255], got values up to 1: multiply the pictures by 255.")


def _scale(pictures: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """To the model's height and width, with antialiasing where that means fewer pixels."""
    if size[0] is None or pictures.shape[1:3] == tuple(size):
        return pictures.astype("float32")
    import tensorflow as tf

    return tf.image.resize(pictures, size, antialias=True).numpy()


def _read(paths, size: int) -> np.ndarray:

    from tlcourse.material.data import read_picture

    return np.stack([read_picture(path, size) for path in paths]).astype("float32")


def _file_bytes(path) -> bytes:
    from tlcourse.material.data import PictureError

    try:
        return Path(path).read_bytes()
    except OSError as error:
        name = Path(path).name
        raise PictureError(f"{name!r} cannot be opened ({error.strerror}); look at its path.") from None


@functools.lru_cache(maxsize=4)
def _frozen(model, weights: str):
    """The model as one graph in inference mode.

    `weights` is the hash of the weights that the graph holds: a model trained since then gets a graph of its own.
    """
    import tensorflow as tf

    from tlcourse.material.features.folding import fold

    signature = tf.TensorSpec(model.inputs[0].shape, model.inputs[0].dtype)
    # Traced here: an error while two threads trace would leave one of them waiting for ever (TensorFlow 2.21).
    graph = tf.function(functools.partial(fold(model), training=False)).get_concrete_function(signature)
    return lambda batch: graph(tf.constant(batch, signature.dtype)).numpy()


def _streams(model) -> int:
    """How many batches may go through the model's graph at the same time: one a core, if that is safe.

    TensorFlow's pooling over windows on the CPU is not: called from two threads it crashes or mixes the batches up
    (2.21, oneDNN). Then the batches queue, and the cores share each.
    """
    from keras import layers

    pools = tuple(getattr(layers, f"{kind}Pooling{d}D") for kind in ("Max", "Average") for d in (1, 2, 3))
    return 1 if any(isinstance(layer, pools) for layer in model._flatten_layers()) else CORES


def _pipelined(run, batches: Iterable[np.ndarray], *, streams: int) -> Iterator[np.ndarray]:
    """`run` over the batches in order, so many at a time, never more than one waiting."""
    with ThreadPoolExecutor(streams) as pool:
        pending = deque()
        for batch in batches:
            pending.append(pool.submit(run, batch))
            if len(pending) > streams:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
