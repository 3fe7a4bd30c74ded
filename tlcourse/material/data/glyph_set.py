"""The 62 letters and digits in 400 faces; `data.glyphs` is the same function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tlcourse.material import assets

# Packages whose faces are cuts of one design: what a font's letters descend from, checked on the outlines of the 400.
_RELATED = (
    ("adf-gillius", "adf-ikarius", "adf-switzera", "adf-universalis", "adf-verana", "dejavu-core"),  # Vera among them
    ("cabin", "cabinsketch"),
    ("cmu", "lmodern"),  # Computer Modern
    ("crosextra-carlito", "lato"),
    ("eurofurence", "monofur"),
    ("freefont-ttf", "tlwg-kinnari-ttf"),  # Nimbus Roman
    ("gfs-artemisia", "gfs-didot", "johnsmith-induni"),  # Palatino
    ("lobster", "lobstertwo"),
    ("texgyre", "uralic"),  # URW Bookman and Gothic
)
_FAMILY = {f"fonts-{member}": f"fonts-{related[0]}" for related in _RELATED for member in related}


class Glyphs(NamedTuple):
    """Letters and digits drawn from fonts; see `glyphs`."""

    images: np.ndarray
    characters: tuple[str, ...]
    fonts: tuple[str, ...]
    packages: tuple[str, ...]
    licences: tuple[str, ...]

    @property
    def families(self) -> tuple[str, ...]:
        """The group to split by, for each font: its package, or the first of the packages that share its design."""
        return tuple(_FAMILY.get(package, package) for package in self.packages)


def glyphs(characters: Sequence[str] | None = None, fonts: Sequence[int] | slice | None = None) -> Glyphs:
    """Load letters and digits in 400 faces; a face's 62 characters share one scale and one baseline.

    Args:
        characters: which, in the order wanted (``"abc"``); by default all of 0–9, A–Z, a–z.
        fonts: numbers from 0 to 399, or a slice; by default all.

    Returns:
        `Glyphs` with images ``(fonts, characters, 28, 28) uint8``, white on black, and what each font is called,
        which Debian package it comes from and under which licence.

    Raises:
        AssetError: the file is missing or damaged.
        ValueError: there is no such character or font.
    """
    with np.load(assets.path("glyphs"), allow_pickle=False) as file:
        kept = {key: file[key] for key in file.files}
    every = [str(c) for c in kept["characters"]]
    wanted = every if characters is None else list(characters)
    unknown = [c for c in wanted if c not in every]
    if unknown or not wanted:
        raise ValueError(f"characters must be some of {''.join(every)}, got {characters!r}.")
    columns = [every.index(c) for c in wanted]
    rows = np.arange(len(kept["fonts"]))
    try:
        rows = rows if fonts is None else rows[fonts if isinstance(fonts, slice) else np.asarray(fonts, dtype=int)]
    except (IndexError, TypeError, ValueError):
        raise ValueError(f"fonts must be numbers from 0 to {len(rows) - 1} or a slice, got {fonts!r}.") from None
    names = ([str(value) for value in kept[key][rows]] for key in ("fonts", "packages", "licences"))
    return Glyphs(kept["images"][rows][:, columns], tuple(wanted), *map(tuple, names))
