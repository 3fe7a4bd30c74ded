"""The sets of digits, all made to look like MNIST; `digits` is the way to them."""

from __future__ import annotations

import numpy as np

from tlcourse.material import assets
from tlcourse.material.data.glyph_set import glyphs
from tlcourse.material.data.split import Split, by_group, divide, one_of, stratified

TEN = tuple("0123456789")


def mnist() -> Split:
    """The 5,000 digits that are committed, 400 + 100 of each."""
    with np.load(assets.path("mnist"), allow_pickle=False) as file:
        arrays = [file[key] for key in ("x_train", "y_train", "x_test", "y_test")]
    arrays[1], arrays[3] = arrays[1].astype(np.int64), arrays[3].astype(np.int64)
    return Split(*arrays, TEN)


def blend(digits: np.ndarray, patches: np.ndarray) -> np.ndarray:
    """Blend digits with patches of photographs, as MNIST-M does: |patch − digit|, in each colour.

    Ganin et al. (2016), "Domain-adversarial training of neural networks", section 5.2.4.

    Args:
        digits: ``(n, 28, 28) uint8``.
        patches: ``(n, 28, 28, 3) uint8``.

    Returns:
        ``(n, 28, 28, 3) uint8``.
    """
    return np.abs(patches.astype(np.int16) - digits[..., None]).astype(np.uint8)


def patches() -> tuple[np.ndarray, np.ndarray]:
    """The patches behind MNIST-M's train and test digits, each ``(n, 28, 28, 3) uint8``."""
    from PIL import Image

    photographs = []
    for file in assets.files("photographs"):
        with Image.open(file) as picture:
            photographs.append(np.asarray(picture.convert("RGB")))
    with np.load(assets.path("mnist_m"), allow_pickle=False) as file:
        positions = file["train"], file["test"]
    cut = (np.stack([photographs[k][r : r + 28, c : c + 28] for k, r, c in places.tolist()]) for places in positions)
    return tuple(cut)


def mnist_m() -> Split:
    """MNIST blended with photographs; the digits and their order are those of `mnist`."""
    source, (train, test) = mnist(), patches()
    return Split(blend(source.x_train, train), source.y_train, blend(source.x_test, test), source.y_test, TEN)


def optdigits() -> Split:
    """The digits that come with scikit-learn, enlarged as MNIST was made: 20×20, in the middle of 28×28."""
    from PIL import Image
    from sklearn.datasets import load_digits

    bunch = load_digits()
    x = np.zeros((len(bunch.target), 28, 28), np.uint8)
    for i, image in enumerate(bunch.images):
        small = Image.fromarray(np.round(image * (255 / 16)).astype(np.uint8))
        x[i, 4:24, 4:24] = small.resize((20, 20), Image.Resampling.BICUBIC)
    rng = np.random.default_rng(0)
    y = bunch.target.astype(np.int64)
    return divide(x, y, stratified(y, 0.25, rng), TEN, rng)


def glyph() -> Split:
    """Printed digits from the glyphs, each moved by whole pixels so that its centre of mass is the middle."""
    drawn = glyphs(TEN)
    n = len(drawn.fonts)
    x = np.stack([_centred(image) for image in drawn.images.reshape(-1, 28, 28)])
    y = np.tile(np.arange(10, dtype=np.int64), n)
    rng = np.random.default_rng(0)
    return divide(x, y, by_group(np.repeat(drawn.families, 10), 0.25, rng), TEN, rng)


def _centred(image: np.ndarray) -> np.ndarray:
    ink = image.astype(float)
    moved = image
    for axis in (0, 1):
        profile = ink.sum(1 - axis)
        inked = np.flatnonzero(profile)
        shift = round(13.5 - float(profile @ np.arange(28) / profile.sum()))
        shift = int(np.clip(shift, -inked[0], 27 - inked[-1]))  # never over the edge
        moved = np.roll(moved, shift, axis)
    return moved


MAKERS = {"mnist": mnist, "optdigits": optdigits, "mnist_m": mnist_m, "glyph": glyph}
DIGIT_SETS = tuple(MAKERS)


def digits(name: str = "mnist") -> Split:
    """Load a set of digits, with a fixed split; all look like MNIST: white on black, about 20 pixels high, centred.

    ``mnist``: 4,000 + 1,000 handwritten digits (LeCun et al. 1998). ``optdigits``: 1,797 from 13 other writers
    (Alpaydin & Kaynak 1998), enlarged from 8×8. ``mnist_m``: MNIST blended with photographs (Ganin et al. 2016),
    digit for digit in `mnist`'s order. ``glyph``: printed, in 400 faces; no family of faces is on both sides.

    Args:
        name: one of `DIGIT_SETS`.

    Returns:
        A `Split` with x ``(n, 28, 28) uint8``, for ``mnist_m`` ``(n, 28, 28, 3)``.

    Raises:
        AssetError: the file is missing or damaged.
        ValueError: there is no such set.
    """
    one_of("name", name, DIGIT_SETS)
    return MAKERS[name]()
