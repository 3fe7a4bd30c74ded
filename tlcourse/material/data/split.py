"""What every loader returns, and the two ways in which the course divides examples into train and test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np


@dataclass(frozen=True, eq=False, repr=False)
class Split:
    """Examples and labels for training and testing.

    Unpacks in the order of its first five fields: ``x_train, y_train, x_test, y_test, classes = data.stickers()``.

    Attributes:
        x_train: training examples; pictures are ``(n, height, width[, 3]) uint8``, texts ``(n,)`` str objects.
        y_train: ``(n,) int64``, each an index into `classes`.
        x_test: test examples, of the same kind.
        y_test: their labels.
        classes: the classes' names.
        skipped: for a student's own pictures, one line for each file that could not be used.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    classes: tuple[str, ...]
    skipped: tuple[str, ...] = ()

    @property
    def train(self) -> tuple[np.ndarray, np.ndarray]:
        """Training examples and labels, ``(x_train, y_train)``."""
        return self.x_train, self.y_train

    @property
    def test(self) -> tuple[np.ndarray, np.ndarray]:
        """Test examples and labels, ``(x_test, y_test)``."""
        return self.x_test, self.y_test

    def __iter__(self) -> Iterator:
        return (getattr(self, field.name) for field in fields(self)[:5])

    def __repr__(self) -> str:
        shape = ", ".join(str(n) for n in ("n", *self.x_train.shape[1:]))
        return (
            f"Split({len(self.y_train)} to train on, {len(self.y_test)} to test on, x ({shape}) {self.x_train.dtype}, "
            f"{len(self.classes)} classes: {', '.join(self.classes[:12])}{', …' if len(self.classes) > 12 else ''})"
        )


def check_fraction(test_fraction: float) -> None:
    """Raise ValueError unless a test fraction is at least 0 and below 1."""
    if not 0 <= test_fraction < 1:
        raise ValueError(f"test_fraction must be at least 0 and below 1, got {test_fraction!r}.")


def stratified(y: np.ndarray, test_fraction: float, rng: np.random.Generator) -> np.ndarray:
    """Choose the test examples class by class.

    Args:
        y: labels, ``(n,)``.
        test_fraction: share of each class; a class of two or more gives at least one to each side, unless it is 0.
        rng: where chance comes from.

    Returns:
        ``(n,) bool``, true for test.
    """
    check_fraction(test_fraction)
    test = np.zeros(len(y), bool)
    for label in np.unique(y):
        members = rng.permutation(np.flatnonzero(y == label))
        test[members[: how_many(len(members), test_fraction)]] = True
    return test


def how_many(n: int, test_fraction: float) -> int:
    """How many of n examples to test on: the nearest to the fraction that leaves both sides at least one."""
    return min(max(round(n * test_fraction), 1), n - 1) if test_fraction > 0 and n > 1 else 0


def by_group(groups: np.ndarray, test_fraction: float, rng: np.random.Generator) -> np.ndarray:
    """Choose whole groups for testing, so that no group (a document, a family of faces) lies on both sides.

    Args:
        groups: which group each example belongs to, ``(n,)``.
        test_fraction: share of the examples that is about reached, to within one group.
        rng: where chance comes from.

    Returns:
        ``(n,) bool``, true for test.
    """
    check_fraction(test_fraction)
    names, index, counts = np.unique(groups, return_inverse=True, return_counts=True)
    order = rng.permutation(len(names))
    before = np.cumsum(counts[order]) - counts[order]
    chosen = np.zeros(len(names), bool)
    # A group is taken when its middle falls before the mark, which misses the wanted share by half a group at most.
    chosen[order] = before + counts[order] / 2 < test_fraction * len(groups)
    return chosen[index]


def divide(x: np.ndarray, y: np.ndarray, test: np.ndarray, classes: tuple[str, ...], rng: np.random.Generator) -> Split:
    """Make a `Split` from a mask, both sides shuffled."""
    train_rows, test_rows = rng.permutation(np.flatnonzero(~test)), rng.permutation(np.flatnonzero(test))
    return Split(x[train_rows], y[train_rows], x[test_rows], y[test_rows], classes)


def one_of(argument: str, value: object, allowed: tuple[str, ...]) -> None:
    """Raise ValueError unless a value is among those allowed."""
    if value not in allowed:
        raise ValueError(f"{argument} must be one of {', '.join(map(repr, allowed))}; got {value!r}.")
