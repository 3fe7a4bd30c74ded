"""The sets of digits, all made to look like MNIST; `digits` is the way to them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from tlcourse.material import assets
from tlcourse.material.data.glyph_set import glyphs
from tlcourse.material.data.split import Split, by_group, divide, one_of

TEN = tuple("0123456789")


def mnist(more: bool = False) -> Split:
    """400 + 100 of each digit; with `more`, another 5,000 come behind those to train on."""
    with np.load(assets.path("mnist"), allow_pickle=False) as file:
        x, y, x_test, y_test = (file[key] for key in ("x_train", "y_train", "x_test", "y_test"))
    if more:
        with np.load(assets.path("mnist_more"), allow_pickle=False) as file:
            x, y = np.concatenate([x, file["x"]]), np.concatenate([y, file["y"]])
    return Split(x, y.astype(np.int64), x_test, y_test.astype(np.int64), TEN)


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
    """The patches behind MNIST-M's train and test digits, each ``(n, 28, 28, 3) uint8``, of different photographs."""
    from PIL import Image

    photographs = []
    for file in assets.files("photographs"):
        with Image.open(file) as picture:
            photographs.append(np.asarray(picture.convert("RGB")))
    with np.load(assets.path("mnist_m"), allow_pickle=False) as file:
        positions = file["train"], file["test"]
    train, test = (np.stack([photographs[k][r : r + 28, c : c + 28] for k, r, c in at.tolist()]) for at in positions)
    return train, test


def mnist_m() -> Split:
    """MNIST blended with photographs; the digits and their order are those of `mnist`."""
    source, (train, test) = mnist(), patches()
    return Split(blend(source.x_train, train), source.y_train, blend(source.x_test, test), source.y_test, TEN)


# Where in scikit-learn's optdigits a new form begins. A form has the same 130 digits in the same order, and one writer.
OPTDIGITS_FORMS = (0, 130, 256, 386, 516, 646, 776, 905, 1029, 1157, 1287, 1415, 1545, 1667)


def optdigits() -> Split:
    """The digits that come with scikit-learn, enlarged; no form, so no writer, is on both sides."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    x = _enlarged(np.round(bunch.images * (255 / 16)).astype(np.uint8))
    rng = np.random.default_rng(0)
    y = bunch.target.astype(np.int64)
    form = np.searchsorted(OPTDIGITS_FORMS, np.arange(len(y)), side="right")
    return divide(x, y, by_group(form, 0.25, rng), TEN, rng)


def _enlarged(images: np.ndarray) -> np.ndarray:
    """Small pictures of digits as MNIST's were made: 20×20, in the middle of 28×28; uint8."""
    from PIL import Image

    x = np.zeros((len(images), 28, 28), np.uint8)
    for page, image in zip(x, images, strict=True):
        page[4:24, 4:24] = np.asarray(Image.fromarray(image).resize((20, 20), Image.Resampling.BICUBIC))
    return x


def usps() -> Split:
    """Digits from envelopes, in the halves of Rasmussen & Williams (2006), enlarged; fetched, and optional."""
    table = np.load(assets.path("usps"), allow_pickle=False)
    x, y, half = _enlarged(table[:, 1:].reshape(-1, 16, 16)), table[:, 0].astype(np.int64), len(table) // 2
    return Split(x[:half], y[:half], x[half:], y[half:], TEN)


def usps_table(file: Path) -> bytes:
    """Turn ``usps_resampled.mat`` into the bytes of an ``.npy`` file, the same on every platform.

    Returns:
        9,298 rows, those to train on first, as ``(n, 257) uint8``: the digit, then its 16×16 greys, 0 to 255.
    """
    from scipy.io import loadmat

    kept = loadmat(file)
    halves = []
    for side in ("train", "test"):
        greys = np.round((kept[f"{side}_patterns"].T + 1) * 127.5)  # from −1 to 1
        halves.append(np.column_stack([kept[f"{side}_labels"].argmax(axis=0), greys]).astype(np.uint8))
    out = io.BytesIO()
    np.save(out, np.concatenate(halves), allow_pickle=False)
    return out.getvalue()


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


MAKERS = {"mnist": mnist, "optdigits": optdigits, "usps": usps, "mnist_m": mnist_m, "glyph": glyph}
DIGIT_SETS = tuple(MAKERS)


def digits(name: str = "mnist", *, more: bool = False) -> Split:
    """Load a set of digits, with a fixed split; all look like MNIST: white on black, about 20 pixels high, centred.

    ``mnist``: 4,000 + 1,000 handwritten digits (LeCun et al. 1998). ``optdigits``: 1,797 of other writers (Alpaydin &
    Kaynak 1998), enlarged from 8×8; no writer is on both sides. ``usps``: 4,649 + 4,649 from envelopes (Hull 1994),
    enlarged from 16×16; it is fetched, and the course does without where that fails. ``mnist_m``: MNIST blended with
    photographs (Ganin et al. 2016), digit for digit in `mnist`'s order; what tests lies on other photographs.
    ``glyph``: printed, in 400 faces; no family of faces is on both sides. Who wrote a digit of MNIST or USPS is not
    known: a writer may be on both sides there.

    Args:
        name: one of `DIGIT_SETS`.
        more: for ``mnist``, another 5,000 behind the 4,000 to train on. None of them is in ``mnist_m``: a source for it
            that shares no digit with it.

    Returns:
        A `Split` with x ``(n, 28, 28) uint8``, for ``mnist_m`` ``(n, 28, 28, 3)``.

    Raises:
        AssetError: the file is missing or damaged.
        ValueError: there is no such set, or no more of it.
    """
    one_of("name", name, DIGIT_SETS)
    if not more:
        return MAKERS[name]()
    if name != "mnist":
        raise ValueError(f"Expected more=True with 'mnist', got it with {name!r}: leave it out, or name 'mnist'.")
    return mnist(more=True)
