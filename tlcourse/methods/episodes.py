"""How well new classes are told apart by a few examples of each, counted over all choices of classes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import comb


def ranks(
    z: np.ndarray, queries: np.ndarray, examples: np.ndarray, *, rule: str = "euclid", scale: float = 1.0
) -> np.ndarray:
    """How many other classes lie as near to a query as its own, or nearer: `(classes,)`, 0 where it is named right.

    A tie is not an answer: of an embedding that is the same for everything, every query has all others before it.

    Args:
        z: `(classes, drawings, width)`.
        queries: `(classes,)`, which drawing of each class asks.
        examples: `(classes, k)`, which drawings of each class are known.
        rule: "euclid", to the examples' mean; "cosine", the same with everything of length 1; "attention", the sum
            over a class's examples of the exponential of `scale` times the cosine (Vinyals et al., 2016).
        scale: of the attention.
    """
    if rule not in ("euclid", "cosine", "attention"):
        raise ValueError(f'Expected rule="euclid", "cosine" or "attention", got {rule!r}: say how to read distances.')
    if rule != "euclid":
        z = unit(z)
    own = np.arange(len(z))
    known, asked = z[own[:, None], examples], z[own, queries]
    if rule == "attention":
        cosine = np.einsum("qw,ckw->qck", asked, known)
        d = -np.exp(scale * (cosine - 1)).sum(axis=-1)
    else:
        prototypes = known.mean(axis=1) if rule == "euclid" else unit(known.mean(axis=1))
        d = ((asked[:, None] - prototypes) ** 2).sum(axis=-1)
    return (d <= np.diag(d)[:, None]).sum(axis=1) - 1


def unit(z: np.ndarray) -> np.ndarray:
    """Rows of length 1."""
    return z / (np.linalg.norm(z, axis=-1, keepdims=True) + 1e-9)


def accuracy(ranks: ArrayLike, ways: int, classes: int) -> float:
    """Percent of queries named right among `ways` classes, in the mean over all choices of them.

    A query with r of the others nearer is right when none of these is chosen: of the `classes - 1` others there are
    `comb(classes - 1 - r, ways - 1)` such choices.

    Args:
        ranks: as `ranks` gives them.
        ways: from 2 to `classes`.
        classes: from which they are chosen.
    """
    others = classes - 1 - np.asarray(ranks)
    return float(100 * np.mean(comb(others, ways - 1) / comb(classes - 1, ways - 1)))
