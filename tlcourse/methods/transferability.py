"""Scores that foretell a transfer without training the target: how well do a source network's outputs fit the labels?

All look at the target's training examples once: `features` are `(n, d)` rows of numbers, `y` is `(n,)` labels, whole
numbers from 0, each at least once. Higher promises more; only scores for the same target can be compared.
"""

import numpy as np
from numpy.typing import ArrayLike


def leep(probabilities: ArrayLike, y: ArrayLike) -> float:
    """Log expected empirical prediction (Nguyen et al., 2020, eq. 2).

    The source's answers are read as words for the target's classes: how often does a source class stand for each?

    Args:
        probabilities: `(n, source classes)`, the source network's softmax for the target's examples.
        y: `(n,)`.

    Returns:
        Mean log probability of the right label, at most 0.

    Raises:
        ValueError: the rows are not probabilities, or not as many as labels.
    """
    p, y = _pair(probabilities, y)
    if p.min() < 0 or not np.allclose(p.sum(axis=1), 1, atol=1e-3):
        raise ValueError("Expected probabilities that sum to 1 in each row, got others: pass the softmax, not logits.")
    joint = np.eye(y.max() + 1)[y].T @ p  # target classes × source classes
    meaning = joint / np.maximum(joint.sum(axis=0), 1e-30)
    return float(np.log((meaning @ p.T)[y, np.arange(len(y))]).mean())


def logme(features: ArrayLike, y: ArrayLike) -> float:
    """Log maximum evidence (You et al., 2021, section 4): of a Bayesian linear model, per example, mean over classes.

    For a given ratio of prior to noise variance the best noise has a closed form, so one number is searched for.

    Args:
        features: `(n, d)`.
        y: `(n,)`.

    Raises:
        ValueError: not as many rows as labels, or fewer than two classes.
    """
    from scipy.optimize import minimize_scalar

    features, y = _pair(features, y)
    u, s, _ = np.linalg.svd(features, full_matrices=False)

    def lack(log_ratio, t):
        spread = 1 + np.exp(log_ratio) * s**2
        noise = (t @ t - ((u.T @ t) ** 2 * (1 - 1 / spread)).sum()) / len(t)
        return (np.log(2 * np.pi * noise) + 1 + np.log(spread).sum() / len(t)) / 2

    scale = np.log(max(s[0], 1e-30)) * 2
    found = (
        minimize_scalar(lack, args=(t,), bounds=(-scale - 20, -scale + 25), method="bounded")
        for t in np.eye(y.max() + 1)[y].T
    )
    return -float(np.mean([best.fun for best in found]))


def h_score(features: ArrayLike, y: ArrayLike, *, shrink: bool = True) -> float:
    """How much of the features' spread lies between the classes (Bao et al., 2019, definition 2).

    With fewer examples than features the plain score says the same of every network: classes less 1. Shrinking the
    covariance towards a multiple of the identity mends that (Ibrahim et al., 2022; Ledoit and Wolf, 2004).

    Args:
        features: `(n, d)`.
        y: `(n,)`.
        shrink: estimate the covariance as Ledoit and Wolf do, and scale the spread between classes alike.

    Returns:
        Trace of (covariance)⁻¹ · (covariance of the class means), 0 to classes less 1.

    Raises:
        ValueError: not as many rows as labels, or fewer than two classes.
    """
    from sklearn.covariance import ledoit_wolf

    features, y = _pair(features, y)
    means = np.stack([features[y == c].mean(axis=0) for c in range(y.max() + 1)])
    between = np.atleast_2d(np.cov(means[y].T, bias=True))
    if not shrink:
        return float(np.trace(np.linalg.pinv(np.atleast_2d(np.cov(features.T, bias=True)), hermitian=True) @ between))
    covariance, shrinkage = ledoit_wolf(features)
    return float(np.trace(np.linalg.solve(covariance, (1 - shrinkage) * between)))


def cka(a: ArrayLike, b: ArrayLike, *, debias: bool = True) -> float:
    """Linear centred kernel alignment (Kornblith et al., 2019, section 3): do two sets of features see examples alike?

    It is the cosine between two tables of similarities, each centred. How alike an example is to itself says nothing of
    the others, yet with more features than examples it makes any two tables agree, those of noise as well. Debiased,
    the diagonal is left out and the rest centred without it (Song et al., 2012, eq. 5; Nguyen et al., 2021, eq. 3).

    Args:
        a: `(n, d)` features; or one-hot labels, `(n, classes)`.
        b: `(n, e)`, for the same examples.
        debias: leave the diagonal out. Without it, the score as first published.

    Returns:
        1 if they differ by a rotation, a scale and a shift only; 0, or a little to either side of it, if they have
        nothing in common. Not debiased 0 to 1, and far above 0 for noise with many features (Murphy et al., 2024).

    Raises:
        ValueError: not as many rows, or fewer than four.
    """
    u, v = np.asarray(a, float), np.asarray(b, float)
    if u.ndim != 2 or v.ndim != 2 or len(u) != len(v) or len(u) < 4:
        raise ValueError(
            f"Expected two tables with as many rows, at least 4, got {u.shape} and {v.shape}: use the same examples."
        )
    u, v = (_centred(table @ table.T, debias=debias) for table in (u, v))
    return float((u * v).sum() / (np.linalg.norm(u) * np.linalg.norm(v)))


def _centred(similar: np.ndarray, *, debias: bool) -> np.ndarray:
    """Each row and each column sums to 0; debiased, the diagonal is 0 as well (Székely and Rizzo, 2014, eq. 2.1)."""
    if not debias:
        return similar - similar.mean(axis=0) - similar.mean(axis=1, keepdims=True) + similar.mean()
    n, similar = len(similar), similar - np.diag(np.diag(similar))
    rows = similar.sum(axis=0) / (n - 2)
    centred = similar - rows - rows[:, None] + rows.sum() / (n - 1)
    np.fill_diagonal(centred, 0)
    return centred


def _pair(rows: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    rows, y = np.asarray(rows, float), np.asarray(y)
    if rows.ndim != 2 or y.ndim != 1 or len(rows) != len(y):
        raise ValueError(f"Expected rows of shape (n, d) and n labels, got {rows.shape} and {y.shape}: flatten each.")
    if y.dtype.kind not in "iu" or len(set(y.tolist())) < 2 or set(y.tolist()) != set(range(y.max() + 1)):
        raise ValueError("Expected at least two classes, numbered from 0 without gaps: use np.unique's inverse.")
    return rows, y
