"""Results on disk, under a key made of everything that they depend on: computed once, found again by content.

A key that leaves something out returns wrong numbers in silence, so a network counts with its architecture and its
weights, and an array with its dtype and shape besides its bytes.
"""

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from tlcourse.material import assets

FORMAT = b"features-2"  # part of every key: raise it when the computation changes


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


def key_of_model(model) -> str:
    """The hash of what a `keras.Model` computes in inference: its layers, their connections and every weight.

    What it and its layers are *called* does not count, since Keras numbers the names of a session's layers; nor does
    what is trainable.
    """
    config = json.dumps(_anonymous(model.get_config(), {}), sort_keys=True, default=str)
    return key_of(config.encode(), *model.get_weights())


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
    if array.shape != shape:
        raise ValueError(f"Expected {shape} in {path}, got {array.shape}.")
    return array


def _write(path: Path, shape: tuple[int, ...], rows: Iterable[np.ndarray]) -> None:
    """Write an .npy file part by part beside its place, then move it there: whoever opens it finds it whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            header = {"descr": "<f4", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            for row in rows:
                file.write(np.ascontiguousarray(row, "<f4").data)
        try:
            os.replace(part, path)
        except PermissionError:  # Windows: another process wrote the same file first and has it open
            if not path.exists():
                raise
            os.unlink(part)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(part)
        raise
