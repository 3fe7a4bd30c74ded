"""How far apart two domains are, from their features alone, without a label of either."""

import numpy as np
from numpy.typing import ArrayLike


def a_distance(a: ArrayLike, b: ArrayLike, *, seed: int = 0) -> float:
    """Proxy A-distance of two domains (Ben-David et al., 2007): how well a linear classifier tells them apart.

    It is judged on rows that it was not fitted to, in five folds: with many features it tells any two heaps apart on
    the rows that it has learnt.

    Args:
        a: `(n, d)`, at least five rows.
        b: `(m, d)`, at least five rows of the same features.
        seed: of the folds.

    Returns:
        2 (1 - 2 ε) with the balanced error ε: about 0 where it can only guess, 2 where it is never wrong.

    Raises:
        ValueError: the two are no tables of the same columns, or have fewer than five rows.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    a, b = np.asarray(a, float), np.asarray(b, float)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or min(len(a), len(b)) < 5:
        raise ValueError(
            f"Expected two tables with the same columns and at least five rows, got {a.shape} and {b.shape}: "
            "extract both with one network."
        )
    table, domain = np.concatenate([a, b]), np.repeat([0, 1], [len(a), len(b)])
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    told = cross_val_predict(LogisticRegression(max_iter=1000), table, domain, cv=folds)
    return float(2 * (2 * balanced_accuracy_score(domain, told) - 1))
