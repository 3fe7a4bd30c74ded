"""Results on disk, under a key made of everything that they depend on: computed once, found again by content.

A key that leaves something out returns wrong numbers in silence, so a network counts with its architecture and its
weights, and an array with its dtype and shape besides its bytes. So does a damaged file: each ends in a digest of its
key and content, and is believed only if that is right. (joblib.Memory does neither, and takes no rows one by one.)
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import itertools
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tlcourse.material import assets
from tlcourse.material.assets.atomic import replacing

if TYPE_CHECKING:
    import keras

FORMAT = b"features-3"  # part of every key: raise it when the computation changes
DIGEST = 32  # bytes at the end of each file
_verified: dict[Path, tuple[int, int]] = {}  # hashed once in a process, and again if the file changes


def key_of(*parts: bytes | np.ndarray) -> str:
    """The hash of some bytes and arrays, in their order."""
    return key_of_stream(parts)


def key_of_stream(parts: Iterable[bytes | np.ndarray]) -> str:
    """As `key_of`, holding one part at a time in memory."""
    digest = hashlib.blake2b(FORMAT, digest_size=16)
    for part in parts:
        kind = f"{part.dtype.str}{part.shape}" if isinstance(part, np.ndarray) else f"{len(part)} bytes"
        digest.update(kind.encode())
        digest.update(np.ascontiguousarray(part).data if isinstance(part, np.ndarray) else part)
    return digest.hexdigest()


def key_of_model(model: keras.Model) -> str:
    """The hash of what a `keras.Model` computes in inference: its layers, their connections and every weight.

    What it and its layers are *called* does not count, since Keras numbers the names of a session's layers; nor does
    what is trainable. Of a layer that is not Keras' own, and of a function that a `Lambda` or an activation names, the
    code may change without a trace in the configuration: then what the network makes of two fixed inputs counts, too.
    """
    config = model.get_config()
    written = json.dumps(_anonymous(config, {}), sort_keys=True, default=str).encode()
    return key_of(written, *model.get_weights(), *_answers(model, config))


def _answers(model, config: dict) -> list[np.ndarray]:
    """A foreign network's outputs for two fixed inputs, to four digits; nothing if all of it is Keras' own."""
    parts = [model, *model._flatten_layers(include_self=False)]
    if all(type(part).__module__.split(".")[0] == "keras" for part in parts) and not _names_code(config):
        return []
    shape = [size or 8 for size in model.inputs[0].shape[1:]]
    kind = model.inputs[0].dtype
    fixed = np.random.default_rng(0).uniform(0, 255, (2, *shape)).astype(kind)
    return [np.char.mod("%.3e", np.asarray(model(fixed, training=False), float)).astype("S")]


def _names_code(config) -> bool:
    """Whether a Keras config names a function that is not Keras' own, or holds its code."""
    if isinstance(config, dict):
        return config.get("class_name") in ("function", "__lambda__") or any(map(_names_code, config.values()))
    return isinstance(config, (list, tuple)) and any(map(_names_code, config))


def _anonymous(config, numbers: dict[str, int]):
    """A Keras config with names replaced by the order in which they come up, also where a connection refers to one."""
    if isinstance(config, dict):
        if "DTypePolicy" in str(config.get("class_name")):
            return config  # here the name says what it is
        named = {"name": numbers.setdefault(str(config["name"]), len(numbers))} if "name" in config else {}
        rest = {key: value for key, value in config.items() if key not in ("name", "trainable")}
        return named | {key: _anonymous(value, numbers) for key, value in rest.items()}
    if isinstance(config, (list, tuple)):
        refers = config and isinstance(config[0], str) and config[0] in numbers  # ["conv1", 0, 0]
        start = [numbers[config[0]]] if refers else []
        return start + [_anonymous(value, numbers) for value in config[len(start) :]]
    return config


def kept(key: str, shape: tuple[int, ...], rows: Callable[[], Iterable[np.ndarray]]) -> np.ndarray:
    """The float32 array that `rows()` yields in parts: from the file of that key, or computed, written and read again.

    Returns:
        The array, mapped from the file, and copied only where you write to it.

    Raises:
        AssetError: the result cannot be written.
    """
    path = assets.CACHE / "features" / f"{key}.npy"
    with contextlib.suppress(OSError, ValueError, EOFError):  # none yet, or damaged: it is made anew
        return _mapped(path, shape)
    try:
        _write(path, shape, rows())
        return _mapped(path, shape)
    except OSError as error:
        raise assets.AssetError(
            f"Features cannot be kept in {path.parent} ({error.strerror}): free some space there, or pass cache=False."
        ) from error


def _mapped(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    array = np.load(path, mmap_mode="c")
    if array.shape != shape or array.dtype != np.float32:
        raise ValueError(f"Expected {shape} float32 in {path}, got {array.shape} {array.dtype}.")
    stat = path.stat()
    if _verified.get(path) != (stat.st_mtime_ns, stat.st_size):
        with open(path, "rb") as file:
            digest, left = _digest(path), stat.st_size - DIGEST
            while left > 0 and (piece := file.read(min(left, 1 << 20))):
                digest.update(piece)
                left -= len(piece)
            if file.read() != digest.digest():
                raise ValueError(f"Expected the content that was written to {path}, got another.")
        _verified[path] = (stat.st_mtime_ns, stat.st_size)
    return array


def _digest(path: Path):
    """A hash that knows under which key the content belongs."""
    return hashlib.blake2b(path.stem.encode(), digest_size=DIGEST)


def _write(path: Path, shape: tuple[int, ...], rows: Iterable[np.ndarray]) -> None:
    """Write an .npy file part by part, then its digest, which NumPy does not read."""
    digest = _digest(path)
    try:
        with replacing(path) as file:
            header = io.BytesIO()
            np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": shape})
            for part in itertools.chain([header.getvalue()], (np.ascontiguousarray(row, "<f4").data for row in rows)):
                digest.update(part)
                file.write(part)
            file.write(digest.digest())
    except PermissionError:  # Windows: another process wrote the same file first and has it open
        if not path.exists():
            raise
