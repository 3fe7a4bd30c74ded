"""The course's data, each set behind one function that returns a `Split`. Everything here works offline."""

from __future__ import annotations

import hashlib
import io

import numpy as np

from tlcourse.material import assets, digit_sets
from tlcourse.material.assets import AssetError
from tlcourse.material.glyph_set import Glyphs, glyphs
from tlcourse.material.pictures import from_folder, read_picture
from tlcourse.material.ratings import DOMAINS as REVIEW_DOMAINS
from tlcourse.material.script_set import Scripts, scripts
from tlcourse.material.split import Split, by_group, check_fraction, divide, how_many
from tlcourse.material.tables import model_zoo, recorded

__all__ = [
    "DIGIT_SETS",
    "REVIEW_DOMAINS",
    "STICKER_CLASSES",
    "STICKER_DOMAINS",
    "Glyphs",
    "Scripts",
    "Split",
    "digits",
    "from_folder",
    "glyphs",
    "model_zoo",
    "online",
    "read_picture",
    "recorded",
    "reviews",
    "scripts",
    "stickers",
]

STICKER_DOMAINS = ("photo", "clipart", "noto", "twemoji", "openmoji")
STICKER_CLASSES = ("bird", "mammal", "fruit", "vegetable", "flower", "instrument", "tool", "vehicle")
DIGIT_SETS = tuple(digit_sets.MAKERS)
_EMOJI = ("noto", "twemoji", "openmoji")
_ONLINE = {
    "mnist": 'data.digits("mnist")',
    "fashion_mnist": "data.glyphs()",
    "cifar10": "data.stickers()",
    "cifar100": "data.stickers()",
}


def stickers(
    domain: str = "photo",
    *,
    size: int = 128,
    background: int | tuple[int, int, int] = 255,
    test_fraction: float = 0.25,
    seed: int = 0,
) -> Split:
    """Load one domain of the stickers: 8 classes of cut-out pictures, on a plain background.

    The split is stratified, and made from the pictures' names: what the three emoji sets draw under one name falls
    on one side in all three, so that training on one and testing on another never meets the same bird twice.

    Args:
        domain: one of `STICKER_DOMAINS`.
        size: side in pixels; 128 is how they are kept.
        background: the grey or the RGB colour, 0 to 255, behind the transparent parts.
        test_fraction: share of each class to test on.
        seed: chooses the split and the order.

    Returns:
        A `Split` with x ``(n, size, size, 3) uint8``.

    Raises:
        AssetError: a picture is missing or damaged.
        ValueError: an argument is out of its range.
    """
    from PIL import Image

    _one_of("domain", domain, STICKER_DOMAINS)
    check_fraction(test_fraction)
    if not (isinstance(size, int | np.integer) and 1 <= size <= 1024):
        raise ValueError(f"size must be a whole number of pixels from 1 to 1024, got {size!r}.")
    colour = (background,) * 3 if isinstance(background, int | np.integer) else tuple(background)
    if len(colour) != 3 or not all(0 <= c <= 255 for c in colour):
        raise ValueError(f"background must be a grey from 0 to 255 or three such numbers, got {background!r}.")
    files = [f for f in assets.files(f"stickers/{domain}") if f.parent.name in STICKER_CLASSES]
    tested = _sticker_names_to_test(domain, test_fraction, seed)
    x = np.empty((len(files), size, size, 3), np.uint8)
    for i, file in enumerate(files):
        with Image.open(file) as picture:
            cut_out = picture.convert("RGBA")
        page = Image.new("RGBA", cut_out.size, (*map(int, colour), 255))
        page.alpha_composite(cut_out)
        x[i] = page.convert("RGB").resize((size, size), Image.Resampling.LANCZOS)
    y = np.array([STICKER_CLASSES.index(file.parent.name) for file in files])
    test = np.array([(file.parent.name, file.stem) in tested for file in files])
    return divide(x, y, test, STICKER_CLASSES, np.random.default_rng(seed))


def _sticker_names_to_test(domain: str, test_fraction: float, seed: int) -> set[tuple[str, str]]:
    """(class, name) of the test pictures: of each class those whose hashes with the seed come first."""
    names: dict[str, set[str]] = {}
    for member in _EMOJI if domain in _EMOJI else (domain,):
        for relative in assets.listed(f"stickers/{member}"):
            *_, kind, name = relative.removesuffix(".png").split("/")
            names.setdefault(kind, set()).add(name)
    tested = set()
    for kind, members in names.items():
        ordered = sorted(members, key=lambda name: hashlib.sha256(f"{seed}/{name}".encode()).digest())
        tested |= {(kind, name) for name in ordered[: how_many(len(ordered), test_fraction)]}
    return tested


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
    _one_of("name", name, DIGIT_SETS)
    return digit_sets.MAKERS[name]()


def reviews(domain: str = "film", *, threshold: float = 0.75, test_fraction: float = 0.25, seed: int = 0) -> Split:
    """Load sentences that people rated from −4 to 4 (Hutto & Gilbert 2014), as negative (0) or positive (1).

    Of a sentence that occurs twice the first is kept. Sentences of one product review or one editorial all fall on
    one side of the split; for films and tweets the source does not say which sentences belong together.

    Args:
        domain: one of `REVIEW_DOMAINS`.
        threshold: sentences with a mean rating of at most this, either way, are left out as undecided.
        test_fraction: share to test on.
        seed: chooses the split and the order.

    Returns:
        A `Split` with x ``(n,)`` of str objects.

    Raises:
        AssetError: the texts have not been fetched, or are damaged.
        ValueError: an argument is out of its range.
    """
    import pandas as pd

    _one_of("domain", domain, REVIEW_DOMAINS)
    if not 0 <= threshold < 4:
        raise ValueError(f"threshold must be at least 0 and below 4, got {threshold!r}.")
    # Read once, after the check, so that a sentence such as "null" stays a sentence.
    raw = assets.path("reviews").read_bytes()
    table = pd.read_csv(io.BytesIO(raw), keep_default_na=False, dtype={"document": "int64", "rating": "float64"})
    table = table[table["domain"] == domain].drop_duplicates("text")
    table = table[table["rating"].abs() > threshold]
    if table["rating"].gt(0).nunique() < 2:
        raise ValueError(f"threshold {threshold!r} leaves one class only in {domain!r}; choose a smaller one.")
    rng = np.random.default_rng(seed)
    test = by_group(table["document"].to_numpy(), test_fraction, rng)
    x = np.array([*table["text"].to_list(), None], dtype=object)[:-1]
    y = table["rating"].gt(0).to_numpy().astype(np.int64)
    return divide(x, y, test, ("negative", "positive"), rng)


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
    _one_of("name", name, tuple(_ONLINE))
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


def _one_of(argument: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{argument} must be one of {', '.join(map(repr, allowed))}; got {value!r}.")
