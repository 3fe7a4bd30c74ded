"""The stickers: cut-out pictures of eight classes in five domains, on a plain background or as they were cut out."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import numpy as np

from tlcourse.material import assets
from tlcourse.material.data.split import Split, check_fraction, divide, how_many, one_of

STICKER_DOMAINS = ("photo", "clipart", "noto", "twemoji", "openmoji")
STICKER_CLASSES = ("bird", "mammal", "fruit", "vegetable", "flower", "instrument", "tool", "vehicle")
SIZE = 128
_EMOJI = ("noto", "twemoji", "openmoji")


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

    one_of("domain", domain, STICKER_DOMAINS)
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
        x[i] = np.asarray(page.convert("RGB").resize((size, size), Image.Resampling.LANCZOS))
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


class CutOuts(NamedTuple):
    """Stickers with their outlines; see `cut_outs`."""

    colour: np.ndarray
    mask: np.ndarray
    y: np.ndarray
    classes: tuple[str, ...]


def cut_outs(domain: str = "photo") -> CutOuts:
    """Load one domain of the stickers with their transparency, class by class.

    Args:
        domain: one of `STICKER_DOMAINS`.

    Returns:
        `CutOuts`: colour ``(n, 128, 128, 3) uint8``, which says nothing where the mask is 0; mask ``(n, 128, 128)
        uint8``, 255 where the thing is and 0 where it is not; y ``(n,) int64``; the classes' names.

    Raises:
        AssetError: a picture is missing or damaged.
        ValueError: there is no such domain.
    """
    from PIL import Image

    one_of("domain", domain, STICKER_DOMAINS)
    files = [f for f in assets.files(f"stickers/{domain}") if f.parent.name in STICKER_CLASSES]
    files.sort(key=lambda f: (STICKER_CLASSES.index(f.parent.name), f.name))
    rgba = np.empty((len(files), SIZE, SIZE, 4), np.uint8)
    for i, file in enumerate(files):
        with Image.open(file) as picture:
            rgba[i] = np.asarray(picture.convert("RGBA"))
    y = np.array([STICKER_CLASSES.index(f.parent.name) for f in files])
    return CutOuts(rgba[..., :3], rgba[..., 3], y, STICKER_CLASSES)
