"""Draw several sets of examples so that no group (a family of faces, a writing system) lies in two of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_TRIES = 100


def parts_by_group(groups: Sequence | np.ndarray, sizes: Sequence[int], *, seed: int) -> list[np.ndarray]:
    """Draw sets of given sizes, no group in two of them: what trains and what tests are of other families of faces.

    Groups count alike, however large they are: of each one example is dealt before any gives a second, and a group that
    gave one to a set gives to no other. So a set is of as many groups as can be had.

    Args:
        groups: which group each example belongs to, ``(n,)``, such as ``data.glyphs().families``.
        sizes: how many examples each set gets, such as ``(200, 100)`` for training and testing. Leave a fifth of the
            examples over where groups are of very different size; what is nearly everything can seldom be dealt.
        seed: chooses all.

    Returns:
        For each size an array of that many row numbers, in random order.

    Raises:
        ValueError: a size is not a whole number of at least 1, or whole groups cannot fill the sets.
    """
    names, index = np.unique(np.asarray(groups), return_inverse=True)
    if not sizes or any(not isinstance(size, int | np.integer) or size < 1 for size in sizes):
        raise ValueError(f"Expected sizes of at least 1, got {sizes!r}: give one whole number for each set.")
    rng = np.random.default_rng(seed)
    feasible = sum(sizes) <= len(index) and len(sizes) <= len(names)
    for _ in range(_TRIES if feasible else 0):  # where nearly everything is wanted, a deal may leave a set short
        parts = _dealt(index, sizes, rng)
        if parts is not None:
            return parts
    raise ValueError(
        f"Expected sizes that {len(names)} whole groups of {len(index)} examples can fill, got {tuple(sizes)}: "
        "ask for fewer."
    )


def _dealt(index: np.ndarray, sizes: Sequence[int], rng: np.random.Generator) -> list[np.ndarray] | None:
    """One deal; None if a set came out short."""
    turn, counts = np.empty(len(index), int), np.bincount(index)  # the how-manieth of its group each example is
    for group, count in enumerate(counts):
        turn[index == group] = rng.permutation(count)
    room, parts, owner = np.array(sizes), [[] for _ in sizes], {}
    # As many turns as it takes; what a group will have given by then is promised to its set.
    turns = next(t for t in range(1, counts.max() + 1) if np.minimum(counts, t).sum() >= sum(sizes))
    unpromised = np.array(sizes)
    for row in np.lexsort((rng.random(len(index)), turn)):  # within a turn by lot, or large groups would come first
        if not room.any():
            break
        if index[row] not in owner:  # a fresh group goes by chance, likelier where more is wanted
            wanted = np.cumsum(np.maximum(unpromised, 0) if (unpromised > 0).any() else room)
            owner[index[row]] = int(np.searchsorted(wanted, rng.integers(wanted[-1]), side="right"))
            unpromised[owner[index[row]]] -= min(counts[index[row]], turns)
        part = owner[index[row]]
        if room[part]:
            parts[part].append(row)
            room[part] -= 1
    return None if room.any() else [rng.permutation(part) for part in parts]
