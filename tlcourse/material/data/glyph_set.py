"""The 62 letters and digits in 400 faces; `data.glyphs` is the same function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tlcourse.material import assets


class Glyphs(NamedTuple):
    """Letters and digits drawn from fonts; see `glyphs`."""

    images: np.ndarray
    characters: tuple[str, ...]
    fonts: tuple[str, ...]
    packages: tuple[str, ...]
    licences: tuple[str, ...]

    @property
    def families(self) -> tuple[str, ...]:
        """The group to split by, for each font: its package, whose faces are cuts of a few designs.

        Only fonts-aenigma is a collection of single faces: there each is a family of its own.
        """
        pairs = zip(self.fonts, self.packages, strict=True)
        return tuple(font if package == "fonts-aenigma" else package for font, package in pairs)


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
