"""A student's folder on its way through the last chapter: it is used, or a sentence says why and ours stands in."""

from pathlib import Path

import numpy as np

from tlcourse.material import assets, data

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
        found = data.from_folder(folder or HOUSE, test_fraction=0)
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
