"""The letters of 50 writing systems, drawn 20 times each; `data.scripts` is the same function."""

from __future__ import annotations

import csv
import difflib
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tlcourse.material import assets


class Scripts(NamedTuple):
    """Letters of many writing systems; see `scripts`. What is learnt and what is tested are of different systems."""

    images: np.ndarray
    characters: tuple[str, ...]
    systems: tuple[str, ...]

    @property
    def faces(self) -> np.ndarray:
        """Which of its system's faces each drawing is of, ``(letters, 20) int``, counted from 0.

        Two drawings of one face differ by distortion alone. Ten systems have one face only, so a letter's drawings
        cannot be divided by face everywhere: divide by system.
        """
        with open(assets.DATA / "scripts" / "faces.csv", encoding="utf-8", newline="") as table:
            have = Counter(row["system"] for row in csv.DictReader(table))
        return np.arange(self.images.shape[1]) % np.array([[have[system]] for system in self.systems])


def scripts(systems: Sequence[str] | None = None) -> Scripts:
    """Load 20 letters of each of 50 writing systems, 20 drawings of each, in the manner of Omniglot (Lake et al. 2015).

    Latin is not among them, nor Greek, Cyrillic and others of its family. A drawing is a face of Noto, slanted,
    stretched and distorted at random, so no two are the same.

    Args:
        systems: names, in the order wanted (``["Thai", "Hebrew"]``); by default all, in alphabetical order.

    Returns:
        `Scripts` with images ``(letters, 20, 28, 28) uint8``, white on black, and for each letter which character it is
        and the name of its writing system. A system's 20 letters follow each other.

    Raises:
        AssetError: the file is missing or damaged.
        ValueError: there is no such writing system, or none is asked for.
    """
    with np.load(assets.path("scripts"), allow_pickle=False) as file:
        kept = {key: file[key] for key in file.files}
    every = [str(system) for system in kept["systems"]]
    wanted = every if systems is None else [systems] if isinstance(systems, str) else list(systems)
    unknown = [system for system in wanted if system not in every]
    if unknown or not wanted:
        near = difflib.get_close_matches(str(unknown[0]), every, n=3) if unknown else []
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        raise ValueError(
            f"systems must be names of writing systems, got {systems!r}; {hint}All are in set(data.scripts().systems)."
        )
    each = len(kept["characters"]) // len(every)  # letters of a system
    rows = np.concatenate([np.arange(each) + each * every.index(system) for system in wanted])
    characters = tuple(str(c) for c in kept["characters"][rows])
    return Scripts(kept["images"][rows], characters, tuple(np.repeat(wanted, each).tolist()))
