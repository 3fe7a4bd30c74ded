"""Draw several sets of examples so that no group (a family of faces, a writing system) lies in two of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_TRIES = 100


def parts_by_group(groups: Sequence | np.ndarray, sizes: Sequence[int], *, seed: int) -> list[np.ndarray]:
    """Draw sets of given sizes, no group in two of them: what trains and what tests are of other families of faces.

    Groups count alike, however large they are: of each one example is dealt before any gives a second, so that twenty
    faces are of twenty families as long as there are so many. A group that a set has met is that set's for good.

    Args:
        groups: which group each example belongs to, ``(n,)``, such as ``data.glyphs().families``.
        sizes: how many examples each set gets, such as ``(200, 100)`` for training and testing.
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
    shuffled = rng.permutation(len(index))
    turn, met = np.empty(len(index), int), np.zeros(index.max() + 1, int)
    for row in shuffled:
        turn[row] = met[index[row]]  # the how-manieth of its group
        met[index[row]] += 1
    room, parts, owner = np.array(sizes), [[] for _ in sizes], {}
    unpromised = np.array(sizes)  # room when every group met so far has given all
    for row in shuffled[np.argsort(turn[shuffled], kind="stable")]:
        if not room.any():
            break
        if index[row] not in owner:  # a fresh group goes by chance, likelier where more is wanted
            wanted = np.cumsum(np.maximum(unpromised, 0) if (unpromised > 0).any() else room)
            owner[index[row]] = int(np.searchsorted(wanted, rng.integers(wanted[-1]), side="right"))
            unpromised[owner[index[row]]] -= met[index[row]]
        part = owner[index[row]]
        if room[part]:
            parts[part].append(row)
            room[part] -= 1
    return None if room.any() else [rng.permutation(part) for part in parts]
