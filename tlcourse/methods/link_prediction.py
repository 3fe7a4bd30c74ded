"""Which pairs of a network are edges that cannot be seen? Two signs of each pair, and two weights that can be carried.

A network is its table, `(n, n)`, symmetric, 1 where two are joined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def signs(a: np.ndarray) -> np.ndarray:
    """Ways of two steps (Adamic and Adar, 2003) and of three between each pair, `(n, n, 2)`, logarithms, standardised.

    Whoever is joined to many counts for less in either.
    """
    many = a.sum(axis=0).clip(2)
    root = np.sqrt(many)
    z = np.log1p(np.stack([a / np.log(many) @ a, a / root @ a / root @ a], axis=-1))
    pairs = z[np.triu_indices(len(a), 1)]
    return (z - pairs.mean(axis=0)) / pairs.std(axis=0)


def strangers(a: np.ndarray) -> tuple[np.ndarray, ...]:
    """Rows and columns of the pairs that are not joined, each once."""
    return tuple(np.argwhere(np.triu(1 - a, 1)).T)


def hidden(a: np.ndarray, *, seed: int, parts: int = 5) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """One part of the edges, `(n, 2)`, and the table without them; for each part, so that each edge is hidden once."""
    edges = np.random.default_rng(seed).permutation(np.argwhere(np.triu(a)))
    for held in np.array_split(edges, parts):
        rest = a.copy()
        rest[held[:, 0], held[:, 1]] = rest[held[:, 1], held[:, 0]] = 0
        yield held, rest


def learn(a: np.ndarray, *, times: int = 3) -> np.ndarray:
    """Two weights of length one by which hidden edges are told from strangers; hidden in so many ways."""
    from sklearn.linear_model import LogisticRegression

    far, x = strangers(a), []
    for seed in range(times):
        for held, rest in hidden(a, seed=seed):
            z = signs(rest)
            x += [z[tuple(held.T)], z[far]]
    y = np.repeat([1, 0] * (len(x) // 2), [len(rows) for rows in x])
    weights = LogisticRegression(class_weight="balanced").fit(np.concatenate(x), y).coef_[0]
    return weights / np.linalg.norm(weights)


def degrees(weights: np.ndarray) -> float:
    """The direction of two weights: 0 is two steps alone, 90 three steps alone."""
    return float(np.rad2deg(np.arctan2(weights[1], weights[0])))


def area(score: np.ndarray, held: np.ndarray, far: tuple[np.ndarray, ...]) -> np.ndarray:
    """For each edge, the share in percent of the strangers that have a lower score, equal ones by half."""
    return 50 + 50 * np.sign(score[tuple(held.T)][:, None] - score[far]).mean(axis=1)


def beaten(
    a: np.ndarray, weights: Iterable[np.ndarray | Callable[[np.ndarray], np.ndarray]], *, times: int = 3
) -> pd.Series:
    """For each edge while it is hidden, the share in percent of the strangers that it beats: mean over weights.

    Args:
        a: the table.
        weights: pairs of weights, or functions that learn them from what can be seen.
        times: ways to hide; others than those of `learn`.

    Returns:
        A series by the ends of the edge, `u` and `v`.
    """
    import pandas as pd

    far, parts = strangers(a), []
    for pair in weights:
        for time in range(times):
            for held, rest in hidden(a, seed=1000 + time):
                score = signs(rest) @ (pair(rest) if callable(pair) else pair)
                parts.append(pd.DataFrame({"u": held[:, 0], "v": held[:, 1], "share": area(score, held, far)}))
    return pd.concat(parts).groupby(["u", "v"]).share.mean()


def rewired(a: np.ndarray, *, seed: int) -> np.ndarray:
    """Everybody keeps the number of acquaintances, and all else is left to chance (Maslov and Sneppen, 2002)."""
    import networkx as nx

    network = nx.from_numpy_array(a)
    nx.double_edge_swap(network, 10 * network.number_of_edges(), max_tries=100_000, seed=seed)
    return nx.to_numpy_array(network)
