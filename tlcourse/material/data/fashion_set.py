"""Fashion-MNIST: many small pictures of things to wear, for whatever needs thousands of test pictures."""

from __future__ import annotations

import numpy as np

from tlcourse.material import assets
from tlcourse.material.data.split import Split

FASHION_CLASSES = (
    "T-shirt",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)


def fashion() -> Split:
    """Load 12,000 + 4,000 pictures of products, the same number of each of ten classes (Xiao et al. 2017).

    They are drawn once and for all from the authors' 60,000 and 10,000. A picture is grey and bright on black, the
    product upright and shoes with the toe to the left.

    Returns:
        A `Split` with x ``(n, 28, 28) uint8``.

    Raises:
        AssetError: the file is missing or damaged.
    """
    with np.load(assets.path("fashion"), allow_pickle=False) as file:
        x, y, x_test, y_test = (file[key] for key in ("x_train", "y_train", "x_test", "y_test"))
    return Split(x, y.astype(np.int64), x_test, y_test.astype(np.int64), FASHION_CLASSES)
