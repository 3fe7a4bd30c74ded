"""A student's folder on its way through the last chapter: it is used, or a sentence says why and ours stands in."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import binomtest
from sklearn.model_selection import StratifiedGroupKFold

from tlcourse.material import assets, data
from tlcourse.methods.statistics import Interval

HOUSE = assets.DATA / "stickers" / "openmoji"


def load(folder: str | Path | None, *, least: int, most: int) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Pictures, labels and classes of a folder; of OpenMoji where none is named, or where it will not do.

    Why a folder will not do is printed in a sentence. Nothing in it is changed.

    Args:
        folder: holds a folder for each class; see `data.from_folder`.
        least: pictures that each class must have.
        most: about so many are taken in all, of each class the same number at most.

    Returns:
        x `(n, 128, 128, 3)` uint8, y `(n,)` int64, and the classes' names.
    """
    try:
        found = data.from_folder(HOUSE if folder is None else folder, test_fraction=0)
        counts = np.bincount(found.y_train)
        if counts.min() < least:
            few = found.classes[counts.argmin()]
            raise ValueError(
                f"The class {few!r} has {counts.min()} pictures and needs {least}; add some to its folder."
            )
    except (ValueError, OSError) as error:
        if folder is None:
            raise
        print(f"{error} Until then the chapter goes on with OpenMoji.")
        return load(None, least=least, most=most)
    share = max(2 * least, most // len(counts))
    kept = np.sort(np.concatenate([np.flatnonzero(found.y_train == label)[:share] for label in range(len(counts))]))
    names = [name.encode("utf-8", "replace").decode("utf-8") for name in found.classes]  # or they could not be shown
    return found.x_train[kept], found.y_train[kept], names


def first_border(groupings: Mapping[float, np.ndarray], y: np.ndarray, *, least: int) -> float:
    """The first border that leaves different things enough to learn from and to test on, none a large part of all.

    Args:
        groupings: by the border, `(n,)` int: which thing each picture shows.
        y: `(n,)`, labels.
        least: things that each class must have; twice as many must be in the quarter that tests.

    Raises:
        ValueError: none will do.
    """
    for border, thing in groupings.items():
        if pd.Series(thing).groupby(y).nunique().min() >= least and np.bincount(thing).max() <= len(y) / 8:
            _, test = next(StratifiedGroupKFold(4, shuffle=True, random_state=0).split(y, y, thing))
            if len(set(thing[test])) >= 2 * least:
                return border
    raise ValueError(
        f"Expected {least} different things in each class, {2 * least} to test on and none that is an eighth of all "
        "pictures, got fewer or larger: add other pictures, set BORDER higher, or set FOLDER = None."
    )


def widened(drawn: Interval) -> Interval:
    """The interval of a share in percent, no narrower than the exact one (Clopper and Pearson, 1934).

    Units drawn anew know no doubt where every one was right; ten of ten leave some.
    """
    exact = binomtest(round(drawn.n * drawn.mean / 100), drawn.n).proportion_ci()
    return drawn._replace(low=min(drawn.low, 100 * exact.low), high=max(drawn.high, 100 * exact.high))
