"""Features extracted once and kept: pictures or texts in, one row of numbers each out.

A frozen network is a fixed function, so its output for a picture never changes: compute it once, keep it on disk under
a key made of the network's weights and the picture's bytes, and every later classifier trains in milliseconds.
"""

import functools
import hashlib
import os
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from tlcourse.material import assets

FORMAT = b"features-1"  # part of every key: raise it when the computation changes
CORES = min(4, os.cpu_count() or 1)


def extract(model, pictures: Sequence, *, batch_size: int = 8, cache: bool = True) -> np.ndarray:
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
        ValueError: the pictures are not RGB, or are scaled to [0, 1].
        AssetError: there is no room to keep the result.
    """
    paths = len(pictures) > 0 and isinstance(pictures[0], (str, os.PathLike))
    if not paths:
        _check_pixels(pictures)
    size = model.input_shape[1:3]

    def batches() -> Iterator[np.ndarray]:
        for start in range(0, len(pictures), batch_size):
            part = pictures[start : start + batch_size]
            yield _read(part, size) if paths else _scale(np.asarray(part), size)

    def rows() -> Iterator[np.ndarray]:
        return _pipelined(_frozen(model, _hash_weights(model)), batches())

    chunks = (Path(p).read_bytes() for p in pictures) if paths else (np.ascontiguousarray(p) for p in pictures)
    kind = repr((size, model.output_shape[1:], [layer.name for layer in model.layers][-1], paths or pictures.shape[1:]))
    return _kept((_hash_weights(model).encode(), kind.encode()), chunks, (len(pictures), *model.output_shape[1:]), rows, cache)


def embed(texts: Iterable[str], *, model=None, length: int = 64, batch_size: int = 32, cache: bool = True) -> np.ndarray:
    """Turn texts into sentence embeddings, from disk the second time.

    Args:
        texts: any strings.
        model: a `keras.Model` from `(n, any number)` int32 tokens to `(n, width)`; the pretrained MiniLM if None.
        length: number of tokens after which a text is cut, 2 to 512.
        batch_size: texts at a time on each core.
        cache: keep the result under `assets.CACHE` and look there first.

    Returns:
        `(n, width)` float32, row i for text i.

    Raises:
        AssetError: the weights are missing or damaged; the message names the command that fetches them.
        TypeError: `texts` holds something that is no string.
    """
    from tlcourse.material import minilm

    tokens = minilm.tokenize(texts, length=length)
    model = model or _pretrained_minilm()
    used = np.maximum(2, (tokens != 0).sum(axis=1))
    order = np.argsort(used, kind="stable")  # texts of similar length together, so that little is spent on padding
    groups = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]

    def rows() -> Iterator[np.ndarray]:
        batches = (tokens[group, : used[group].max()] for group in groups)
        result = np.empty((len(tokens), model.output_shape[-1]), "float32")
        for group, part in zip(groups, _pipelined(_frozen(model, _hash_weights(model)), batches), strict=True):
            result[group] = part
        yield result

    key = (_hash_weights(model).encode(), repr(tokens.shape).encode())
    return _kept(key, [tokens], (len(tokens), model.output_shape[-1]), rows, cache)


@functools.lru_cache(maxsize=1)
def _pretrained_minilm():
    from tlcourse.material import backbones

    return backbones.minilm()


def _check_pixels(pictures) -> None:
    if getattr(pictures, "ndim", None) != 4 or pictures.shape[-1] != 3:
        got = getattr(pictures, "shape", type(pictures).__name__)
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


def _read(paths, size) -> np.ndarray:
    from tlcourse.material import pictures

    return np.stack([pictures.read_picture(path, size[0]) for path in paths]).astype("float32")


def _hash(*parts: bytes) -> "hashlib._Hash":
    digest = hashlib.blake2b(FORMAT, digest_size=16)
    for part in parts:
        digest.update(part)
    return digest


def _hash_weights(model) -> str:
    return _hash(*(np.ascontiguousarray(weight).data for weight in model.get_weights())).hexdigest()


@functools.lru_cache(maxsize=4)
def _frozen(model, weights: str):
    """The model as one graph with its weights as constants, so that TensorFlow can fold batch norms into convolutions.

    That makes it half as fast again. `weights` is the hash of the weights that the graph holds: a model trained since
    then has another one, and gets a graph of its own.
    """
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    signature = tf.TensorSpec(model.inputs[0].shape, model.inputs[0].dtype)
    graph = tf.function(functools.partial(model, training=False)).get_concrete_function(signature)
    graph = convert_variables_to_constants_v2(graph)
    return lambda batch: graph(tf.constant(batch, signature.dtype))[0].numpy()


def _pipelined(run, batches: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """`run` over the batches in order, one batch a core at a time, never more than one waiting."""
    with ThreadPoolExecutor(CORES) as pool:
        pending = deque()
        for batch in batches:
            pending.append(pool.submit(run, batch))
            if len(pending) > CORES:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def _kept(key: tuple[bytes, ...], data: Iterable, shape: tuple[int, ...], rows, cache: bool) -> np.ndarray:
    """The array that `rows()` yields in parts: from the file of that key, or computed, written and then read from it."""
    if not cache:
        return np.concatenate(list(rows())) if shape[0] else np.empty(shape, "float32")
    path = assets.CACHE / "features" / f"{_hash(*key, *data).hexdigest()}.npy"
    if not path.exists():
        try:
            _write(path, shape, rows())
        except OSError as error:
            raise assets.AssetError(
                f"No room to keep features in {path.parent} ({error.strerror}): free some space or pass cache=False."
            ) from error
    return np.load(path, mmap_mode="c") if shape[0] else np.empty(shape, "float32")


def _write(path: Path, shape: tuple[int, ...], rows: Iterable[np.ndarray]) -> None:
    """Write an .npy file part by part beside its place, then move it there: whoever opens it finds it whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
        try:
            header = {"descr": "<f4", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            for part in rows:
                file.write(np.ascontiguousarray(part, "<f4").data)
            file.close()
            os.replace(file.name, path)
        except BaseException:
            file.close()
            os.unlink(file.name)
            raise
