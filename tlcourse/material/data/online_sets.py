"""Keras' own data sets, for who has a network; offline each error names what the course has instead."""

from __future__ import annotations

import numpy as np

from tlcourse.material.assets import AssetError
from tlcourse.material.data.split import Split, one_of

_ONLINE = {
    "mnist": 'data.digits("mnist")',
    "fashion_mnist": "data.fashion()",
    "cifar10": "data.stickers()",
    "cifar100": "data.stickers()",
}


def online(name: str) -> Split:
    """Load one of Keras' data sets over the network, whole; Keras keeps it in its own cache.

    Args:
        name: ``mnist``, ``fashion_mnist``, ``cifar10`` or ``cifar100``.

    Returns:
        A `Split` as the data set's makers divided it; classes are numbered, as Keras has no names for them.

    Raises:
        AssetError: it could not be downloaded; the message names what the course has offline instead.
        ValueError: there is no such set.
    """
    one_of("name", name, tuple(_ONLINE))
    import keras

    try:
        (x_train, y_train), (x_test, y_test) = getattr(keras.datasets, name).load_data()
    except Exception as error:  # Keras wraps what urllib and its own cache raise in a bare Exception
        raise AssetError(
            f"{name} could not be downloaded ({' '.join(str(error).split())[:120]}); it needs the network: offline, "
            f"use {_ONLINE[name]} instead."
        ) from None
    y_train, y_test = y_train.ravel().astype(np.int64), y_test.ravel().astype(np.int64)
    return Split(x_train, y_train, x_test, y_test, tuple(str(c) for c in range(int(y_train.max()) + 1)))
